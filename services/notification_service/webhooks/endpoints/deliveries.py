"""`/v1/webhooks/{id}/deliveries`: what became of each event, and sending again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notification_service.webhooks.domain.words import DeliveryState
from services.notification_service.webhooks.schemas import (
    DeliveryView,
    ResendBody,
    Resent,
    SkipBody,
)
from services.notification_service.webhooks.service.resending import Deliveries
from shared.http.access import Scope
from shared.http.auth import Principal, requires
from shared.http.idempotency import TAKES_KEY, Answer, answer_once, answer_repeatable
from shared.http.pagination import Page, Paging, cut, link_next
from shared.http.query import KNOWN_QUERY
from shared.messaging import UnitOfWork

Manager = Annotated[Principal, Depends(requires(Scope.WEBHOOKS_WRITE))]


def router(deliveries: Deliveries) -> APIRouter:
    """Make the paths of deliveries."""
    routes = APIRouter(
        prefix="/v1/webhooks/{webhook_id}", tags=["webhooks"], dependencies=[KNOWN_QUERY]
    )
    _add_list(routes, deliveries)
    _add_actions(routes, deliveries)
    return routes


def _add_list(routes: APIRouter, deliveries: Deliveries) -> None:
    @routes.get("/deliveries", response_model=Page[DeliveryView])
    async def list_deliveries(  # noqa: PLR0917 - FastAPI reads the query from them
        webhook_id: str,
        request: Request,
        response: Response,
        page: Paging,
        _: Manager,
        state: DeliveryState | None = None,
        complaint_id: Annotated[str | None, Query(max_length=64)] = None,
        event_id: Annotated[str | None, Query(max_length=64)] = None,
    ) -> Page[DeliveryView]:
        """List deliveries, the newest first: tries, the last answer, the next try."""
        asked = {"state": state, "subject": complaint_id, "event_id": event_id}
        found = await deliveries.page(webhook_id, page, asked)
        rows, next_cursor = cut(found, page, lambda row: (row.id,))
        link_next(request, response, next_cursor)
        return Page(items=[DeliveryView.of(row) for row in rows], next_cursor=next_cursor)


def _resent(count: int) -> Answer:
    return Answer(200, Resent(resent=count).model_dump_json().encode())


def _add_actions(routes: APIRouter, deliveries: Deliveries) -> None:
    @routes.post("/resend", response_model=Resent, dependencies=[TAKES_KEY])
    async def resend(webhook_id: str, body: ResendBody, request: Request, _: Manager) -> Response:
        """Send one event or all of a time again, in order, whatever became of them."""
        event_id, start, end = body.event_id, body.start, body.end

        async def one(work: UnitOfWork) -> Answer:
            assert event_id is not None
            return _resent(await deliveries.resend(work, webhook_id, event_id))

        async def all_between() -> Answer:
            assert start is not None
            assert end is not None
            return _resent(await deliveries.resend_range(webhook_id, start, end))

        unit_of_work = deliveries.messaging.unit_of_work
        if event_id is not None:
            return await answer_once(request, unit_of_work, one)
        return await answer_repeatable(request, unit_of_work, all_between)

    @routes.post("/skip", response_model=DeliveryView, dependencies=[TAKES_KEY])
    async def skip(webhook_id: str, body: SkipBody, request: Request, _: Manager) -> Response:
        """Let a complaint go on without an event that this endpoint does not take."""

        async def once(work: UnitOfWork) -> Answer:
            row = await deliveries.skip(work, webhook_id, body.event_id)
            return Answer(200, DeliveryView.of(row).model_dump_json().encode())

        return await answer_once(request, deliveries.messaging.unit_of_work, once)
