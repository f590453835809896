"""Reading the log into one store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter

from prometheus_client import Counter, Gauge, Histogram

from services.analytics_service.projections.repository.serving import Serving
from services.analytics_service.projections.repository.store import ParkedEvent, Store
from services.analytics_service.projections.service.batch import Reactions
from services.analytics_service.projections.service.projector import Projector
from shared.bus.port import Bus, Consumer, TopicPartition
from shared.events.topics import PARTITIONS

_FOLDED = Counter("redress_analytics_folded_total", "Events folded into the facts")
_PARKED = Gauge("redress_analytics_parked", "Events that wait or cannot be folded")
_SECONDS = Histogram("redress_analytics_batch_seconds", "Time to fold and commit one batch")
_POLL_SECONDS = 0.5


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
        self._serving = serving
        self._store = store
        self._projector = Projector(store, source.reactions, source.now)
        self._consumer: Consumer | None = None

    async def open(self, topics: Sequence[str]) -> None:
        """Begin to read those topics, each partition from the store's position."""
        await self.close()
        known = self._store.positions()
        self._consumer = await self._bus.reader(
            {place: known.get(place, 0) for place in _partitions(topics)}
        )

    async def close(self) -> None:
        """Stop reading."""
        if self._consumer is not None:
            await self._consumer.close()
            self._consumer = None

    async def step(self) -> int:
        """Fold what has come, and return how many records that were."""
        if self._consumer is None:
            raise RuntimeError("open the feed first")
        records = await self._consumer.poll(
            max_records=self._batch_size, timeout_seconds=_POLL_SECONDS
        )
        if records:
            began = perf_counter()
            _FOLDED.inc(await self._serving.write(lambda: self._projector.fold(records)))
            _SECONDS.observe(perf_counter() - began)
            _PARKED.set(self._projector.parked_count)
        return len(records)

    async def catch_up(self, topics: Sequence[str]) -> int:
        """Fold up to the present end of those topics and return how many records that were."""
        ends = await self._ends(topics)
        await self.open(topics)
        count = 0
        while self._is_before(ends):
            count += await self.step()
        return count

    async def has_reached_end(self, topics: Sequence[str]) -> bool:
        """Tell whether everything in those topics is folded."""
        return not self._is_before(await self._ends(topics))

    async def lag_seconds(self) -> float:
        """Return about how old the oldest record not read yet is; 0 where there is none."""
        return 0.0 if self._consumer is None else await self._consumer.lag_seconds()

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

    def _is_before(self, ends: dict[TopicPartition, int]) -> bool:
        positions = self._store.positions()
        return any(positions.get(place, 0) < end for place, end in ends.items())


def _partitions(topics: Sequence[str]) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
