"""Notification with everything real but the other services, whose answers are told here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI
from pydantic import JsonValue

from services.notification_service.gateways.service import Gateways, open_gateways
from services.notification_service.messages.domain.home import Home
from services.notification_service.messages.domain.judging import Manners
from services.notification_service.messages.domain.routing import RoutingTable
from services.notification_service.messages.jobs import Sender, SenderTools
from services.notification_service.messages.repository.routing import packaged_table
from services.notification_service.messages.service.bundling import Digests, Doubles
from services.notification_service.messages.service.judging import Judge
from services.notification_service.messages.service.planning import Planner
from services.notification_service.messages.service.preparing import Preparer
from services.notification_service.preferences.domain.choices import QuietHours
from services.notification_service.recipients.service import Directory
from services.notification_service.settings import NotificationSettings
from services.notification_service.surveys.service import Links
from services.notification_service.templates.service import Templates
from services.notification_service.templates.service.mail_html import MailPage
from services.notification_service.templates.service.speaking import Wordings
from shared.db.database import Database
from shared.events.base import ComplaintEvent, EventData
from shared.events.cases import CaseOpened, ClockDue
from shared.events.complaints import ComplaintReceived, ComplaintRegraded
from shared.http.client import ServiceClient
from shared.kernel.clock import ManualClock
from shared.kernel.ids import new_id, new_number
from shared.kernel.vault import Vault
from shared.messaging import Messaging
from tests.harness.databases import MakeMigratedUrl

JsonObject = dict[str, JsonValue]
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@dataclass
class Neighbours:
    """What intake and workflow would answer, and how late; `down` makes them answer 503."""

    contacts: dict[str, JsonObject] = field(default_factory=dict)
    words: dict[str, JsonObject] = field(default_factory=dict)
    people: list[JsonObject] = field(default_factory=list)
    tracked: dict[str, str] = field(default_factory=dict)
    down: bool = False
    late_seconds: float = 0

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/v1/internal/intake/contacts")
        async def contacts(asked: dict[str, list[str]]) -> JsonObject:
            ids = asked["complaint_ids"]
            return {"items": [self.contacts[one] for one in ids if one in self.contacts]}

        @app.post("/v1/internal/workflow/words")
        async def words(asked: dict[str, list[str]]) -> JsonObject:
            return {"items": [self.words[one] for one in asked["ids"] if one in self.words]}

        @app.post("/v1/internal/intake/tracked")
        async def tracked(asked: dict[str, str]) -> JsonObject:
            return {"customer_id": self.tracked.get(asked["token"])}

        @app.get("/v1/internal/workflow/people")
        async def people() -> JsonObject:
            return {"items": list(self.people)}

        return app

    def client(self) -> ServiceClient:
        inner = httpx.ASGITransport(app=self.app())
        return ServiceClient("http://neighbour", "s", attempts=1, transport=_Door(self, inner))


class _Door(httpx.AsyncBaseTransport):
    def __init__(self, neighbours: Neighbours, inner: httpx.ASGITransport) -> None:
        self._neighbours = neighbours
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self._neighbours.late_seconds)
        if self._neighbours.down:
            return httpx.Response(503)
        return await self._inner.handle_async_request(request)


MANNERS = Manners(
    zone=ZoneInfo("Asia/Shanghai"),
    quiet_hours=QuietHours.model_validate({"from": "22:00", "to": "08:00"}),
    per_hour=4,
    per_day=12,
)


@dataclass
class Notification:
    """The service's parts, driven by hand: `hear` events, `deliver` what is queued."""

    database: Database
    messaging: Messaging
    clock: ManualClock
    vault: Vault
    neighbours: Neighbours
    home: Path
    settings: NotificationSettings = field(default_factory=NotificationSettings)
    replica: str = "notification-1"
    routing: RoutingTable = field(default_factory=packaged_table)
    manners: Manners = MANNERS
    digest_every: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        self.use(open_gateways(self.settings, self.home))

    @property
    def links(self) -> Links:
        """Makes the links of messages."""
        here = "http://127.0.0.1:8000"
        return Links(self.vault, here, here, dashboard_url=here, zone=ZoneInfo("Asia/Shanghai"))

    def use(self, gateways: Gateways) -> None:
        """Begin anew with these gateways, as after a restart."""
        self.gateways = gateways
        client = self.neighbours.client()
        self.directory = Directory(intake=client, workflow=client, clock=self.clock)
        templates = Templates(zone=ZoneInfo("Asia/Shanghai"), company="Redress")
        preparer = Preparer(
            directory=self.directory,
            templates=Wordings(templates, database=self.database, clock=self.clock),
            routing=self.routing,
            home=Home("zh-CN", "+86"),
            links=self.links.of,
        )
        judge = Judge(self.database, routing=self.routing, manners=self.manners)
        self.sender = Sender(
            SenderTools(
                self.messaging,
                judge,
                preparer,
                gateways,
                self.vault,
                self.replica,
                doubles=Doubles(self.database, vault=self.vault, routing=self.routing),
                digests=Digests(page=MailPage("Redress"), base_url="http://127.0.0.1:8000"),
                longest_pause=timedelta(seconds=self.settings.message_longest_retry_seconds),
            )
        )
        self.planner = Planner(
            vault=self.vault,
            routing=self.routing,
            wake=self.sender.wake,
            digest_every=self.digest_every,
            rooms={name: room.kinds for name, room in gateways.rooms.items()},
        )

    async def hear(self, *events: EventData) -> None:
        """Handle events one by one, each in its transaction."""
        for event in events:
            async with self.messaging.unit_of_work() as work:
                if isinstance(event, ComplaintReceived):
                    await self.planner.remember(work, [event])
                elif isinstance(event, ComplaintRegraded):
                    await self.planner.regrade(work, [event])
                else:
                    await self.planner.plan(work, [event])

    async def deliver(self) -> None:
        """Send until nothing is due any more, and write the results."""
        while await self.sender.send_batch():
            await self.sender.drain()
            await self.sender.settle_gathered()

    def files(self) -> Sequence[Path]:
        """The messages that were written, oldest first."""
        return sorted((self.home / "outbox").glob("*"))

    def knows(self, event: ComplaintEvent, **contact: JsonValue) -> None:
        """Let intake know a complaint's customer."""
        given: JsonObject = {
            "complaint_id": event.complaint_id,
            "number": event.number,
            "name": "王芳",
            "locale": "zh-CN",
            "description": "周三收到的订单少了两件，客服一直推诿。",
            "tracking_url": "http://127.0.0.1:8000/track/abc",
        }
        self.neighbours.contacts[event.complaint_id] = given | contact


@pytest.fixture
async def notification(
    migrated_url: MakeMigratedUrl, tmp_path: Path
) -> AsyncIterator[Notification]:
    """Notification on each dialect, with the file gateway."""
    database = Database.open(migrated_url("notification"))
    clock = ManualClock(START)
    yield Notification(
        database=database,
        messaging=Messaging(database=database, clock=clock),
        clock=clock,
        vault=Vault(bytes(32)),
        neighbours=Neighbours(),
        home=tmp_path / "home",
    )
    await database.close()


def received(**changes: object) -> ComplaintReceived:
    """A complaint about a short delivery."""
    given: dict[str, object] = {
        "complaint_id": new_id(),
        "number": new_number(),
        "received_at": START,
        "channel": "web",
        "category": "logistics.short",
        "suggested_category": "logistics.short",
        "severity": "moderate",
        "urgency": "normal",
        "priority": "P3",
        "language": "zh",
        "customer_id": new_id(),
    }
    return ComplaintReceived.model_validate(given | changes)


def opened(of: ComplaintEvent, *, owner: str | None = None) -> CaseOpened:
    """The case of a complaint, with a first reply due in a day."""
    due = START + timedelta(days=1)
    return CaseOpened(
        complaint_id=of.complaint_id,
        number=of.number,
        state="assigned" if owner else "received",
        version=1,
        next_step="first_reply",
        next_due_at=due,
        owner=owner,
        priority="P3",
        policy="default@1",
        clocks=(ClockDue(kind="first_reply", due_at=due),),
    )
