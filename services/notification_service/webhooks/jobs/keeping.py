"""The loop that clears away what is old, bit by bit, and measures."""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from datetime import timedelta

from prometheus_client import Counter, Gauge

from services.notification_service.webhooks.domain.words import DeliveryState, WebhookState
from services.notification_service.webhooks.repository import deliveries, lanes
from services.notification_service.webhooks.repository.deliveries import Expired
from shared.kernel import logging
from shared.messaging import Messaging
from shared.messaging.pauses import pause_for

log = logging.get(__name__)

_ROWS = 500
_LOOK_SECONDS = 5.0
_BETWEEN_SECONDS = 0.2
"""Between two steps where there is more to clear away: business goes in between."""

_OLDEST = Gauge("redress_webhook_oldest_pending_seconds", "Age of the oldest pending delivery")
_PARKED = Gauge("redress_webhook_parked", "Deliveries given up after their last try")
_ENDPOINTS = Gauge("redress_webhook_endpoints", "Endpoints by state", ["state"])
_EXPIRED = Counter("redress_webhook_expired_total", "Deliveries never taken, and cleared away")


class Keeper:
    """Keeps the tables of webhooks as small as was promised."""

    def __init__(self, messaging: Messaging, retention: timedelta) -> None:
        self._messaging = messaging
        self._retention = retention

    async def run(self, stopping: asyncio.Event) -> None:
        """Clear away and measure until told to stop."""
        while not stopping.is_set():
            gone = await self.clear()
            await self.measure()
            await pause_for(stopping, _BETWEEN_SECONDS if gone >= _ROWS else _LOOK_SECONDS)

    async def clear(self) -> int:
        """Clear away one step's worth; returns how many rows went."""
        async with self._messaging.unit_of_work() as work:
            before = work.now - self._retention
            old = await deliveries.expired(work.connection, before=before, limit=_ROWS)
            if old:
                # What waits behind one that was given up goes on; lanes first, as everybody locks.
                waited = {(one.webhook_id, one.subject) for one in old if _waited(one)}
                await lanes.reopen(work.connection, waited, now=work.now)
                await deliveries.remove(work.connection, [one.id for one in old])
            gone = await deliveries.remove_some_of_deleted(work.connection, limit=_ROWS)
        lost = Tally(one.webhook_id for one in old if _waited(one))
        for webhook_id, count in lost.items():
            _EXPIRED.inc(count)
            log.error("webhook.expired", webhook=webhook_id, deliveries=count)
        return len(old) + gone

    async def measure(self) -> None:
        """Set the gauges."""
        async with self._messaging.database.read() as connection:
            oldest = await deliveries.oldest_pending(connection)
            parked = await deliveries.parked(connection)
            endpoints = await deliveries.endpoints(connection)
        now = self._messaging.clock.now()
        _OLDEST.set((now - oldest).total_seconds() if oldest else 0.0)
        _PARKED.set(parked)
        for state in WebhookState:
            _ENDPOINTS.labels(state).set(endpoints.get(state, 0))


def _waited(one: Expired) -> bool:
    return one.state in {DeliveryState.PENDING, DeliveryState.PARKED}
