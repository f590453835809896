"""The loop that keeps the facts up to date, and the replay into a new file."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

from prometheus_client import Counter, Gauge, Histogram

from services.analytics_service.projections.repository.serving import Serving, remove
from services.analytics_service.projections.repository.store import Store
from services.analytics_service.projections.service import Projector, Reactions
from shared.bus.port import Bus, Consumer, TopicPartition
from shared.events.topics import COMPLAINTS, PARTITIONS
from shared.kernel import logging
from shared.kernel.clock import Clock
from shared.kernel.errors import Conflict

log = logging.get(__name__)

_FOLDED = Counter("redress_analytics_folded_total", "Events folded into the facts")
_PARKED = Gauge("redress_analytics_parked", "Events that wait or cannot be folded")
_SECONDS = Histogram("redress_analytics_batch_seconds", "Time to fold and commit one batch")
_POLL_SECONDS = 0.5


class RebuildRunning(Conflict):
    """A rebuild is under way already."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did."""

    events: int
    facts: int
    seconds: float


class Feed:
    """Reads the log from where a store stands, and folds it in batch by batch.

    It reads all partitions by itself, without a group: every analytics process has all the facts.
    """

    def __init__(
        self, bus: Bus, serving: Serving, store: Store, reactions: Reactions, batch_size: int
    ) -> None:
        self._bus = bus
        self._serving = serving
        self._store = store
        self._projector = Projector(store, reactions)
        self._batch_size = batch_size
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
        ends: dict[TopicPartition, int] = {}
        for topic in topics:
            ends.update(await self._bus.end_positions(topic))
        await self.open(topics)
        count = 0
        while any(self._store.positions().get(place, 0) < end for place, end in ends.items()):
            count += await self.step()
        return count


class Folding:
    """Keeps the served store up to date, and rebuilds it on demand."""

    def __init__(
        self,
        *,
        bus: Bus,
        serving: Serving,
        reactions: Reactions,
        topics: Sequence[str],
        clock: Clock,
        batch_size: int,
        pause_seconds: float,
    ) -> None:
        self._bus = bus
        self._serving = serving
        self._reactions = reactions
        self._topics = tuple(topics)
        self._clock = clock
        self._batch_size = batch_size
        self._pause_seconds = pause_seconds
        self._step = asyncio.Lock()
        self._rebuilding = asyncio.Lock()
        self._feed: Feed | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Fold until told to stop."""
        try:
            async with self._step:
                await self._start()
            while not stopping.is_set():
                async with self._step:
                    count = await self._current().step()
                # A few events cost as much as a thousand: let some gather, `as_of` stays young.
                if count < self._batch_size // 2:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stopping.wait(), self._pause_seconds)
        finally:
            if self._feed is not None:
                await self._feed.close()

    async def rebuild(self) -> Rebuilt:
        """Replay the whole log into a new file beside the served one, and swap it in.

        Raises RebuildRunning while another is under way. Answers go on being served meanwhile.
        """
        if self._rebuilding.locked():
            raise RebuildRunning("a rebuild is under way; its answer says when it has ended")
        async with self._rebuilding:
            began = perf_counter()
            beside = self._serving.path.with_name(self._serving.path.name + ".rebuild")
            remove(beside)
            store = self._serving.open_file(beside)
            try:
                events, facts = await self._replay(store)
            except BaseException:
                store.close()
                remove(beside)
                raise
            return Rebuilt(events, facts, round(perf_counter() - began, 3))

    async def _replay(self, store: Store) -> tuple[int, int]:
        feed = self._feed_of(store)
        try:
            # Complaints first: what notification says would have to wait for them.
            events = await feed.catch_up([COMPLAINTS])
            events += await feed.catch_up(self._topics)
            async with self._step:
                # The served store stands still now, so nothing it has is missing in the new one.
                events += await feed.catch_up(self._topics)
                await feed.close()
                facts = store.count()
                store.close()
                await asyncio.to_thread(self._serving.swap, store.path)
                if self._feed is not None:
                    await self._start()
        finally:
            await feed.close()
        return events, facts

    async def _start(self) -> None:
        if self._feed is not None:
            await self._feed.close()
        await self._set_aside_foreign()
        self._feed = self._feed_of(self._serving.store)
        await self._feed.open(self._topics)

    async def _set_aside_foreign(self) -> None:
        """Start over where the log is shorter than the store remembers: it is another log."""
        positions = self._serving.store.positions()
        for topic in self._topics:
            ends: Mapping[TopicPartition, int] = await self._bus.end_positions(topic)
            if any(positions.get(place, 0) > end for place, end in ends.items()):
                log.warning("analytics.log_is_shorter", topic=topic)
                self._serving.start_over(self._clock.now())
                return

    def _feed_of(self, store: Store) -> Feed:
        return Feed(self._bus, self._serving, store, self._reactions, self._batch_size)

    def _current(self) -> Feed:
        assert self._feed is not None
        return self._feed


def _partitions(topics: Sequence[str]) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
