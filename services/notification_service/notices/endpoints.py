"""`GET /v1/notices`: proof of notice."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notification_service.notices.schemas import NoticeOut, notice_out
from services.notification_service.notices.service import Notices
from shared.http.access import Scope
from shared.http.auth import requires
from shared.http.pagination import Page, Paging, cut, link_next
from shared.http.query import KNOWN_QUERY


def router(notices: Notices) -> APIRouter:
    """Make the path."""
    routes = APIRouter(tags=["notices"], dependencies=[KNOWN_QUERY])

    @routes.get(
        "/v1/notices",
        response_model=Page[NoticeOut],
        dependencies=[Depends(requires(Scope.NOTIFICATIONS_READ))],
    )
    async def list_notices(
        request: Request,
        response: Response,
        page: Paging,
        complaint_id: Annotated[str, Query(max_length=36)],
    ) -> Page[NoticeOut]:
        """Prove what a complaint's customer was told: what, to whom, by which way, and when.

        One item for each fact, oldest first, with every time that a gateway took it, the receipt,
        the fingerprint of the words (never the words), and why it was not sent where it was not.
        """
        found, next_cursor = cut(
            await notices.of(complaint_id, page), page, lambda one: (one.told.id,)
        )
        link_next(request, response, next_cursor)
        return Page[NoticeOut](items=[notice_out(one) for one in found], next_cursor=next_cursor)

    return routes
