"""The loop that brings the log to deliveries. One replica leads.

It reads by positions of its own and not in a group: the dispatcher's marks say what messages were
made of, and a webhook's trouble must neither park a complaint there nor wait for one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import sqlalchemy as sa
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.webhooks.service.following import (
    Deposed,
    Follower,
    Positions,
)
from shared.bus.port import Bus, Consumer, LoggedRecord, next_positions
from shared.db.database import Database
from shared.events.topics import COMPLAINTS, PUBLIC
from shared.kernel import logging
from shared.messaging.leadership import leadership
from shared.messaging.pauses import pause_for

log = logging.get(__name__)

_ADVISORY_LOCK = 0x3EB400
_BATCH = 1000
_ROWS = 4000
"""Deliveries that a transaction makes at most: on SQLite all messages wait for it meanwhile."""
_POLL_SECONDS = 0.5
_STANDBY_SECONDS = 1.0
_PAUSE_SECONDS = 0.05
_LONE_PAUSE_SECONDS = 1.0
"""Between batches while nobody has subscribed: then only what is known of complaints is kept."""
_HELD_SECONDS = 5.0
_LAG = Gauge("redress_webhook_lag_seconds", "Age of the oldest event not made into deliveries")


class Following:
    """Follows the log for as long as it leads."""

    def __init__(self, follower: Follower, bus: Bus, database: Database) -> None:
        self._follower = follower
        self._bus = bus
        self._database = database
        self._held: list[LoggedRecord] = []
        self._held_since = 0.0

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow until told to stop."""
        while not stopping.is_set():
            async with leadership(self._database, _ADVISORY_LOCK) as (leads, session):
                if leads:
                    try:
                        await self._lead(session, stopping)
                    except Deposed:
                        log.warning("webhooks.deposed")
            if not stopping.is_set():
                await pause_for(stopping, _STANDBY_SECONDS)

    async def _lead(self, session: AsyncConnection | None, stopping: asyncio.Event) -> None:
        self._held = []
        positions = await self._begin()
        # Complaints first: filters need to know them before what else is said of them.
        heard_first = dict(await self._bus.end_positions(COMPLAINTS))
        first = {place: at for place, at in positions.items() if place.topic == COMPLAINTS}
        if any(first[place] < end for place, end in heard_first.items()):
            await self._follow(first, positions, session, stopping, until=heard_first)
        await self._follow(positions, positions, session, stopping, until={})

    async def _begin(self) -> Positions:
        positions = await self._follower.begin()
        ends = {
            place: end
            for topic in PUBLIC
            for place, end in (await self._bus.end_positions(topic)).items()
        }
        if any(at > ends.get(place, 0) for place, at in positions.items()):
            log.error(
                "webhooks.log_is_shorter", detail="it is another log: followed from its start"
            )
            positions = dict.fromkeys(positions, 0)
            await self._follower.start_over(positions)
        return positions

    async def _follow(
        self,
        places: Positions,
        positions: Positions,
        session: AsyncConnection | None,
        stopping: asyncio.Event,
        *,
        until: Positions,
    ) -> None:
        """Read `places` until told to stop, or until all before `until` is read."""
        reader = await self._bus.reader(places)
        try:
            while not stopping.is_set():
                at_most = self._batch()
                taken = await self._step(reader, positions, at_most)
                if until and all(positions[place] >= end for place, end in until.items()):
                    return
                if taken < at_most:
                    _LAG.set(await reader.lag_seconds())
                    if session is not None:
                        await session.execute(sa.text("SELECT 1"))  # raises once the lock is lost
                    lone = not self._follower.subscriptions
                    await pause_for(stopping, _LONE_PAUSE_SECONDS if lone else _PAUSE_SECONDS)
        finally:
            await reader.close()

    def _batch(self) -> int:
        return max(1, min(_BATCH, _ROWS // max(1, self._follower.subscriptions)))

    async def _step(self, reader: Consumer, positions: Positions, at_most: int) -> int:
        polled = list(await reader.poll(max_records=at_most, timeout_seconds=_POLL_SECONDS))
        records = await self._ready(polled)
        if records:
            moved = positions | next_positions(records)
            await self._follower.take(records, moved)
            positions.update(moved)
        return len(polled)

    async def _ready(self, polled: Sequence[LoggedRecord]) -> list[LoggedRecord]:
        """Return what can be taken now.

        Where a message's fate comes before the complaint it is about, and a filter asks about
        complaints, what is not of the complaints' topic is held for a moment.
        """
        complaints = [record for record in polled if record.topic == COMPLAINTS]
        others = self._held + [record for record in polled if record.topic != COMPLAINTS]
        now = asyncio.get_running_loop().time()
        if not self._held:
            self._held_since = now
        about = {record.key for record in complaints}
        unsure = [record for record in others if record.key not in about]
        waits = (
            self._follower.has_filters
            and now - self._held_since < _HELD_SECONDS
            and await self._follower.unknown(unsure)
        )
        self._held = others if waits else []
        return complaints if waits else complaints + others
