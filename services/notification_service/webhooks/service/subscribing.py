"""Subscriptions: made, changed, paused, given new keys, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.notification_service.webhooks.domain.words import WebhookState
from services.notification_service.webhooks.repository import lanes, subscriptions
from services.notification_service.webhooks.repository.subscriptions import Webhook
from services.notification_service.webhooks.service.signing import (
    SigningKey,
    new_secret,
    rotated,
    seal,
    unseal,
)
from services.notification_service.webhooks.service.targets import Resolver, parse_target
from shared.bus.port import Bus
from shared.events import topics
from shared.kernel.errors import Conflict, NotFound, PreconditionFailed
from shared.kernel.ids import new_id
from shared.kernel.vault import Vault
from shared.messaging import Messaging, UnitOfWork

MOST_WEBHOOKS = 200

Beginning = Mapping[str, Sequence[int]]
"""Next offsets by topic and partition."""


class UnknownWebhook(NotFound):
    """There is no such subscription."""

    code = "unknown-webhook"
    title = "There is no such webhook"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a subscriber wants; None leaves it as it is."""

    url: str | None = None
    types: Sequence[str] | None = None
    categories: Sequence[str] | None = None
    departments: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class DeskTools:
    """What keeping subscriptions needs."""

    messaging: Messaging
    vault: Vault
    bus: Bus
    resolver: Resolver
    rotation: timedelta


class Subscribers:
    """The subscriptions."""

    def __init__(self, tools: DeskTools) -> None:
        self._tools = tools
        self.messaging = tools.messaging

    async def check_url(self, url: str) -> None:
        """Refuse a URL that must not be called; raises InvalidInput."""
        await self._tools.resolver.check(parse_target(url))

    async def beginning(self) -> Beginning:
        """Return where the log ends now: what comes later is for a subscription made now.

        To be asked before its transaction, in which the log must not be waited for.
        """
        found: dict[str, list[int]] = {}
        for topic in topics.PUBLIC:
            ends = await self._tools.bus.end_positions(topic)
            found[topic] = [ends[place] for place in sorted(ends)]
        return found

    async def subscribe(
        self, work: UnitOfWork, wishes: Wishes, *, by: str, beginning: Beginning
    ) -> tuple[Webhook, str]:
        """Make a subscription; returns it with its secret, which is not shown again."""
        if await subscriptions.count(work.connection) >= MOST_WEBHOOKS:
            raise Conflict(f"There are {MOST_WEBHOOKS} webhooks; delete one that is not needed.")
        secret, webhook_id = new_secret(), new_id()
        wrapped = self._tools.vault.new_data_key().wrapped
        keys = (SigningKey(secret=secret),)
        webhook = Webhook(
            id=webhook_id,
            url=wishes.url or "",
            types=sorted(set(wishes.types or ())),
            categories=sorted(set(wishes.categories or ())),
            departments=sorted(set(wishes.departments or ())),
            state=WebhookState.ACTIVE,
            reason=None,
            version=1,
            wrapped_key=wrapped,
            secrets=seal(self._tools.vault, wrapped, webhook_id, keys),
            from_positions=beginning,
            created_by=by[:64],
            created_at=work.now,
            updated_at=work.now,
            failing_since=None,
            probe_at=None,
            deleted_at=None,
        )
        await subscriptions.add(work.connection, webhook)
        return webhook, secret

    async def one(self, webhook_id: str) -> tuple[Webhook, tuple[int, int]]:
        """Return a subscription with how many deliveries are pending and parked."""
        async with self.messaging.database.read() as connection:
            found = await subscriptions.one(connection, webhook_id, lock=False)
            if found is None:
                raise UnknownWebhook(f"There is no webhook {webhook_id}.")
            return found, await subscriptions.waiting(connection, webhook_id)

    async def page(self, *, after: str | None, limit: int) -> Sequence[Webhook]:
        """Return subscriptions, the oldest first."""
        async with self.messaging.database.read() as connection:
            return await subscriptions.page(connection, after=after, limit=limit)

    async def change(
        self, work: UnitOfWork, webhook_id: str, wishes: Wishes, if_version: int | None
    ) -> Webhook:
        """Change what a subscriber wants; raises UnknownWebhook, PreconditionFailed.

        An endpoint with a new URL starts afresh; what was made for it before goes there.
        """
        before = await locked(work, webhook_id, if_version)
        values: dict[str, object] = {
            name: sorted(set(value)) if name != "url" else value
            for name in ("url", "types", "categories", "departments")
            if (value := getattr(wishes, name)) is not None
        }
        moved = wishes.url is not None and wishes.url != before.url
        if moved and before.state in {WebhookState.SUSPENDED, WebhookState.ACTIVE}:
            values |= _AFRESH
        after = await self._store(work, before, values)
        if moved:
            await lanes.wake(work.connection, webhook_id, now=work.now, afresh=True)
        return after

    async def pause(self, work: UnitOfWork, webhook_id: str) -> Webhook:
        """Send nothing until it is resumed; deliveries gather meanwhile."""
        before = await locked(work, webhook_id)
        if before.state == WebhookState.PAUSED:
            return before
        paused = {"state": WebhookState.PAUSED, "failing_since": None, "probe_at": None}
        return await self._store(work, before, {**paused, "reason": None})

    async def resume(self, work: UnitOfWork, webhook_id: str) -> Webhook:
        """Send again, also to an endpoint that was suspended or disabled; all that waits is due."""
        before = await locked(work, webhook_id)
        after = await self._store(work, before, dict(_AFRESH))
        await lanes.wake(work.connection, webhook_id, now=work.now, afresh=True)
        return after

    async def rotate(self, work: UnitOfWork, webhook_id: str) -> tuple[Webhook, str]:
        """Make a new key; the one before signs beside it for a while."""
        before = await locked(work, webhook_id)
        keys = unseal(self._tools.vault, before.wrapped_key, webhook_id, before.secrets)
        secret = new_secret()
        until = work.now + self._tools.rotation
        sealed = seal(
            self._tools.vault,
            before.wrapped_key,
            webhook_id,
            rotated(keys, secret, now=work.now, until=until),
        )
        return await self._store(work, before, {"secrets": sealed}), secret

    async def delete(self, work: UnitOfWork, webhook_id: str, if_version: int | None) -> None:
        """Delete a subscription; its deliveries are cleared away bit by bit."""
        before = await locked(work, webhook_id, if_version)
        await self._store(work, before, {"deleted_at": work.now})

    @property
    def rotation(self) -> timedelta:
        """How long an old key signs beside a new one."""
        return self._tools.rotation

    async def _store(
        self, work: UnitOfWork, before: Webhook, values: Mapping[str, object]
    ) -> Webhook:
        changed = {**values, "version": before.version + 1, "updated_at": work.now}
        await subscriptions.change(work.connection, before.id, **changed)
        return before._replace(**changed)  # type: ignore[arg-type]  # columns by their names


_AFRESH: Mapping[str, object] = {
    "state": WebhookState.ACTIVE,
    "reason": None,
    "failing_since": None,
    "probe_at": None,
}


async def locked(work: UnitOfWork, webhook_id: str, if_version: int | None = None) -> Webhook:
    """Lock a subscription; raises UnknownWebhook, or PreconditionFailed for another version."""
    found = await subscriptions.one(work.connection, webhook_id, lock=True)
    if found is None:
        raise UnknownWebhook(f"There is no webhook {webhook_id}.")
    if if_version is not None and if_version != found.version:
        raise PreconditionFailed(f"The webhook is at version {found.version}; read it again.")
    return found
