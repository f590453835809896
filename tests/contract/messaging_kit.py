"""What the messaging tests share: a little service that writes down what it hears."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace

import sqlalchemy as sa
import structlog

from shared.bus.memory import MemoryLog
from shared.bus.port import Bus, Record
from shared.db.database import Database
from shared.db.migrate import MESSAGING, upgrade
from shared.events import topics
from shared.events.base import EventData, Source
from shared.events.cases import CustomerContacted, InvestigationStarted, Resolved
from shared.events.signals import HotspotDetected
from shared.kernel.clock import SystemClock
from shared.messaging import (
    DeadLetters,
    Dispatcher,
    Incoming,
    Messaging,
    Relay,
    Subscriptions,
    UnitOfWork,
    outbox_row,
)
from shared.messaging.subscriptions import Foresee
from shared.messaging.tables import outbox, sequence_marks

Heard = tuple[str, int]
"""Subject and sequence."""


def started(complaint_id: str) -> InvestigationStarted:
    """Make an event that the little service handles."""
    return InvestigationStarted(complaint_id=complaint_id, number="N", state="open", version=1)


def contacted(complaint_id: str) -> CustomerContacted:
    """Make an event of another type that it handles."""
    return CustomerContacted(complaint_id=complaint_id, number="N", state="open", version=1)


def resolved(complaint_id: str) -> Resolved:
    """Make an event that it ignores."""
    return Resolved(
        complaint_id=complaint_id, number="N", state="x", version=1, outcome="solved", words_id="w"
    )


def detected(hotspot: str) -> HotspotDetected:
    """Make a signal that it handles."""
    now = SystemClock().now()
    return HotspotDetected(
        hotspot=hotspot, category="logistics.short", count=9, usual=1.5, since=now, until=now
    )


def record_of(data: EventData, sequence: int) -> Record:
    """Make the record that the relay would publish."""
    from shared.bus.headers import unpack

    row = outbox_row(data, sequence=sequence, at=SystemClock().now())
    return Record(row.topic, row.key, row.value, unpack(row.headers))


def changed(record: Record, **headers: bytes | None) -> Record:
    """Return the record with headers replaced, or removed where None."""
    kept = [(name, value) for name, value in record.headers if name not in headers]
    new = [(name, value) for name, value in headers.items() if value is not None]
    return Record(record.topic, record.key, record.value, tuple(kept + new))


@dataclass
class Container:
    """The little service's container: what it heard, and what it shall fail at."""

    heard: list[Heard] = field(default_factory=list)
    calls: list[list[Heard]] = field(default_factory=list)
    fail_at: dict[Heard, Exception] = field(default_factory=dict)
    answer: bool = False


async def hear(
    container: Container, unit: UnitOfWork, events: Sequence[Incoming[EventData]]
) -> None:
    """Write down what was said, in the same transaction, where the test can read it."""
    heard = [(event.data.subject, event.envelope.sequence) for event in events]
    for one in heard:
        if one in container.fail_at:
            raise container.fail_at[one]
    rows = [{"complaint_id": complaint, "sequence": sequence} for complaint, sequence in heard]
    await unit.connection.execute(heard_table.insert(), rows)
    container.calls.append(heard)
    if container.answer:
        for event in events:
            unit.emit(contacted(event.data.subject), sequence=event.envelope.sequence)


kit_metadata = sa.MetaData()
heard_table = sa.Table(
    "heard",
    kit_metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("complaint_id", sa.String(64)),
    sa.Column("sequence", sa.Integer),
)

SUBSCRIPTIONS: Subscriptions[Container] = Subscriptions(
    topics=(topics.COMPLAINTS, topics.SIGNALS),
    group="redress-listener",
    handlers={InvestigationStarted: hear, CustomerContacted: hear, HotspotDetected: hear},
)


@dataclass
class Kit:
    """One database, one log, and the parts of messaging around them."""

    database: Database
    bus: Bus
    container: Container
    messaging: Messaging

    def relay(self) -> Relay:
        """Make a relay."""
        return Relay(messaging=self.messaging, bus=self.bus, service="listener")

    def dispatcher(
        self, *, own: Source | None = None, foresee: Foresee[Container] | None = None
    ) -> Dispatcher[Container]:
        """Make a dispatcher; of a service that says the events of source `own`, if given."""
        return Dispatcher(
            messaging=self.messaging,
            bus=self.bus,
            subscriptions=replace(SUBSCRIPTIONS, own=own, foresee=foresee),
            container=self.container,
            member="listener-1",
        )

    @property
    def letters(self) -> DeadLetters[Container]:
        """What could not be handled."""
        return DeadLetters(
            messaging=self.messaging, subscriptions=SUBSCRIPTIONS, container=self.container
        )

    async def publish(self, *records: Record) -> None:
        """Put records on the log."""
        producer = await self.bus.producer()
        await producer.publish(records)
        await producer.close()

    async def heard(self) -> list[Heard]:
        """Return what was taken in and committed, in order."""
        query = sa.select(heard_table.c.complaint_id, heard_table.c.sequence)
        async with self.database.read() as connection:
            rows = (await connection.execute(query.order_by(heard_table.c.id))).all()
        return [(complaint, sequence) for complaint, sequence in rows]

    async def mark(self, complaint_id: str) -> int:
        """Return the high-water mark of a complaint."""
        query = sa.select(sequence_marks.c.sequence)
        async with self.database.read() as connection:
            found = await connection.scalar(
                query.where(sequence_marks.c.complaint_id == complaint_id)
            )
        return found or 0

    async def unpublished(self) -> int:
        """Count the rows that wait for the relay."""
        query = sa.select(sa.func.count()).where(outbox.c.published_at.is_(None))
        async with self.database.read() as connection:
            return await connection.scalar(query) or 0


@asynccontextmanager
async def open_kit(url: str, bus: Bus | None = None) -> AsyncIterator[Kit]:
    """Open a migrated database with the little service's table, and a log."""
    database = Database.open(url)
    await upgrade(database, [MESSAGING])
    async with database.write() as connection:
        await connection.run_sync(kit_metadata.create_all)
    log = bus or MemoryLog()
    await log.start()
    await log.ensure_topics()
    clock = SystemClock()
    try:
        with _quiet():
            yield Kit(database, log, Container(), Messaging(database=database, clock=clock))
    finally:
        await log.stop()
        await database.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Log nothing: structlog's renderer for developers takes a second to draw a traceback."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


@asynccontextmanager
async def running(*loops: Callable[[asyncio.Event], Awaitable[None]]) -> AsyncIterator[None]:
    """Run loops while the enclosed block runs."""
    stopping = asyncio.Event()
    tasks = [asyncio.ensure_future(loop(stopping)) for loop in loops]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.gather(*tasks)


async def eventually(condition: Callable[[], Awaitable[bool]], *, seconds: float = 30) -> None:
    """Wait until a condition holds; fails after `seconds`."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.005)
