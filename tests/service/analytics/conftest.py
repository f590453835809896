"""Analytics as a whole: its app over a log in memory and a real DuckDB file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.analytics_service.app import Analytics, build
from services.analytics_service.handlers import TOPICS
from shared.bus.memory import MemoryLog
from shared.bus.port import LoggedRecord, Record
from shared.http.keys import KeyStore
from shared.kernel.clock import ManualClock
from shared.kernel.settings import CommonSettings
from shared.service import Platform
from tests.service.analytics.story import Log

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class Running:
    """The service while it runs."""

    bus: MemoryLog
    client: httpx.AsyncClient
    parts: Analytics
    clock: ManualClock

    async def hear(self, log: Log | Sequence[LoggedRecord]) -> None:
        """Publish records and wait until they are folded in."""
        records = log.records if isinstance(log, Log) else log
        producer = await self.bus.producer()
        await producer.publish([Record(r.topic, r.key, r.value, r.headers) for r in records])
        await self.caught_up()

    async def caught_up(self) -> None:
        """Wait until the store stands at the end of the log."""
        deadline = asyncio.get_running_loop().time() + 20
        while not await self._stands_at_end():
            assert asyncio.get_running_loop().time() < deadline, "the store does not catch up"
            await asyncio.sleep(0.01)

    async def _stands_at_end(self) -> bool:
        positions = self.parts.serving.store.positions()
        for topic in TOPICS:
            ends = await self.bus.end_positions(topic)
            if any(positions.get(place, 0) != end for place, end in ends.items()):
                return False
        return True

    async def get(self, path: str, **parameters: Any) -> Any:
        """Ask, and expect an answer."""
        response = await self.client.get(f"/v1/analytics/{path}", params=parameters)
        assert response.status_code == 200, response.text
        return response.json()


@asynccontextmanager
async def serving(
    home: Path, bus: MemoryLog, *, file: Path | None = None
) -> AsyncIterator[Running]:
    """Run the service on a home, with its figures in a file of their own where one is named."""
    settings = CommonSettings(home=home, analytics_file=file)
    clock = ManualClock(NOW)
    platform = Platform(
        "embedded", settings, home, clock, bus, KeyStore(home / "keys.json"), "analytics-1"
    )
    unit = build(platform)
    await unit.start()
    transport = httpx.ASGITransport(app=unit.app)
    try:
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8000"
        ) as client:
            yield Running(bus, client, unit.app.state.analytics, clock)
    finally:
        await unit.stop()


@pytest.fixture
async def bus() -> AsyncIterator[MemoryLog]:
    log = MemoryLog()
    await log.ensure_topics()
    yield log
    await log.stop()


@pytest.fixture
async def analytics(tmp_path: Path, bus: MemoryLog) -> AsyncIterator[Running]:
    async with serving(tmp_path, bus) as running:
        yield running
