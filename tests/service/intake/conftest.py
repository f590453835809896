"""Intake as a whole: its app on a real database of each dialect, over a log in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI
from pydantic import JsonValue

from services.intake_service import app
from services.intake_service.app import Intake
from shared.bus.memory import MemoryLog
from shared.bus.port import LoggedRecord, Record, TopicPartition
from shared.events import topics
from shared.events.base import EventData
from shared.events.envelope import Envelope
from shared.http.client import ServiceClient
from shared.http.keys import KeyStore
from shared.kernel.clock import ManualClock
from shared.kernel.ids import new_id
from shared.kernel.settings import CommonSettings
from shared.kernel.vault import new_master_key
from shared.service import Platform
from tests.harness.databases import MakeMigratedUrl

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EXAMPLE: dict[str, Any] = {
    "channel": "web",
    "source": {"system": "shop-front", "id": "A-1029"},
    "customer": {
        "name": "王芳",
        "phone": "+86 138 0013 8000",
        "email": "wang@example.com",
        "crm_id": "C-77",
        "tier": "gold",
        "locale": "zh-CN",
    },
    "description": "周三收到的订单少了两件,客服一直推诿,再不处理我就打12315。",
    "occurred_at": "2026-11-18T18:30:00+08:00",
    "references": {"order": "20261118-443", "contract": None, "product": "SKU-88"},
    "place": {"region": "CN-31", "latitude": 31.23, "longitude": 121.47},
    "people": ["客服 037"],
    "demands": ["re_send", "apology"],
    "category": "logistics.short",
}


@dataclass
class Neighbours:
    """What workflow and notification answer the customer's page; `down`: nobody answers."""

    telling: dict[str, JsonValue] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)
    down: bool = False
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer as they would."""
        *_, what, of = request.url.path.split("/")
        self.asked.append(what)
        if self.down:
            raise httpx.ConnectError("nobody listens")
        if what == "telling" and of in self.telling:
            return httpx.Response(200, json=self.telling[of])
        if what == "zones":
            return httpx.Response(200, json={"timezone": self.zones.get(of)})
        return httpx.Response(404, json={"detail": "unknown"})

    def client(self) -> ServiceClient:
        """Return the way to them."""
        transport = httpx.MockTransport(self.answer)
        return ServiceClient("http://neighbour", "s", attempts=1, transport=transport)


@dataclass
class Running:
    """The service while it runs."""

    bus: MemoryLog
    clock: ManualClock
    client: httpx.AsyncClient
    parts: Intake
    keys: KeyStore
    app: FastAPI
    neighbours: Neighbours

    async def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        """Send JSON."""
        sent = {"Content-Type": "application/json", **headers}
        return await self.client.post(path, content=orjson.dumps(body), headers=sent)

    async def received(self, **changes: object) -> dict[str, Any]:
        """Post the example without its source, with some fields changed; return the answer."""
        body = {name: value for name, value in EXAMPLE.items() if name != "source"} | changes
        response = await self.post("/v1/complaints", body)
        assert response.status_code == 201, response.text
        found: dict[str, Any] = response.json()
        return found

    async def say(self, data: EventData, *, sequence: int) -> None:
        """Publish an event of another service."""
        envelope = Envelope(
            new_id(),
            data.source,
            type(data).__name__,
            1,
            self.clock.now(),
            data.subject,
            sequence,
        )
        value = data.model_dump_json().encode()
        producer = await self.bus.producer()
        await producer.publish([Record(data.topic, data.subject, value, envelope.to_headers())])

    async def events(self, complaint_id: str, *, count: int) -> Sequence[LoggedRecord]:
        """Wait until the log has so many records of a complaint, and return them."""
        async with asyncio.timeout(20):
            while len(found := await self._records(complaint_id)) < count:
                await asyncio.sleep(0.01)
        return found

    async def until_status(self, complaint_id: str, status: str) -> dict[str, Any]:
        """Wait until a complaint has a status, and return it."""
        async with asyncio.timeout(20):
            while True:
                found: dict[str, Any] = await self.get(f"/v1/complaints/{complaint_id}")
                if found["status"] == status:
                    return found
                await asyncio.sleep(0.01)

    async def get(self, path: str, **parameters: str) -> Any:
        """Ask, and expect an answer."""
        response = await self.client.get(path, params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    async def everything_stored(self, *tables: str) -> str:
        """Return every column of some tables as text, bytes as what they spell."""
        text = ""
        async with self.parts.messaging.database.read() as connection:
            for table in tables:
                for row in await connection.exec_driver_sql(f"SELECT * FROM {table}"):
                    text += "\n" + " ".join(map(_spelt, row))
        return text

    def openapi(self) -> dict[str, Any]:
        """Return the description of the interface."""
        return self.app.openapi()

    async def _records(self, complaint_id: str) -> list[LoggedRecord]:
        place = TopicPartition(topics.COMPLAINTS, topics.partition_of(complaint_id))
        reader = await self.bus.reader({place: 0})
        records = await reader.poll(max_records=1000, timeout_seconds=0.01)
        await reader.close()
        return [record for record in records if record.key == complaint_id]


def _spelt(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@asynccontextmanager
async def running(url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    """Run intake on a migrated database."""
    clock, bus = ManualClock(NOW), MemoryLog()
    platform = Platform(
        profile="embedded",
        settings=CommonSettings(
            home=home, intake_database_url=url, intake_master_key=new_master_key()
        ),
        home=home,
        clock=clock,
        bus=bus,
        keys=KeyStore(home / "keys.json"),
        replica="test-1",
    )
    await bus.start()
    await bus.ensure_topics()
    neighbours = Neighbours()
    monkeypatch.setattr(app, "service_client", lambda *_: neighbours.client())
    unit = app.build(platform)
    await unit.start()
    transport = httpx.ASGITransport(app=unit.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield Running(
            bus, clock, client, unit.app.state.intake, platform.keys, unit.app, neighbours
        )
    await unit.stop()
    await bus.stop()


@pytest.fixture
async def intake(
    migrated_url: MakeMigratedUrl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Running]:
    """Intake on each dialect in turn."""
    async with running(migrated_url("intake"), tmp_path, monkeypatch) as service:
        yield service


@pytest.fixture
async def embedded(
    migrated_sqlite_url: MakeMigratedUrl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Running]:
    """Intake on SQLite, for what no database has a say in."""
    async with running(migrated_sqlite_url("intake"), tmp_path, monkeypatch) as service:
        yield service
