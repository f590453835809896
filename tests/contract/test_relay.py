"""From the outbox to the log: nothing lost, nothing reordered, whoever dies in between."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY

from shared.bus.memory import MemoryLog, MemoryProducer
from shared.bus.port import Record, Unpublished
from shared.events import topics
from shared.kernel import trace
from shared.kernel.clock import ManualClock, SystemClock
from shared.messaging import Messaging, Relay
from shared.messaging.tables import outbox
from tests.contract.messaging_kit import (
    Kit,
    eventually,
    open_kit,
    record_of,
    running,
    started,
)

sequences = sa.Table(
    "sequences",
    sa.MetaData(),
    sa.Column("complaint_id", sa.String(64), primary_key=True),
    sa.Column("sequence", sa.Integer),
)


class MoodyLog(MemoryLog):
    """A log whose producer fails when told, in ways that a broker does."""

    def __init__(self) -> None:
        super().__init__()
        self.take_only: int | None = None
        self.die_after_taking = False

    async def producer(self) -> MemoryProducer:
        return MoodyProducer(self)


class MoodyProducer(MemoryProducer):
    """Its producer."""

    def __init__(self, log: MoodyLog) -> None:
        super().__init__(log)
        self._moody = log

    async def publish(self, records: Sequence[Record]) -> None:
        if self._moody.take_only is not None:
            count, self._moody.take_only = self._moody.take_only, None
            await super().publish(records[:count])
            raise Unpublished(range(count), "the broker went away")
        await super().publish(records)
        if self._moody.die_after_taking:
            self._moody.die_after_taking = False
            raise asyncio.CancelledError


@pytest.fixture
def log() -> MoodyLog:
    return MoodyLog()


@pytest.fixture
async def kit(database_url: str, log: MoodyLog) -> AsyncIterator[Kit]:
    async with open_kit(database_url, log) as opened:
        yield opened


async def emit(kit: Kit, complaint_id: str, *numbers: int) -> None:
    async with kit.messaging.unit_of_work() as unit:
        for sequence in numbers:
            unit.emit(started(complaint_id), sequence=sequence)


async def published(kit: Kit) -> list[tuple[str, int]]:
    reader = await kit.bus.reader(dict.fromkeys(await kit.bus.end_positions(topics.COMPLAINTS), 0))
    records = await reader.poll(max_records=100_000, timeout_seconds=0)
    return [(record.key, int(dict(record.headers)["ce_sequence"])) for record in records]


async def relayed(kit: Kit) -> None:
    async def done() -> bool:
        return await kit.unpublished() == 0

    async with running(kit.relay().run):
        await eventually(done)


async def test_what_was_rolled_back_is_never_said(kit: Kit) -> None:
    async def fail_half_way() -> None:
        async with kit.messaging.unit_of_work() as unit:
            unit.emit(started("a"), sequence=1)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        await fail_half_way()
    await emit(kit, "b", 1)

    await relayed(kit)

    assert await published(kit) == [("b", 1)]


async def test_concurrent_writers_with_slow_transactions_lose_and_reorder_nothing(kit: Kit) -> None:
    async with kit.database.write() as connection:
        await connection.run_sync(sequences.create)
        await connection.execute(
            sequences.insert(), [{"complaint_id": f"c{n}", "sequence": 0} for n in range(8)]
        )
    chance = random.Random(7)

    async def write(complaint_id: str) -> None:
        for _ in range(5):
            async with kit.messaging.unit_of_work() as unit:
                raised = await unit.connection.execute(
                    sa.update(sequences)
                    .where(sequences.c.complaint_id == complaint_id)
                    .values(sequence=sequences.c.sequence + 1)
                    .returning(sequences.c.sequence)
                )
                unit.emit(started(complaint_id), sequence=raised.scalar_one())
                await unit.flush()
                # Ids are given before the commit: a slow one commits behind higher ids.
                await asyncio.sleep(chance.uniform(0, 0.02))

    async with running(kit.relay().run):
        await asyncio.gather(*(write(f"c{n % 8}") for n in range(16)))

        async def done() -> bool:
            return await kit.unpublished() == 0

        await eventually(done)

    said: dict[str, list[int]] = defaultdict(list)
    for complaint_id, sequence in await published(kit):
        said[complaint_id].append(sequence)
    assert said == {f"c{n}": list(range(1, 11)) for n in range(8)}


async def test_exactly_what_was_acknowledged_is_marked_and_the_rest_follows(
    kit: Kit, log: MoodyLog
) -> None:
    await emit(kit, "a", 1, 2, 3, 4)
    log.take_only = 3

    await relayed(kit)

    assert await published(kit) == [("a", 1), ("a", 2), ("a", 3), ("a", 4)]


async def test_a_relay_that_dies_between_publishing_and_marking_repeats_and_consumers_drop_it(
    kit: Kit, log: MoodyLog
) -> None:
    await emit(kit, "a", 1, 2)
    log.die_after_taking = True
    with pytest.raises(asyncio.CancelledError):
        await kit.relay().run(asyncio.Event())

    await relayed(kit)

    async def all_heard() -> bool:
        return len(await kit.heard()) >= 2

    async with running(kit.dispatcher().run):
        await eventually(all_heard)
    assert await published(kit) == [("a", 1), ("a", 2), ("a", 1), ("a", 2)]
    assert await kit.heard() == [("a", 1), ("a", 2)]


async def test_a_relay_that_was_overtaken_marks_nothing_and_gives_way(kit: Kit) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    class Stuck(MemoryProducer):
        async def publish(self, records: Sequence[Record]) -> None:
            reached.set()
            await go_on.wait()

    class StuckLog(MemoryLog):
        async def producer(self) -> MemoryProducer:
            return Stuck(self)

    clock = ManualClock(SystemClock().now())
    messaging = Messaging(database=kit.database, clock=clock)
    old = Relay(messaging=messaging, bus=StuckLog(), service="old")
    await emit(kit, "a", 1)
    stopping = asyncio.Event()
    task = asyncio.create_task(old.run(stopping))
    await reached.wait()
    # The new one takes over while the old one, its session cut, still believes that it leads.
    await kit.relay()._take_epoch()

    clock.advance(timedelta(seconds=90))
    go_on.set()
    if kit.database.dialect == "sqlite":
        await task
        assert oldest_age("old") == 0  # it has ended: its figure would grow for ever
    else:
        stopping.set()
        await task

    assert await kit.unpublished() == 1


async def test_a_second_relay_stands_by_while_the_first_leads(postgres_url: str) -> None:
    async with open_kit(postgres_url) as kit:
        first, second = kit.relay(), kit.relay()
        async with running(first.run, second.run):
            for number in range(1, 21):
                await emit(kit, "a", number)

            async def done() -> bool:
                return await kit.unpublished() == 0

            await eventually(done)

        assert await published(kit) == [("a", number) for number in range(1, 21)]


class HangingProducer(MemoryProducer):
    """Waits for a broker that does not answer, and gives up when told."""

    def __init__(self, log: HangingLog) -> None:
        super().__init__(log)
        self._hanging = log

    async def publish(self, records: Sequence[Record]) -> None:
        self._hanging.tries += 1
        self._hanging.reached.set()
        await asyncio.wait_for(self._hanging.give_up.wait(), 30)
        if self._hanging.is_away:
            raise Unpublished((), "no broker answers")
        await super().publish(records)


class HangingLog(MemoryLog):
    """A log that is away."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = True
        self.tries = 0
        self.reached = asyncio.Event()
        self.give_up = asyncio.Event()

    async def producer(self) -> MemoryProducer:
        return HangingProducer(self)


def oldest_age(service: str) -> float:
    """Return what is told of the oldest row that waits."""
    told = REGISTRY.get_sample_value("redress_outbox_oldest_age_seconds", {"service": service})
    assert told is not None
    return told


async def test_the_age_of_what_waits_grows_while_publishing_hangs_and_fails(kit: Kit) -> None:
    clock = ManualClock(SystemClock().now())
    messaging = Messaging(database=kit.database, clock=clock)
    log = HangingLog()
    await log.ensure_topics()
    relay = Relay(messaging=messaging, bus=log, service="waiting")
    async with messaging.unit_of_work() as unit:
        unit.emit(started("a"), sequence=1)

    async with running(relay.run):
        await asyncio.wait_for(log.reached.wait(), 10)
        clock.advance(timedelta(seconds=90))
        while_hanging = oldest_age("waiting")
        log.give_up.set()

        async def tried_again() -> bool:
            return log.tries > 1

        await eventually(tried_again)
        clock.advance(timedelta(seconds=90))
        while_failing = oldest_age("waiting")
        log.is_away = False

        async def said() -> bool:
            return await kit.unpublished() == 0

        await eventually(said)

        async def nothing_waits() -> bool:
            return oldest_age("waiting") == 0

        await eventually(nothing_waits)

    assert (while_hanging, while_failing) == (90, 180)


async def test_a_relay_that_stands_by_tells_how_long_the_leaders_rows_wait(
    postgres_url: str,
) -> None:
    async with open_kit(postgres_url) as kit:
        clock = ManualClock(SystemClock().now())
        messaging = Messaging(database=kit.database, clock=clock)
        log = HangingLog()
        await log.ensure_topics()
        leader = Relay(messaging=messaging, bus=log, service="leader")
        async with messaging.unit_of_work() as unit:
            unit.emit(started("a"), sequence=1)

        async with running(leader.run):
            await asyncio.wait_for(log.reached.wait(), 10)
            clock.advance(timedelta(seconds=90))
            async with running(Relay(messaging=messaging, bus=log, service="by").run):

                async def seen() -> bool:
                    return oldest_age("by") == 90

                await eventually(seen)
                log.is_away = False
                log.give_up.set()

                async def nothing_waits() -> bool:
                    return oldest_age("by") == oldest_age("leader") == 0

                await eventually(nothing_waits)


async def test_published_rows_are_purged_after_a_day(database_url: str) -> None:
    async with open_kit(database_url) as kit:
        clock = ManualClock(SystemClock().now() - timedelta(days=2))
        early = Messaging(database=kit.database, clock=clock)
        async with early.unit_of_work() as unit:
            unit.emit(started("old"), sequence=1)
        relay = Relay(messaging=early, bus=kit.bus, service="early")

        async def said() -> bool:
            return await kit.unpublished() == 0

        async with running(relay.run):
            await eventually(said)
        await emit(kit, "new", 1)

        async def purged() -> bool:
            async with kit.database.read() as connection:
                kept = await connection.scalars(sa.select(outbox.c.complaint_id))
                return list(kept) == ["new"]

        async with running(kit.relay().run):
            await eventually(purged)


async def test_ids_of_purged_rows_are_not_given_again(kit: Kit) -> None:
    await emit(kit, "a", 1, 2)
    async with kit.database.write() as connection:
        await connection.execute(sa.delete(outbox))

    await emit(kit, "a", 3)

    async with kit.database.read() as connection:
        assert await connection.scalar(sa.select(outbox.c.id)) == 3


async def test_a_sequence_cannot_be_said_twice(kit: Kit) -> None:
    await emit(kit, "a", 1)

    with pytest.raises(sa.exc.IntegrityError):
        await emit(kit, "a", 1)


async def test_what_is_said_belongs_to_the_trace_of_what_caused_it(kit: Kit) -> None:
    cause = trace.new()
    with trace.within(cause):
        event = record_of(started("a"), 1)
    kit.container.answer = True
    await kit.publish(event)

    async def answered() -> bool:
        return await kit.unpublished() == 1

    async with running(kit.dispatcher().run):
        await eventually(answered)

    async with kit.database.read() as connection:
        headers = await connection.scalar(sa.select(outbox.c.headers))
    assert f'["traceparent","{cause}"]' in str(headers)
