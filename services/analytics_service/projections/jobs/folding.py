"""The loop that keeps the facts up to date, and the replay into a new file."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter

from services.analytics_service.projections.jobs.feed import Feed, Source
from services.analytics_service.projections.repository.files import Copy, remove
from services.analytics_service.projections.repository.serving import Serving
from services.analytics_service.projections.repository.store import ParkedEvent, Store
from shared.bus.port import TopicPartition
from shared.events.topics import COMPLAINTS
from shared.kernel import logging
from shared.kernel.errors import Conflict, Unavailable
from shared.messaging import metrics

log = logging.get(__name__)


class RebuildRunning(Conflict):
    """A rebuild is under way already."""

    code = "rebuild-running"
    title = "A rebuild is under way"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did."""

    events: int
    facts: int
    seconds: float


_MANY = 200
"""Events in one batch from which on an import, not people, is at work."""

_LONGEST_PAUSE_SECONDS = 0.5
_MEASURE_EVERY_SECONDS = 1.0
_BEHIND_SECONDS = 10.0
"""Age of an event that is not counted from which on readers should know of it."""


class Folding:
    """Keeps the served store up to date, and rebuilds it on demand."""

    def __init__(self, source: Source, serving: Serving, *, pause_seconds: float) -> None:
        self._source = source
        self._serving = serving
        self._pause_seconds = pause_seconds
        # Held while anything is written to the served store.
        self._step = asyncio.Lock()
        self._rebuilding = asyncio.Lock()
        self._feed: Feed | None = None
        self._hears_all = False
        self._heard_first: Mapping[TopicPartition, int] = {}
        self._measured_at = 0.0
        self.uncounted_since: datetime | None = None
        """The time from which on events are not in the figures yet; None where all recent are."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Fold until told to stop."""
        try:
            async with self._step:
                await self._start()
            while not stopping.is_set():
                async with self._step:
                    count = await self._advance()
                    await self._measure_now_and_then()
                # A few events cost as much as a thousand: let some gather, `as_of` stays young.
                if not self._current().is_behind:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stopping.wait(), self._pause_after(count))
        finally:
            async with self._step:
                if self._feed is not None:
                    await self._feed.close()
                    self._feed = None

    def _pause_after(self, count: int) -> float:
        """Let more gather the more are coming: a complaint that is new and changed is one row."""
        return min(
            self._pause_seconds * (1 + count / _MANY),
            max(_LONGEST_PAUSE_SECONDS, self._pause_seconds),
        )

    def parked(self) -> list[ParkedEvent]:
        """Return the records that wait or are broken."""
        return self._current().parked()

    async def retry(self, complaint: str) -> int:
        """Fold what waits for a complaint, as far as it goes; return how many records."""
        async with self._step:
            return await self._current().retry(complaint)

    async def drop(self, event: ParkedEvent) -> int:
        """Give a parked record up; return how many that waited behind it were folded."""
        async with self._step:
            return await self._current().drop(event)

    async def rebuild(self) -> Rebuilt:
        """Replay the whole log into a new file beside the served one, and swap it in.

        Raises RebuildRunning while another is under way. Answers go on being served meanwhile.
        """
        if self._rebuilding.locked():
            raise RebuildRunning("A rebuild is under way; its own answer says when it has ended.")
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

    async def copy(self) -> Copy | None:
        """Copy the file while nothing is folded; None where there is nothing worth it yet.

        Raises OSError. Questions are answered meanwhile.
        """
        async with self._step:
            if self._serving.store.count() == 0:
                return None
            return await self._serving.write(lambda: self._serving.copies.take(self._source.now()))

    async def _replay(self, store: Store) -> tuple[int, int]:
        feed = Feed(self._source, self._serving, store)
        try:
            # Complaints first: what notification says would have to wait for them.
            events = await feed.catch_up([COMPLAINTS])
            events += await feed.catch_up(self._source.topics)
            async with self._step:
                # The served store stands still now, so nothing it has is missing in the new one.
                events += await feed.catch_up(self._source.topics)
                facts = store.count()
                await feed.close()
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
        self._heard_first = await self._complaints_so_far()
        self._feed = Feed(self._source, self._serving, self._serving.store)
        await self._feed.open([COMPLAINTS])
        self._hears_all = False

    async def _advance(self) -> int:
        feed = self._current()
        if feed.store is not self._serving.store:
            # Its file was damaged, and somebody who asked for figures met that first.
            await self._start()
            feed = self._current()
        # Complaints first, so that after a long absence notifications need not wait for them.
        if not self._hears_all and feed.has_reached(self._heard_first):
            await feed.open(self._source.topics)
            self._hears_all = True
        return await feed.step()

    async def _measure_now_and_then(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._measured_at < _MEASURE_EVERY_SECONDS:
            return
        self._measured_at = now
        lag = await self._current().lag_seconds()
        metrics.LAG.labels("analytics").set(lag)
        behind = lag > _BEHIND_SECONDS
        self.uncounted_since = self._source.now() - timedelta(seconds=lag) if behind else None

    async def _complaints_so_far(self) -> Mapping[TopicPartition, int]:
        """Return where the complaints' topic ends now.

        Starts over where the log is shorter than the store remembers: it is another log.
        """
        ends = {topic: await self._source.bus.end_positions(topic) for topic in self._source.topics}
        positions = self._serving.store.positions()
        for topic, found in ends.items():
            if any(positions.get(place, 0) > end for place, end in found.items()):
                log.warning("analytics.log_is_shorter", topic=topic)
                self._serving.start_over()
                break
        return ends[COMPLAINTS]

    def _current(self) -> Feed:
        if self._feed is None:
            raise Unavailable("The folding of events is not running at the moment.")
        return self._feed
