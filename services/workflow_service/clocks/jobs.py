"""The loop that lets time pass: sleeps at most a second, and asks the clock again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

Fire = Callable[[], Awaitable[int]]
"""Fires one batch of what is due, the oldest first; returns how many timers it dealt with."""

LONGEST_SLEEP_SECONDS = 1.0


class TimerLoop:
    """Fires batches one after another while they are full, then lets what is due gather.

    A transaction for each timer, as it comes due, would cost four times as much. Never sleeps
    towards a far due time: the clock may be moved meanwhile, and another replica or a new case may
    set a nearer one.
    """

    def __init__(self, fire: Fire, *, batch: int, sleep_seconds: float = 0.25) -> None:
        self._fire = fire
        self._batch = batch
        self._sleep_seconds = min(sleep_seconds, LONGEST_SLEEP_SECONDS)

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until told to stop; a batch that has begun is finished."""
        while not stopping.is_set():
            if await self._fire() >= self._batch:
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._sleep_seconds):
                    await stopping.wait()
