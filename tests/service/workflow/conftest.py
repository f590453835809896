"""Workflow as it is built, on a real database, without its loops: tests move clock and events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from services.workflow_service.app import build
from services.workflow_service.cases.service.desk import Desk
from services.workflow_service.cases.service.timing import fire_due_timers
from services.workflow_service.handlers import SUBSCRIPTIONS
from shared.bus.headers import unpack
from shared.bus.memory import MemoryLog
from shared.bus.port import LoggedRecord
from shared.events.base import EventData
from shared.events.complaints import ComplaintReceived
from shared.events.deliveries import NotificationSent
from shared.events.envelope import Envelope
from shared.events.registry import decode
from shared.http.keys import KeyStore
from shared.kernel.clock import ManualClock
from shared.kernel.ids import new_id, new_number
from shared.kernel.settings import CommonSettings
from shared.kernel.vault import new_master_key
from shared.messaging import Incoming, outbox
from shared.service import Platform
from tests.harness.complaints import received
from tests.harness.databases import MakeMigratedUrl

START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""Monday noon in Shanghai."""

Json = dict[str, Any]


@dataclass
class Workflow:
    """The service under test, and what its neighbours would do to it."""

    http: httpx.AsyncClient
    internal: httpx.AsyncClient
    desk: Desk
    clock: ManualClock
    keys: KeyStore

    async def hear(self, *events: EventData, sequence: int = 1) -> None:
        """Hand events of one type to their handler, as the dispatcher does."""
        handler = SUBSCRIPTIONS.handlers[type(events[0])]
        async with self.desk.messaging.unit_of_work() as uow:
            batch = [_incoming(event, self.clock.now(), sequence) for event in events]
            await handler(self.desk, uow, batch)

    def foresee(self, *events: EventData) -> None:
        """Tell the service of events whose turn comes later, as the dispatcher does."""
        assert SUBSCRIPTIONS.foresee is not None
        records = [_incoming(event, self.clock.now(), 1).record for event in events]
        SUBSCRIPTIONS.foresee(self.desk, records)

    async def open(self, **changes: object) -> str:
        """Open a case for a complaint that comes in now; returns its id."""
        received = complaint(self.clock.now(), **changes)
        await self.hear(received)
        return received.complaint_id

    async def said(self, case_id: str) -> list[tuple[int, EventData]]:
        """Return what was said about a case: (sequence, event)."""
        statement = (
            select(outbox.c.sequence, outbox.c.headers, outbox.c.value)
            .where(outbox.c.complaint_id == case_id)
            .order_by(outbox.c.id)
        )
        async with self.desk.database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [
            (row.sequence, decode(Envelope.from_headers(unpack(row.headers)), bytes(row.value)))
            for row in rows
        ]

    async def names(self, case_id: str) -> list[str]:
        """Return the types of what was said about a case."""
        return [type(event).__name__ for _, event in await self.said(case_id)]

    async def case(self, case_id: str) -> Json:
        """Look at a case."""
        answer = await self.http.get(f"/v1/cases/{case_id}")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def act(self, case_id: str, action: str, **body: object) -> Json:
        """Act on a case."""
        answer = await self.http.post(f"/v1/cases/{case_id}/{action}", json=body)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def pass_time(self, by: timedelta) -> None:
        """Move the clock and fire what is due."""
        self.clock.advance(by)
        while await fire_due_timers(self.desk):
            pass

    async def acknowledge(self, case_id: str) -> None:
        """Say that the customer got the receipt."""
        await self.hear(
            NotificationSent(
                complaint_id=case_id,
                number="7K3F-9Q2M-X",
                notification_id=new_id(),
                kind="acknowledgement",
                occurrence=1,
                audience="customer",
                channel="sms",
            )
        )


def complaint(received_at: datetime, **changes: object) -> ComplaintReceived:
    """Return a complaint."""
    own: Json = {"number": new_number(), "customer_id": new_id(), **changes}
    return received(own.pop("complaint_id", new_id()), received_at, **own)


def complaints(count: int, received_at: datetime, **changes: object) -> Sequence[ComplaintReceived]:
    """Return many complaints."""
    return [complaint(received_at, **changes) for _ in range(count)]


@pytest.fixture
async def workflow(tmp_path: Path, migrated_url: MakeMigratedUrl) -> AsyncIterator[Workflow]:
    """Workflow on SQLite and on PostgreSQL."""
    async with running(tmp_path, migrated_url("workflow"), ManualClock(START)) as workflow:
        yield workflow


@asynccontextmanager
async def running(tmp_path: Path, url: str, clock: ManualClock) -> AsyncIterator[Workflow]:
    """Build one replica of the service, with connections of its own, on a database."""
    settings = CommonSettings(
        home=tmp_path, workflow_database_url=url, workflow_master_key=new_master_key()
    )
    keys = KeyStore(settings.keys_path)
    platform = Platform(
        profile="embedded",
        settings=settings,
        home=tmp_path,
        clock=clock,
        bus=MemoryLog(),
        keys=keys,
        replica="workflow-1",
    )
    unit = build(platform)
    transport = httpx.ASGITransport(app=unit.app)
    base = "http://127.0.0.1:8000"
    bearer = {"Authorization": f"Bearer {keys.service_credential}"}
    try:
        for hook in unit.opening:
            await hook()
        async with (
            httpx.AsyncClient(transport=transport, base_url=base) as http,
            httpx.AsyncClient(transport=transport, base_url=base, headers=bearer) as internal,
        ):
            yield Workflow(http, internal, unit.app.state.desk, clock, keys)
    finally:
        # Also where it may not start: what is left open would be complained of in another test.
        for hook in reversed(unit.closing):
            await hook()


def _incoming(event: EventData, now: datetime, sequence: int) -> Incoming[EventData]:
    envelope = Envelope(
        id=new_id(),
        source=event.source.value,
        type=type(event).__name__,
        version=1,
        time=now,
        subject=event.subject,
        sequence=sequence,
    )
    value = event.model_dump_json().encode()
    headers = envelope.to_headers()
    record = LoggedRecord(event.topic, 0, 0, 0, event.subject, value, headers)
    return Incoming(envelope, event, record)
