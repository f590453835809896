"""A backlog is folded without pauses, and the next is read while the last is folded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from services.analytics_service.handlers import REACTIONS
from services.analytics_service.projections.domain import folding
from services.analytics_service.projections.domain.facts import Fact
from services.analytics_service.projections.jobs.feed import Source
from services.analytics_service.projections.jobs.folding import Folding
from services.analytics_service.projections.repository.serving import Serving
from services.analytics_service.projections.repository.store import Store
from services.analytics_service.projections.service.projector import Projector
from shared.bus.memory import MemoryLog
from shared.bus.port import Bus, Consumer, LoggedRecord, Record, TopicPartition
from shared.events import cases
from shared.events.base import EventData
from shared.events.topics import COMPLAINTS
from shared.kernel.clock import ManualClock
from tests.service.analytics.conftest import NOW
from tests.service.analytics.story import tell_many

PORTION = 20
WAITED = timedelta(seconds=60)
"""How long the backlog has waited."""


class Portions:
    """A reader as Kafka's is: never more than a portion, and it knows that it is behind."""

    def __init__(self, reader: Consumer, polled: list[int]) -> None:
        self._reader = reader
        self._polled = polled
        self._behind = True

    async def poll(self, *, max_records: int, timeout_seconds: float) -> Sequence[LoggedRecord]:
        found = await self._reader.poll(
            max_records=min(PORTION, max_records), timeout_seconds=timeout_seconds
        )
        self._behind = bool(found)
        self._polled.append(len(found))
        return found

    async def commit(self, positions: Mapping[TopicPartition, int]) -> None:
        await self._reader.commit(positions)

    def assignment(self) -> frozenset[TopicPartition]:
        return self._reader.assignment()

    async def lag_seconds(self) -> float:
        return WAITED.total_seconds() if self._behind else 0.0

    async def close(self) -> None:
        await self._reader.close()


class PortionedLog:
    """A log whose readers give portions; all else is the log's own."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self.polled: list[int] = []

    async def reader(self, positions: Mapping[TopicPartition, int]) -> Consumer:
        return Portions(await self._log.reader(positions), self.polled)

    async def end_positions(self, topic: str) -> Mapping[TopicPartition, int]:
        return await self._log.end_positions(topic)


@dataclass
class Backlog:
    """Forty complaints in a log that nobody has read yet, and a store to fold them into."""

    log: MemoryLog
    portions: PortionedLog
    serving: Serving
    told: Sequence[LoggedRecord]

    def folding(self, reactions: Mapping[type[EventData], Any] = REACTIONS) -> Folding:
        bus = cast("Bus", self.portions)
        source = Source(bus, (COMPLAINTS,), reactions, lambda: NOW, batch_size=5000)
        return Folding(source, self.serving, pause_seconds=3600)

    async def fold(self, folding: Folding) -> None:
        stopping = asyncio.Event()
        running = asyncio.create_task(folding.run(stopping))
        async with asyncio.timeout(30):
            while not await self._all_folded() and not running.done():
                await asyncio.sleep(0.01)
        stopping.set()
        await running

    async def _all_folded(self) -> bool:
        ends = await self.log.end_positions(COMPLAINTS)
        known = self.serving.store.positions()
        return all(known.get(place, 0) >= end for place, end in ends.items())


@pytest.fixture
async def backlog(tmp_path: Path) -> AsyncIterator[Backlog]:
    log = MemoryLog(clock=ManualClock(NOW - WAITED))
    await log.start()
    await log.ensure_topics()
    told = [r for r in tell_many(40).records if r.topic == COMPLAINTS]
    producer = await log.producer()
    await producer.publish([Record(r.topic, r.key, r.value, r.headers) for r in told])
    serving = Serving(tmp_path / "a.duckdb", lambda: NOW, memory_mb=96, threads=1, readers=1)
    serving.open()
    yield Backlog(log, PortionedLog(log), serving, told)
    serving.close()


async def test_a_backlog_in_small_portions_is_folded_without_pauses(backlog: Backlog) -> None:
    assert len(backlog.told) > 2 * PORTION

    await backlog.fold(backlog.folding())

    assert backlog.serving.store.count() == 40


async def test_the_next_is_read_while_the_last_is_folded(backlog: Backlog) -> None:
    read_on: list[bool] = []

    def opened(fact: Fact, data: cases.CaseOpened, at: datetime) -> None:
        # Were it read only after this batch, there would be no second poll to wait for.
        if not read_on:
            read_on.append(_until(lambda: len(backlog.portions.polled) > 1))
        folding.opened(fact, data, at)

    await backlog.fold(backlog.folding({**REACTIONS, cases.CaseOpened: opened}))

    assert read_on == [True]
    assert backlog.serving.store.count() == 40


async def test_it_tells_from_when_on_events_are_missing_until_all_are_in(
    backlog: Backlog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "services.analytics_service.projections.jobs.folding._MEASURE_EVERY_SECONDS", 0
    )
    told: set[datetime | None] = set()

    def resolved(fact: Fact, data: cases.Resolved, at: datetime) -> None:
        told.add(busy.uncounted_since)
        folding.resolved(fact, data, at)

    busy = backlog.folding({**REACTIONS, cases.Resolved: resolved})
    await backlog.fold(busy)

    assert NOW - WAITED in told
    assert busy.uncounted_since is None


async def test_what_was_read_ahead_of_a_failure_is_folded_after_it_and_once(
    backlog: Backlog, tmp_path: Path
) -> None:
    failures = 0

    def resolved(fact: Fact, data: cases.Resolved, at: datetime) -> None:
        nonlocal failures
        if not failures and _until(lambda: len(backlog.portions.polled) > 2):
            failures += 1
            raise RuntimeError("the power is gone")
        folding.resolved(fact, data, at)

    restless = backlog.folding({**REACTIONS, cases.Resolved: resolved})
    with pytest.raises(RuntimeError):
        await backlog.fold(restless)
    standing = sum(backlog.serving.store.positions().values())
    await backlog.fold(restless)

    assert standing < sum(backlog.portions.polled[:3])
    at_once = Store(tmp_path / "b.duckdb", memory_mb=96, threads=1)
    Projector(at_once, REACTIONS, lambda: NOW).fold(backlog.told)
    assert _content(backlog.serving.store) == _content(at_once)
    at_once.close()


def _until(come_true: Callable[[], bool]) -> bool:
    """Wait in the folding thread, at most ten seconds."""
    given_up = threading.Event()
    for _ in range(1000):
        if come_true():
            return True
        given_up.wait(0.01)
    return False


def _content(store: Store) -> list[object]:
    cursor = store.cursor()
    facts = cursor.execute("FROM facts ORDER BY complaint_id").fetchall()
    return [facts, cursor.execute("FROM stage_changes ORDER BY ALL").fetchall(), store.positions()]
