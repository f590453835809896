"""Background loops of intake's own."""

from __future__ import annotations

import asyncio
import contextlib

from shared.http import idempotency
from shared.messaging import Messaging

_PURGE_EVERY_SECONDS = 600.0


class IdempotencyPurge:
    """Deletes Idempotency-Keys that are older than promised."""

    def __init__(self, messaging: Messaging) -> None:
        self._messaging = messaging

    async def run(self, stopping: asyncio.Event) -> None:
        """Purge now and then until `stopping`; a loop for the Supervisor."""
        while not stopping.is_set():
            await idempotency.purge(self._messaging.database, self._messaging.clock.now())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _PURGE_EVERY_SECONDS)
