"""`/v1/notifications` for machines, and `/outbox`, where a developer sees what customers see."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from services.notification_service.messages.domain.words import State
from services.notification_service.messages.schemas import Notification
from services.notification_service.messages.service.deciding import Decision, Operators
from services.notification_service.messages.service.reading import Archive, Shown
from shared.events.words import MessageChannel
from shared.http.access import Scope
from shared.http.auth import Principal, principal_of, requires
from shared.http.pagination import Page, Paging, cut, link_next
from shared.http.query import KNOWN_QUERY
from shared.kernel.errors import NotFound
from shared.web.pages import Pages

MessageId = Annotated[str, Path(max_length=36)]
Operator = Annotated[Principal, Depends(requires(Scope.NOTIFICATIONS_WRITE))]

# The HTML of a mail styles itself and may do nothing else: no scripts, no requests, no forms.
_MAIL_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
)


def router(archive: Archive, operators: Operators) -> APIRouter:
    """Make the paths for machines."""
    routes = APIRouter(tags=["notifications"], dependencies=[KNOWN_QUERY])

    @routes.get(
        "/v1/notifications",
        response_model=Page[Notification],
        dependencies=[Depends(requires(Scope.NOTIFICATIONS_READ))],
    )
    async def list_notifications(  # noqa: PLR0917 - FastAPI reads the query from them
        request: Request,
        response: Response,
        page: Paging,
        complaint_id: Annotated[str | None, Query(max_length=36)] = None,
        about: Annotated[
            str | None,
            Query(max_length=36, description="id of a complaint, hot spot or incident"),
        ] = None,
        state: State | None = None,
        channel: MessageChannel | None = None,
    ) -> Page[Notification]:
        """List messages, newest first: what was told to whom, how often tried, and why not."""
        asked = {
            "complaint_id": complaint_id,
            "about": about,
            "state": state,
            "channel": channel,
        }
        rows, next_cursor = cut(await archive.page(page, asked), page, lambda row: (row.id,))
        link_next(request, response, next_cursor)
        items = [Notification.of(row) for row in rows]
        return Page[Notification](items=items, next_cursor=next_cursor)

    @routes.post("/v1/notifications/{message_id}/resend")
    async def resend(message_id: MessageId, principal: Operator) -> Notification:
        """Send a message again that is unknown, failed or undelivered; who said so is recorded.

        The channels that were given up are tried again too. An unknown one may reach the person
        twice: that is what the operator decides.
        """
        decided = await operators.decide(message_id, Decision.RESEND, by=principal.id)
        return Notification.of(decided)

    @routes.post("/v1/notifications/{message_id}/mark-sent")
    async def mark_sent(message_id: MessageId, principal: Operator) -> Notification:
        """Count an unknown message as sent, as the gateway's own list shows it to be."""
        decided = await operators.decide(message_id, Decision.MARK_SENT, by=principal.id)
        return Notification.of(decided)

    return routes


def pages_router(archive: Archive, pages: Pages, *, scope: Scope) -> APIRouter:
    """Make the outbox page for who has `scope`."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/outbox", response_class=HTMLResponse)
    async def outbox(
        request: Request,
        page: Paging,
        complaint: Annotated[str, Query(max_length=40)] = "",
        message: Annotated[str | None, Query(max_length=36)] = None,
    ) -> HTMLResponse:
        """Show messages like a mail program: list left, message right."""
        principal_of(request, scope)
        about = complaint.strip()
        rows, next_cursor = cut(
            await archive.shown(page, about), page, lambda one: (one.stored.listed.id,)
        )
        chosen = await archive.one(message) if message else (rows[0] if rows else None)
        return pages.render(
            request,
            "outbox.html",
            rows=rows,
            chosen=chosen,
            picked=message is not None,
            complaint=about,
            next_cursor=next_cursor,
        )

    @routes.get("/outbox/{message_id}/html", response_class=HTMLResponse)
    async def mail(request: Request, message_id: str) -> HTMLResponse:
        """Show the HTML of one e-mail by itself, for the frame on the page."""
        principal_of(request, scope)
        html = _html(await archive.one(message_id))
        return HTMLResponse(html, headers={"Content-Security-Policy": _MAIL_CSP})

    return routes


def _html(shown: Shown) -> str:
    if shown.rendered is None or shown.rendered.html is None:
        raise NotFound("This message has no HTML.")
    return shown.rendered.html
