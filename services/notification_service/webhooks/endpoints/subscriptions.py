"""`/v1/webhooks`: who wants which events, and where."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel

from services.notification_service.webhooks.repository.subscriptions import Webhook
from services.notification_service.webhooks.schemas import (
    NewWebhookView,
    WebhookBody,
    WebhookChange,
    WebhookView,
)
from services.notification_service.webhooks.service.sealing import AnswerSeal
from services.notification_service.webhooks.service.subscribing import Subscribers, Wishes
from shared.http.access import Scope
from shared.http.auth import Principal, requires
from shared.http.documents import version_named
from shared.http.event_types import checked_types
from shared.http.idempotency import TAKES_KEY, Answer, answer_once
from shared.http.pagination import Page, Paging, cut, link_next
from shared.http.query import KNOWN_QUERY
from shared.messaging import UnitOfWork

Manager = Annotated[Principal, Depends(requires(Scope.WEBHOOKS_WRITE))]
IfMatch = Annotated[str | None, Header(description="ETag of the version read")]


def router(subscribers: Subscribers, seal: AnswerSeal) -> APIRouter:
    """Make the paths of subscriptions."""
    routes = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], dependencies=[KNOWN_QUERY])
    _add_making(routes, subscribers, seal)
    _add_reading(routes, subscribers)
    _add_changing(routes, subscribers)
    _add_steering(routes, subscribers)
    return routes


def _add_making(routes: APIRouter, subscribers: Subscribers, seal: AnswerSeal) -> None:
    @routes.post("", status_code=201, response_model=NewWebhookView, dependencies=[TAKES_KEY])
    async def subscribe(body: WebhookBody, request: Request, principal: Manager) -> Response:
        """Subscribe; the answer holds the secret that deliveries are signed with, this once."""
        wishes = _wishes(body)
        await subscribers.check_url(body.url)
        beginning = await subscribers.beginning()

        async def once(work: UnitOfWork) -> Answer:
            webhook, secret = await subscribers.subscribe(
                work, wishes, by=principal.id, beginning=beginning
            )
            view = NewWebhookView.with_secret(webhook, secret)
            location = f"{request.url.path}/{webhook.id}"
            return Answer(201, _json(view), {"Location": location, "ETag": _etag(webhook)})

        return await answer_once(request, subscribers.messaging.unit_of_work, once, seal)

    @routes.post("/{webhook_id}/rotate", response_model=NewWebhookView, dependencies=[TAKES_KEY])
    async def rotate(webhook_id: str, request: Request, _: Manager) -> Response:
        """Make a new secret; the one before signs beside it until `old_secrets_end_at`."""

        async def once(work: UnitOfWork) -> Answer:
            webhook, secret = await subscribers.rotate(work, webhook_id)
            view = NewWebhookView.with_secret(webhook, secret, work.now + subscribers.rotation)
            return Answer(200, _json(view), {"ETag": _etag(webhook)})

        return await answer_once(request, subscribers.messaging.unit_of_work, once, seal)


def _add_reading(routes: APIRouter, subscribers: Subscribers) -> None:
    @routes.get("", response_model=Page[WebhookView])
    async def list_webhooks(
        request: Request, response: Response, page: Paging, _: Manager
    ) -> Page[WebhookView]:
        """List subscriptions, the oldest first."""
        after = str(page.after[0]) if page.after else None
        found = await subscribers.page(after=after, limit=page.fetch)
        rows, next_cursor = cut(found, page, lambda one: (one.id,))
        link_next(request, response, next_cursor)
        return Page(items=[WebhookView.of(one) for one in rows], next_cursor=next_cursor)

    @routes.get("/{webhook_id}", response_model=WebhookView)
    async def get_webhook(webhook_id: str, response: Response, _: Manager) -> WebhookView:
        """Show a subscription, and how many deliveries wait or were given up."""
        webhook, waiting = await subscribers.one(webhook_id)
        response.headers["ETag"] = _etag(webhook)
        return WebhookView.of(webhook, waiting)


def _add_changing(routes: APIRouter, subscribers: Subscribers) -> None:
    async def change(
        webhook_id: str, wishes: Wishes, if_match: str | None, response: Response
    ) -> WebhookView:
        if wishes.url is not None:
            await subscribers.check_url(wishes.url)
        async with subscribers.messaging.unit_of_work() as work:
            webhook = await subscribers.change(work, webhook_id, wishes, version_named(if_match))
        response.headers["ETag"] = _etag(webhook)
        return WebhookView.of(webhook)

    @routes.patch("/{webhook_id}", response_model=WebhookView)
    async def patch_webhook(
        webhook_id: str,
        body: WebhookChange,
        response: Response,
        _: Manager,
        if_match: IfMatch = None,
    ) -> WebhookView:
        """Change what is named; null for a list takes that filter away."""
        return await change(webhook_id, _wishes(body), if_match, response)

    @routes.put("/{webhook_id}", response_model=WebhookView)
    async def put_webhook(
        webhook_id: str,
        body: WebhookBody,
        response: Response,
        _: Manager,
        if_match: IfMatch = None,
    ) -> WebhookView:
        """Replace URL and filters; secrets, state and deliveries stay."""
        whole = {"types": [], "categories": [], "departments": []} | body.model_dump(
            exclude_none=True
        )
        return await change(
            webhook_id, _wishes(WebhookChange.model_validate(whole)), if_match, response
        )

    @routes.delete("/{webhook_id}", status_code=204)
    async def delete_webhook(webhook_id: str, _: Manager, if_match: IfMatch = None) -> None:
        """Delete a subscription with its deliveries."""
        async with subscribers.messaging.unit_of_work() as work:
            await subscribers.delete(work, webhook_id, version_named(if_match))


def _add_steering(routes: APIRouter, subscribers: Subscribers) -> None:
    @routes.post("/{webhook_id}/pause", response_model=WebhookView, dependencies=[TAKES_KEY])
    async def pause(webhook_id: str, request: Request, _: Manager) -> Response:
        """Send nothing until it is resumed; events gather meanwhile."""

        async def once(work: UnitOfWork) -> Answer:
            webhook = await subscribers.pause(work, webhook_id)
            return Answer(200, _json(WebhookView.of(webhook)), {"ETag": _etag(webhook)})

        return await answer_once(request, subscribers.messaging.unit_of_work, once)

    @routes.post("/{webhook_id}/resume", response_model=WebhookView, dependencies=[TAKES_KEY])
    async def resume(webhook_id: str, request: Request, _: Manager) -> Response:
        """Send again, in order, all that has gathered; also what was suspended or disabled."""

        async def once(work: UnitOfWork) -> Answer:
            webhook = await subscribers.resume(work, webhook_id)
            return Answer(200, _json(WebhookView.of(webhook)), {"ETag": _etag(webhook)})

        return await answer_once(request, subscribers.messaging.unit_of_work, once)


def _wishes(body: WebhookBody | WebhookChange) -> Wishes:
    """Return what is wished for; a list that was sent as null is an empty one."""
    checked_types(body.types or (), "/types")
    lists = {
        name: getattr(body, name) or []
        for name in ("types", "categories", "departments")
        if name in body.model_fields_set
    }
    return Wishes(url=body.url, **lists)


def _json(view: BaseModel) -> bytes:
    return view.model_dump_json().encode()


def _etag(webhook: Webhook) -> str:
    return f'"{webhook.version}"'
