"""A backlog is folded without pauses, however small the portions in which the log gives it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from services.analytics_service.handlers import REACTIONS
from services.analytics_service.projections.jobs.feed import Source
from services.analytics_service.projections.jobs.folding import Folding
from services.analytics_service.projections.repository.serving import Serving
from shared.bus.memory import MemoryLog
from shared.bus.port import Bus, Consumer, LoggedRecord, Record, TopicPartition
from shared.events.topics import COMPLAINTS
from tests.service.analytics.conftest import NOW
from tests.service.analytics.story import tell_many

PORTION = 20


class Portions:
    """A reader as Kafka's is: never more than a portion, and it knows that it is behind."""

    def __init__(self, reader: Consumer) -> None:
        self._reader = reader
        self._behind = True

    async def poll(self, *, max_records: int, timeout_seconds: float) -> Sequence[LoggedRecord]:
        found = await self._reader.poll(
            max_records=min(PORTION, max_records), timeout_seconds=timeout_seconds
        )
        self._behind = bool(found)
        return found

    async def commit(self, positions: Mapping[TopicPartition, int]) -> None:
        await self._reader.commit(positions)

    def assignment(self) -> frozenset[TopicPartition]:
        return self._reader.assignment()

    async def lag_seconds(self) -> float:
        return 60.0 if self._behind else 0.0

    async def close(self) -> None:
        await self._reader.close()


class PortionedLog:
    """A log whose readers give portions; all else is the log's own."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    async def reader(self, positions: Mapping[TopicPartition, int]) -> Consumer:
        return Portions(await self._log.reader(positions))

    async def end_positions(self, topic: str) -> Mapping[TopicPartition, int]:
        return await self._log.end_positions(topic)


async def test_a_backlog_in_small_portions_is_folded_without_pauses(tmp_path: Path) -> None:
    log = MemoryLog()
    await log.start()
    await log.ensure_topics()
    told = [r for r in tell_many(40).records if r.topic == COMPLAINTS]
    producer = await log.producer()
    await producer.publish([Record(r.topic, r.key, r.value, r.headers) for r in told])
    serving = Serving(tmp_path / "a.duckdb", memory_mb=96, threads=1, readers=1)
    serving.open(NOW)
    source = Source(
        cast("Bus", PortionedLog(log)), (COMPLAINTS,), REACTIONS, lambda: NOW, batch_size=5000
    )
    folding = Folding(source, serving, pause_seconds=3600)
    stopping = asyncio.Event()

    running = asyncio.create_task(folding.run(stopping))
    async with asyncio.timeout(30):
        while not await _all_folded(serving, log):
            await asyncio.sleep(0.01)
    stopping.set()
    await running

    assert len(told) > 2 * PORTION
    assert serving.store.count() == 40
    serving.close()


async def _all_folded(serving: Serving, log: MemoryLog) -> bool:
    ends = await log.end_positions(COMPLAINTS)
    known = serving.store.positions()
    return all(known.get(place, 0) >= end for place, end in ends.items())
