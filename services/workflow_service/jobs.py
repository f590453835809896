"""Loops of the service: other replicas' policies and calendars are taken in as they come."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta

from services.workflow_service.cases.service.desk import Desk

LOOKED_EVERY_SECONDS = 1.0
"""Two counts of small tables: what a replica loaded rules everywhere within about a second."""

MEASURED_EVERY = timedelta(hours=6)
"""How often it is said how long the calendars' days are announced."""


class RulesWatch:
    """Takes in policies and calendars that another replica has loaded."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until told to stop."""
        measured_at: datetime | None = None
        while not stopping.is_set():
            await self._desk.reload()
            now = self._desk.clock.now()
            if measured_at is None or abs(now - measured_at) >= MEASURED_EVERY:
                self._desk.calendars.watch()
                measured_at = now
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOKED_EVERY_SECONDS):
                    await stopping.wait()
