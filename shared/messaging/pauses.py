"""Pauses that end early when a loop is told to stop, and that do not fall in step with others."""

from __future__ import annotations

import asyncio
import contextlib
import random


def jittered(seconds: float) -> float:
    """Return between half of the pause and all of it, so that replicas do not retry together."""
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


class Pace:
    """Lets work gather under load: batches begin at most so often, and none waits after a lull.

    Every batch costs a transaction and its fsync however little is in it. At 100 complaints a
    second each hop would else handle them one by one and fill a core; a single one is handled at
    once.
    """

    def __init__(self, seconds: float = 0.03) -> None:
        self._seconds = seconds
        self._began_at = 0.0

    def begin(self) -> None:
        """Note that a batch begins."""
        self._began_at = asyncio.get_running_loop().time()

    async def rest(self, stopping: asyncio.Event) -> None:
        """Wait until the next batch may begin."""
        left = self._began_at + self._seconds - asyncio.get_running_loop().time()
        if left > 0:
            await pause_for(stopping, left)


async def pause_for(stopping: asyncio.Event, seconds: float) -> None:
    """Sleep, but not beyond `stopping`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
