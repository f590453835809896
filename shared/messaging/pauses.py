"""Pauses that end early when a loop is told to stop, and that do not fall in step with others."""

from __future__ import annotations

import asyncio
import contextlib
import random


def jittered(seconds: float) -> float:
    """Return between half of the pause and all of it, so that replicas do not retry together."""
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


async def pause_for(stopping: asyncio.Event, seconds: float) -> None:
    """Sleep, but not beyond `stopping`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
