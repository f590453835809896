"""Reading the log into one store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter

from prometheus_client import Counter, Gauge, Histogram

from services.analytics_service.projections.repository.serving import Serving
from services.analytics_service.projections.repository.store import ParkedEvent, Store
from services.analytics_service.projections.service.batch import Reactions
from services.analytics_service.projections.service.projector import Projector
from shared.bus.port import Bus, Consumer, LoggedRecord, TopicPartition
from shared.events.topics import PARTITIONS

_FOLDED = Counter("redress_analytics_folded_total", "Events folded into the facts")
_PARKED = Gauge("redress_analytics_parked", "Events that wait or cannot be folded")
_SECONDS = Histogram("redress_analytics_batch_seconds", "Time to fold and commit one batch")
_POLL_SECONDS = 0.5
_BEHIND_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Source:
    """Where facts come from: the log, what its events do, how many of them at once."""

    bus: Bus
    topics: tuple[str, ...]
    reactions: Reactions
    now: Callable[[], datetime]
    batch_size: int


class Feed:
    """Reads the log from where a store stands, and folds it in batch by batch.

    It reads all partitions by itself, without a group: every analytics process has all the facts.
    """

    def __init__(
        self,
        source: Source,
        serving: Serving,
        store: Store,
    ) -> None:
        self._bus = source.bus
        self._batch_size = source.batch_size
        self._now = source.now
        self._serving = serving
        self.store = store
        self._projector = Projector(store, source.reactions, source.now)
        self._consumer: Consumer | None = None
        self._ahead: Sequence[LoggedRecord] = ()
        self.is_behind = False
        """Whether the last step left work in the log that nobody needs to wait for."""

    async def open(self, topics: Sequence[str]) -> None:
        """Begin to read those topics, each partition from the store's position."""
        await self.close()
        known = self.store.positions()
        self._consumer = await self._bus.reader(
            {place: known.get(place, 0) for place in _partitions(topics)}
        )

    async def close(self) -> None:
        """Stop reading; what was read ahead is read again, for the store's positions say so."""
        self._ahead = ()
        if self._consumer is not None:
            await self._consumer.close()
            self._consumer = None

    async def step(self) -> int:
        """Fold what has come, and return how many records that were.

        Where much has come, the next is read meanwhile: Kafka and the commit take turns else. The
        position in the store is of what is folded, never of what is read.
        """
        if self._consumer is None:
            raise RuntimeError("open the feed first")
        records = self._ahead or await self._poll(self._consumer, self._batch_size)
        self._ahead = ()
        self.is_behind = await self._has_more(self._consumer, len(records))
        if records:
            began = perf_counter()
            _FOLDED.inc(await self._fold(self._consumer, records))
            _SECONDS.observe(perf_counter() - began)
            _PARKED.set(self._projector.parked_count)
        return len(records)

    async def _poll(self, consumer: Consumer, at_most: int) -> Sequence[LoggedRecord]:
        return await consumer.poll(max_records=at_most, timeout_seconds=_POLL_SECONDS)

    async def _has_more(self, consumer: Consumer, count: int) -> bool:
        # Kafka gives a backlog in small portions too.
        return count >= self._batch_size // 2 or await consumer.lag_seconds() > _BEHIND_SECONDS

    async def _fold(self, consumer: Consumer, records: Sequence[LoggedRecord]) -> int:
        loop, begun = asyncio.get_running_loop(), asyncio.Event()

        def fold() -> int:
            loop.call_soon_threadsafe(begun.set)
            return self._projector.fold(records)

        folding = asyncio.ensure_future(self._serving.write(fold))
        if not self.is_behind:
            return await folding
        reading = asyncio.ensure_future(self._read_on(consumer, folding, begun))
        try:
            folded = await folding
            self._ahead = await reading
        except BaseException:
            # What was read beyond the failure must not be folded before it.
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await self.close()
            raise
        return folded

    async def _read_on(
        self, consumer: Consumer, folding: asyncio.Future[int], begun: asyncio.Event
    ) -> Sequence[LoggedRecord]:
        """Read while a batch is folded: several portions where they come in time."""
        # A portion of five thousand keeps the loop busy for 25 ms: the thread must have begun.
        await begun.wait()
        ahead: list[LoggedRecord] = []
        while len(ahead) < self._batch_size:
            found = await self._poll(consumer, self._batch_size - len(ahead))
            ahead += found
            if not found or folding.done():
                break
        return ahead

    async def lag_seconds(self) -> float:
        """Return how old the oldest event is that is not folded yet, 0 where there is none."""
        lag = await self._consumer.lag_seconds() if self._consumer else 0.0
        if self._ahead:
            oldest = min(record.timestamp_ms for record in self._ahead) / 1000
            lag = max(lag, self._now().timestamp() - oldest)
        return lag

    async def catch_up(self, topics: Sequence[str]) -> int:
        """Fold up to the present end of those topics and return how many records that were."""
        ends = await self._ends(topics)
        await self.open(topics)
        count = 0
        while not self.has_reached(ends):
            count += await self.step()
        return count

    def has_reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Tell whether everything before those positions is folded."""
        positions = self.store.positions()
        return all(positions.get(place, 0) >= end for place, end in ends.items())

    def parked(self) -> list[ParkedEvent]:
        """Return the records that wait or are broken."""
        return self._projector.parked()

    async def retry(self, complaint: str) -> int:
        """Fold what waits for a complaint, as far as it goes."""
        return await self._serving.write(lambda: self._projector.retry(complaint))

    async def drop(self, event: ParkedEvent) -> int:
        """Give a parked record up, and fold what waited behind it."""
        return await self._serving.write(lambda: self._projector.drop(event))

    async def _ends(self, topics: Sequence[str]) -> dict[TopicPartition, int]:
        ends: dict[TopicPartition, int] = {}
        for topic in topics:
            ends.update(await self._bus.end_positions(topic))
        return ends


def _partitions(topics: Sequence[str]) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
