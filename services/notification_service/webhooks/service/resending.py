"""Deliveries: listed, sent again, skipped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from services.notification_service.webhooks.repository import deliveries, lanes, subscriptions
from services.notification_service.webhooks.repository.deliveries import Listed
from services.notification_service.webhooks.service.subscribing import UnknownWebhook, locked
from shared.http.pagination import PageRequest, foreign_cursor
from shared.kernel.errors import NotFound
from shared.messaging import Messaging, UnitOfWork

_LANES_AT_ONCE = 500


class UnknownDelivery(NotFound):
    """No such event was made into a delivery, or it was cleared away."""

    code = "unknown-delivery"
    title = "There is no such delivery"


class Deliveries:
    """The deliveries of subscriptions. `wake` tells the courier that something is due."""

    def __init__(self, messaging: Messaging, wake: Callable[[], None]) -> None:
        self.messaging = messaging
        self._wake = wake

    async def page(
        self, webhook_id: str, page: PageRequest, filters: Mapping[str, str | None]
    ) -> Sequence[Listed]:
        """Return one page of deliveries and one row more, the newest first."""
        before = page.after[0] if page.after else None
        if not (before is None or isinstance(before, int)):
            raise foreign_cursor()
        async with self.messaging.database.read() as connection:
            if await subscriptions.one(connection, webhook_id, lock=False) is None:
                raise UnknownWebhook(f"There is no webhook {webhook_id}.")
            return await deliveries.page(
                connection,
                webhook_id,
                filters={name: value for name, value in filters.items() if value is not None},
                before=before,
                limit=page.fetch,
            )

    async def resend(self, work: UnitOfWork, webhook_id: str, event_id: str) -> int:
        """Send one event again, whatever became of it; raises UnknownDelivery where it has none.

        It keeps its id, so that a receiver knows it again. What was given up in the same complaint
        goes out again with it and counts: with its lane open, what waits behind would overtake it.
        Returns how many go.
        """
        await locked(work, webhook_id)
        keys = await deliveries.lanes_of(work.connection, webhook_id, event_id)
        if not keys:
            raise UnknownDelivery(f"No event {event_id} was made into a delivery here.")
        await lanes.reopen(work.connection, keys, now=work.now)
        count = await deliveries.queue_again(work.connection, webhook_id, event_id)
        count += await deliveries.queue_parked_again(work.connection, keys)
        work.after_commit(self._wake)
        return count

    async def resend_range(self, webhook_id: str, start: datetime, end: datetime) -> int:
        """Send all events of a time again in their order, as `resend` does; returns how many.

        A few hundred complaints a transaction, each of them whole: tens of thousands in one would
        keep all other writers waiting. Cut off on the way, it may be asked for again.
        """
        async with self.messaging.database.read() as connection:
            if await subscriptions.one(connection, webhook_id, lock=False) is None:
                raise UnknownWebhook(f"There is no webhook {webhook_id}.")
            portions = await deliveries.portions_between(
                connection, webhook_id, start, end, lanes_each=_LANES_AT_ONCE
            )
        count = 0
        for portion in portions:
            keys = [(webhook_id, subject) for subject in portion.subjects]
            async with self.messaging.unit_of_work() as work:
                await locked(work, webhook_id)
                await lanes.reopen(work.connection, keys, now=work.now)
                count += await deliveries.queue_these_again(work.connection, portion.ids)
                count += await deliveries.queue_parked_again(work.connection, keys)
                work.after_commit(self._wake)
        return count

    async def skip(self, work: UnitOfWork, webhook_id: str, event_id: str) -> Listed:
        """Let a complaint go on without an event that is not taken; raises UnknownDelivery.

        Behind another one that was given up it goes on waiting.
        """
        await locked(work, webhook_id)
        keys = await deliveries.lanes_of(work.connection, webhook_id, event_id)
        held = await deliveries.parked_in(work.connection, keys, but=event_id)
        await lanes.reopen(work.connection, keys - held, now=work.now)
        if not await deliveries.skip(work.connection, webhook_id, event_id):
            raise UnknownDelivery(f"No event {event_id} waits or is parked here.")
        work.after_commit(self._wake)
        (row,) = await deliveries.page(
            work.connection, webhook_id, filters={"event_id": event_id}, before=None, limit=1
        )
        return row
