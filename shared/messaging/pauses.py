"""Pauses that end early when a loop is told to stop, and that do not fall in step with others."""

from __future__ import annotations

import asyncio
import contextlib
import random


def jittered(seconds: float) -> float:
    """Return between half of the pause and all of it, so that replicas do not retry together."""
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


_GATHERING = 1.5
"""From one batch to the next, in durations of a batch: a hop works two thirds of the time."""


class Pace:
    """Lets work gather under load: batches begin at most so often, and none waits after a lull.

    Every batch costs a transaction and its fsync however little is in it. At 100 complaints a
    second each hop would else handle them one by one and fill a core; a single one is handled at
    once. Where batches take long, because the machine is busy, the next one waits longer too, up
    to `at_most`: it becomes larger, and what there is to do becomes less.
    """

    def __init__(self, seconds: float = 0.03, *, at_most: float = 0.1) -> None:
        self._seconds = seconds
        self._at_most = max(seconds, at_most)
        self._began_at = 0.0
        self._ended_at: float | None = None

    def begin(self) -> None:
        """Note that a batch begins."""
        self._began_at = asyncio.get_running_loop().time()
        self._ended_at = None

    def end(self) -> None:
        """Note that a batch has ended, where something else is waited for before the rest."""
        self._ended_at = asyncio.get_running_loop().time()

    def is_overdue(self) -> bool:
        """Tell whether the batch under way takes so long that the next one will follow at once."""
        return asyncio.get_running_loop().time() - self._began_at >= self._at_most

    async def rest(self, stopping: asyncio.Event) -> None:
        """Wait until the next batch may begin."""
        now = asyncio.get_running_loop().time()
        took = (now if self._ended_at is None else self._ended_at) - self._began_at
        gathering = min(max(self._seconds, took * _GATHERING), self._at_most)
        left = self._began_at + gathering - now
        if left > 0:
            await pause_for(stopping, left)


async def pause_for(stopping: asyncio.Event, seconds: float) -> None:
    """Sleep, but not beyond `stopping`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
