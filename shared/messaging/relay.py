"""The relay: brings the outbox to the log. One leads per database; the others stand by.

It reads unpublished rows in order of id and marks exactly those that the log has. Reading behind
a cursor would lose rows whose transactions commit late; several relays would reorder (rule 2).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.headers import PackedHeaders
from shared.bus.port import Bus, Producer, Record, Unpublished
from shared.db.database import Database
from shared.db.insert import insert_into
from shared.db.types import utc_text
from shared.kernel import logging
from shared.messaging import metrics
from shared.messaging.leadership import leadership
from shared.messaging.pauses import Pace, jittered, pause_for
from shared.messaging.tables import outbox, relay_epochs
from shared.messaging.unit_of_work import Messaging

log = logging.get(__name__)

BATCH = 1000
_BUSY_SECONDS = 0.02
_IDLE_SECONDS = 0.5
_FAILING_SECONDS = 5.0
_STANDBY_SECONDS = 1.0
_PURGE_EVERY = timedelta(minutes=10)
_KEEP_PUBLISHED = timedelta(days=1)
_PURGE_ROWS = 1000
_ADVISORY_LOCK = 0x4E1A7
_NAME = "outbox"

_UNPUBLISHED = (
    sa.select(
        outbox.c.id, outbox.c.topic, outbox.c.key, outbox.c.headers, outbox.c.value,
        outbox.c.created_at,
    )
    .where(outbox.c.published_at.is_(None))
    .order_by(outbox.c.id)
    .limit(BATCH)
)  # fmt: skip

# The lock on the epoch makes a relay that takes over wait for this statement, or this one for it.
_MARK_POSTGRESQL = """
WITH mine AS (
    SELECT 1 FROM relay_epochs WHERE name = $3::varchar AND epoch = $4::bigint FOR SHARE
)
UPDATE outbox SET published_at = $1
WHERE id = ANY($2::bigint[]) AND EXISTS (SELECT 1 FROM mine)
"""

_MARK_SQLITE = """
UPDATE outbox SET published_at = ? WHERE id IN (SELECT value FROM json_each(?))
AND EXISTS (SELECT 1 FROM relay_epochs WHERE name = ? AND epoch = ?)
"""

# Not min(created_at): that reads every unpublished row, of which there are many when it matters.
_OLDEST = (
    sa.select(outbox.c.created_at)
    .where(outbox.c.published_at.is_(None))
    .order_by(outbox.c.id)
    .limit(1)
)

UnpublishedRow = sa.Row[int, str, str, str, bytes, datetime]


async def oldest_unpublished(database: Database) -> datetime | None:
    """Return since when the outbox waits for the log, None where nothing in it does."""
    async with database.read() as connection:
        since: datetime | None = await connection.scalar(_OLDEST)
        return since


class Deposed(Exception):
    """Another relay has taken over; this one must not go on."""


class Relay:
    """Publishes one database's outbox for as long as it leads."""

    def __init__(self, *, messaging: Messaging, bus: Bus, service: str) -> None:
        self._messaging = messaging
        self._database = messaging.database
        self._clock = messaging.clock
        self._bus = bus
        self._service = service
        self._epoch = 0
        self._next_purge: datetime | None = None
        self._age = metrics.OutboxAge(service, self._clock)

    async def run(self, stopping: asyncio.Event) -> None:
        """Lead when possible and publish until `stopping`; a loop for the Supervisor."""
        while not stopping.is_set():
            async with leadership(self._database, _ADVISORY_LOCK) as (leads, session):
                if not leads:
                    await self._look_on(session)
                    await pause_for(stopping, _STANDBY_SECONDS)
                    continue
                try:
                    await self._lead(session, stopping)
                except Deposed:
                    self._age.oldest_at = None  # what waits is another's now
                    log.warning("relay.deposed", service=self._service, epoch=self._epoch)
                    if session is None:
                        return  # SQLite has no lock to wait for: the newer relay stays

    async def _lead(self, session: AsyncConnection | None, stopping: asyncio.Event) -> None:
        self._epoch = await self._take_epoch()
        metrics.RELAY_EPOCH.labels(self._service).set(self._epoch)
        log.info("relay.leading", service=self._service, epoch=self._epoch)
        producer = await self._bus.producer()
        pause = _BUSY_SECONDS
        pace = Pace()
        try:
            while not stopping.is_set():
                pace.begin()
                try:
                    published = await self._publish_batch(session, producer)
                except Unpublished as failure:
                    log.warning("relay.unpublished", service=self._service, reason=str(failure))
                    pause = min(pause * 2, _FAILING_SECONDS)
                    await pause_for(stopping, jittered(pause))
                    continue
                pace.end()
                if published == BATCH:
                    continue
                pause = _BUSY_SECONDS if published else min(pause * 2, _IDLE_SECONDS)
                await self._purge_now_and_then()
                await self._wait(stopping, pause)
                if published:
                    await pace.rest(stopping)
        finally:
            await producer.close()

    async def _look_on(self, session: AsyncConnection | None) -> None:
        """Learn how far the relay that leads has come: it may hang, and be the last to say so."""
        if session is not None:
            self._age.oldest_at = await session.scalar(_OLDEST)

    async def _publish_batch(self, session: AsyncConnection | None, producer: Producer) -> int:
        """Publish the oldest rows and mark them; returns how many. Raises Deposed, Unpublished."""
        rows = await self._unpublished(session)
        self._age.oldest_at = rows[0].created_at if rows else None
        if not rows:
            return 0
        records = [
            Record(topic, key, value, PackedHeaders(headers))
            for _, topic, key, headers, value, _ in rows
        ]
        try:
            await producer.publish(records)
        except Unpublished as failure:
            await self._mark(session, [rows[index].id for index in failure.acknowledged])
            raise
        await self._mark(session, [row.id for row in rows])
        if len(rows) < BATCH:
            self._age.oldest_at = None
        return len(rows)

    async def _unpublished(self, session: AsyncConnection | None) -> Sequence[UnpublishedRow]:
        """Read on the session that holds the lock: with the lock lost, this fails."""
        if session is None:
            async with self._database.read() as connection:
                return (await connection.execute(_UNPUBLISHED)).all()
        return (await session.execute(_UNPUBLISHED)).all()

    async def _mark(self, session: AsyncConnection | None, ids: Sequence[int]) -> None:
        """Mark rows as published, if this relay still leads; raises Deposed if not."""
        if not ids:
            return
        now = self._clock.now()
        if session is None:
            async with self._database.write() as connection:
                await _mark_on_sqlite(connection, ids, now, epoch=self._epoch)
        else:
            await _mark_on_postgresql(session, ids, now, epoch=self._epoch)
        metrics.PUBLISHED.labels(self._service).inc(len(ids))

    async def _take_epoch(self) -> int:
        now = self._clock.now()
        statement = (
            insert_into(relay_epochs, self._database.dialect)
            .values(name=_NAME, epoch=1, taken_at=now)
            .on_conflict_do_update(
                index_elements=[relay_epochs.c.name],
                set_={"epoch": relay_epochs.c.epoch + 1, "taken_at": now},
            )
            .returning(relay_epochs.c.epoch)
        )
        async with self._database.write() as connection:
            epoch: int = (await connection.execute(statement)).scalar_one()
            return epoch

    async def _purge_now_and_then(self) -> None:
        now = self._clock.now()
        if self._next_purge is not None and now < self._next_purge:
            return
        old = (
            sa.select(outbox.c.id)
            .where(outbox.c.published_at < now - _KEEP_PUBLISHED)
            .limit(_PURGE_ROWS)
        )
        async with self._database.write() as connection:
            gone = await connection.execute(sa.delete(outbox).where(outbox.c.id.in_(old)))
        # A full batch means there is more: come back soon, but let business in between.
        self._next_purge = now + (_PURGE_EVERY if gone.rowcount < _PURGE_ROWS else timedelta())

    async def _wait(self, stopping: asyncio.Event, seconds: float) -> None:
        wanted = asyncio.ensure_future(self._messaging.relay_wanted(timeout_seconds=seconds))
        ended = asyncio.ensure_future(stopping.wait())
        try:
            await asyncio.wait({wanted, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (wanted, ended):
                task.cancel()
            await asyncio.gather(wanted, ended, return_exceptions=True)


async def _mark_on_sqlite(
    connection: AsyncConnection, ids: Sequence[int], now: datetime, *, epoch: int
) -> None:
    marked = await connection.exec_driver_sql(
        _MARK_SQLITE, (utc_text(now), orjson.dumps(list(ids)).decode(), _NAME, epoch)
    )
    if not marked.rowcount:
        raise Deposed


async def _mark_on_postgresql(
    session: AsyncConnection, ids: Sequence[int], now: datetime, *, epoch: int
) -> None:
    """Mark in one statement that nobody can take the lead within."""
    marked = await session.exec_driver_sql(_MARK_POSTGRESQL, (now, list(ids), _NAME, epoch))
    if not marked.rowcount:
        raise Deposed
