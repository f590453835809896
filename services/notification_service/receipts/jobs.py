"""The loop that lets receipts have their effect, and that gives up waiting for some."""

from __future__ import annotations

import asyncio
import contextlib

from services.notification_service.receipts.service import ReceiptDesk

_IDLE_SECONDS = 1.0


class ReceiptClerk:
    """Applies what the desk keeps. `wake` tells it that something came in this process."""

    def __init__(self, desk: ReceiptDesk) -> None:
        self._desk = desk
        self._wanted = asyncio.Event()

    def wake(self) -> None:
        """Look at once."""
        self._wanted.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Apply receipts until told to stop."""
        while not stopping.is_set():
            self._wanted.clear()
            if not await self._desk.work():
                await self._wait(stopping)

    async def _wait(self, stopping: asyncio.Event) -> None:
        waits = [asyncio.create_task(self._wanted.wait()), asyncio.create_task(stopping.wait())]
        await asyncio.wait(waits, timeout=_IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await wait
