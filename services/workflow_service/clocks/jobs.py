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

    def __init__(
        self, fire: Fire, *, batch: int, lanes: int = 1, sleep_seconds: float = 0.25
    ) -> None:
        """`lanes` batches are fired at once while much is due: `fire` shares out what is due.

        While the database works on one of them the processor decides on the other.
        """
        self._fire = fire
        self._batch = batch
        self._lanes = lanes
        self._sleep_seconds = min(sleep_seconds, LONGEST_SLEEP_SECONDS)

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until told to stop; a batch that has begun is finished."""
        while not stopping.is_set():
            if await self._fire() >= self._batch:
                await self._rush(stopping)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._sleep_seconds):
                    await stopping.wait()

    async def _rush(self, stopping: asyncio.Event) -> None:
        """Fire until no batch is full; where one fails the others are finished first."""
        ended = await asyncio.gather(
            *(self._fire_full(stopping) for _ in range(self._lanes)), return_exceptions=True
        )
        for failure in ended:
            if failure is not None:
                raise failure

    async def _fire_full(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set() and await self._fire() >= self._batch:
            pass
