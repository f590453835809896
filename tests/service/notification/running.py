"""The whole service as it runs, with its neighbours on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
import uvicorn

from services.notification_service.app import build
from shared.bus.headers import unpack
from shared.bus.memory import MemoryLog
from shared.bus.port import Bus, Record
from shared.events import topics
from shared.events.base import EventData
from shared.events.envelope import Envelope
from shared.http.keys import KeyStore
from shared.kernel.clock import SystemClock
from shared.kernel.settings import CommonSettings
from shared.kernel.vault import new_master_key
from shared.messaging import outbox_row
from shared.service import Platform, ServiceUnit
from tests.harness.databases import MakeMigratedUrl
from tests.service.notification.conftest import START, Neighbours, opened, received

PATIENCE_SECONDS = 10
A = TypeVar("A")


@dataclass
class Running:
    """The service as it runs, whom it asks and what it hears."""

    unit: ServiceUnit
    platform: Platform
    bus: Bus
    neighbours: Neighbours
    http: httpx.AsyncClient

    async def publish(self, *events: EventData, sequence: int = 1) -> None:
        """Put the first event of each source into the log, or a later one."""
        rows = [outbox_row(event, sequence=sequence, at=START) for event in events]
        producer = await self.bus.producer()
        await producer.publish(
            [Record(row.topic, row.key, row.value, unpack(row.headers)) for row in rows]
        )

    async def acknowledge(self, **contact: str) -> str:
        """Have a case opened and wait until the customer is told; returns the complaint's id."""
        complaint = received()
        self.neighbours.contacts[complaint.complaint_id] = {
            "complaint_id": complaint.complaint_id,
            "number": complaint.number,
            "name": "王芳",
            "description": "订单少了两件",
            "tracking_url": "http://127.0.0.1:8000/track/abc",
            **contact,
        }
        await self.publish(complaint, opened(complaint))
        asked = {"complaint_id": complaint.complaint_id, "state": "sent"}

        async def sent() -> bool:
            answer = await self.http.get("/v1/notifications", params=asked)
            return bool(answer.json()["items"])

        await eventually(sent)
        return complaint.complaint_id

    async def said(self) -> Sequence[tuple[str, str]]:
        """Types and complaints of what was published about deliveries."""
        places = await self.bus.end_positions(topics.NOTIFICATIONS)
        reader = await self.bus.reader(dict.fromkeys(places, 0))
        records = await reader.poll(max_records=100, timeout_seconds=0.1)
        await reader.close()
        envelopes = [Envelope.from_headers(record.headers) for record in records]
        return [(envelope.type, envelope.subject) for envelope in envelopes]


async def eventually(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await is_so():
            await asyncio.sleep(0.02)


@pytest.fixture
async def neighbours() -> AsyncIterator[tuple[Neighbours, str]]:
    """Intake and workflow on one address."""
    told = Neighbours()
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    config = uvicorn.Config(told.app(), log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    yield told, f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    await serving
    bound.close()


@pytest.fixture
async def running(
    neighbours: tuple[Neighbours, str], migrated_url: MakeMigratedUrl, tmp_path: Path
) -> AsyncIterator[Running]:
    """The service with all its loops, on each dialect."""
    bus = MemoryLog()
    await bus.ensure_topics()
    async with running_over(bus, neighbours, migrated_url("notification"), tmp_path) as opened_:
        yield opened_
    await bus.stop()


@asynccontextmanager
async def running_over(
    bus: Bus, neighbours: tuple[Neighbours, str], database_url: str, folder: Path
) -> AsyncIterator[Running]:
    """Run the service with all its loops over a log that has its topics."""
    told, url = neighbours
    home = folder / "home"
    platform = Platform(
        profile="embedded",
        settings=CommonSettings(
            home=home,
            intake_url=url,
            workflow_url=url,
            notification_database_url=database_url,
            notification_master_key=new_master_key(),
        ),
        home=home,
        clock=SystemClock(),
        bus=bus,
        keys=KeyStore(home / "keys.json"),
        replica="notification-1",
    )
    unit = build(platform)
    await unit.start()
    transport = httpx.ASGITransport(unit.app)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
            yield Running(unit, platform, bus, told, http)
    finally:
        await unit.stop()
