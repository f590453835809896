"""Keeps a copy of the facts, so that a file that breaks costs the log of a day, not of years."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta

from prometheus_client import Gauge

from services.analytics_service.projections.jobs.folding import Folding
from services.analytics_service.projections.repository.files import Copies
from shared.kernel import logging

log = logging.get(__name__)

_COPIED = Gauge(
    "redress_analytics_copy_timestamp_seconds", "When the copy of the facts was taken, 0 without"
)
_LOOK_SECONDS = 600.0
"""Between two looks, and before the first: a start has other things to do."""


class Copying:
    """Takes a copy where the newest is older than `every`."""

    def __init__(
        self, folding: Folding, copies: Copies, now: Callable[[], datetime], *, every: timedelta
    ) -> None:
        self._folding = folding
        self._copies = copies
        self._now = now
        self._every = every

    async def run(self, stopping: asyncio.Event) -> None:
        """Look every ten minutes until told to stop."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _LOOK_SECONDS)
            if stopping.is_set():
                return
            await self.look()

    async def look(self) -> None:
        """Take a copy if it is time; one that cannot be taken is tried again at the next look."""
        newest = next(iter(await asyncio.to_thread(self._copies.newest_first)), None)
        # A clock that went back would keep a copy from the future for as long.
        if newest is None or abs(self._now() - newest.taken_at) >= self._every:
            try:
                newest = await self._folding.copy() or newest
            except OSError as failure:
                log.warning("analytics.copy_failed", reason=str(failure))
        _COPIED.set(newest.taken_at.timestamp() if newest else 0)
