"""Says in the log when Kafka goes away and when it is back, once per outage.

Neither a relay nor a consumer can tell: aiokafka waits and tries again by itself, for minutes,
and what waits with it does not hear why.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from shared.kernel import logging

log = logging.get(__name__)

_EVERY_SECONDS = 5.0
_PATIENCE_SECONDS = 5.0

Ask = Callable[[], Awaitable[None]]
"""Returns where a broker answers; raises KafkaError, OSError or TimeoutError where none does."""


class KafkaWatch:
    """Knows whether Kafka is away, and tells of each change."""

    def __init__(self, bootstrap: str, ask: Ask | None = None) -> None:
        self._bootstrap = bootstrap
        self._ask = ask or (lambda: _ask(bootstrap))
        self._away_since: float | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Look now and again until `stopping`; a loop for the Supervisor, one for each process."""
        while not stopping.is_set():
            await self.look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _EVERY_SECONDS)

    async def look(self) -> None:
        """Look once."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._ask()
        except TimeoutError:
            self._is_away(f"no answer within {_PATIENCE_SECONDS:g} s")
        except (KafkaError, OSError) as failure:
            self._is_away(str(failure))
        else:
            self._is_there()

    def _is_away(self, reason: str) -> None:
        if self._away_since is None:
            self._away_since = asyncio.get_running_loop().time()
            log.warning("kafka.away", address=self._bootstrap, reason=reason)

    def _is_there(self) -> None:
        if self._away_since is not None:
            seconds = asyncio.get_running_loop().time() - self._away_since
            self._away_since = None
            log.info("kafka.back", address=self._bootstrap, away_seconds=round(seconds))


async def _ask(bootstrap: str) -> None:
    # A connection of its own: one that stands may lead to a broker that only lags behind.
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    try:
        await client.bootstrap()
    finally:
        await client.close()
