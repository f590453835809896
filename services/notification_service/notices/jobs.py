"""The loop that watches over the proof of mandatory notices."""

from __future__ import annotations

import asyncio
import contextlib

from services.notification_service.notices.service import Notices

_PAUSE_SECONDS = 15.0


class NoticeWatch:
    """Looks for notices without proof every now and then."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    async def run(self, stopping: asyncio.Event) -> None:
        """Watch until told to stop."""
        while not stopping.is_set():
            while await self._notices.watch():
                pass
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _PAUSE_SECONDS)
