"""Loops of the service: other replicas' policies and calendars are taken in as they come."""

from __future__ import annotations

import asyncio
import contextlib

from services.workflow_service.cases.service.desk import Desk

LOOKED_EVERY_SECONDS = 1.0
"""Two counts of small tables: what a replica loaded rules everywhere within about a second."""


class RulesWatch:
    """Takes in policies and calendars that another replica has loaded."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until told to stop."""
        while not stopping.is_set():
            await self._desk.reload()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOKED_EVERY_SECONDS):
                    await stopping.wait()
