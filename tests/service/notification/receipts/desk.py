"""The paths for receipts, operators and proof over the parts that a test drives by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx

from services.notification_service.gateways.domain.port import Gateway, GatewayError, Outgoing
from services.notification_service.gateways.domain.standard_webhook import read_secret
from services.notification_service.gateways.service import Gateways
from services.notification_service.messages import endpoints
from services.notification_service.messages.service.deciding import Operators
from services.notification_service.messages.service.reading import Archive
from services.notification_service.notices import endpoints as notice_endpoints
from services.notification_service.notices.service import Notices
from services.notification_service.receipts import endpoints as receipt_endpoints
from services.notification_service.receipts.domain.signing import Network
from services.notification_service.receipts.jobs import ReceiptClerk
from services.notification_service.receipts.service import ReceiptDesk
from shared.bus.memory import MemoryLog
from shared.events.words import MessageChannel
from shared.http.access import Scope
from shared.http.app import create_app
from shared.http.health import Health
from shared.http.keys import KeyStore
from shared.kernel.settings import CommonSettings
from shared.service import Platform
from shared.web.pages import Pages
from tests.service.notification.conftest import Notification, opened, received

MESSAGES = Path(endpoints.__file__).parent
TOKEN = "an-unguessable-path-token"
TWILIO_TOKEN = "12345"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PUBLIC = "https://redress.example.com"


@dataclass
class Named:
    """A gateway that gives messages names of its own, and answers as told first."""

    prefix: str
    answers: list[GatewayError] = field(default_factory=list)
    repeatable: bool = False
    taken: list[Outgoing] = field(default_factory=list)

    async def send(self, message: Outgoing) -> str | None:
        if self.answers:
            raise self.answers.pop(0)
        self.taken.append(message)
        return f"{self.prefix}-{len(self.taken)}"

    async def close(self) -> None:
        return None


@dataclass
class Desk:
    """What a test of receipts speaks to."""

    notification: Notification
    desk: ReceiptDesk
    notices: Notices
    http: httpx.AsyncClient
    keys: KeyStore
    sms: Named
    email: Named

    @classmethod
    def set_up(
        cls, notification: Notification, folder: Path, networks: Sequence[Network] = ()
    ) -> Desk:
        """Put the paths on the parts; SMS go by `aliyun`."""
        settings = CommonSettings(home=folder)
        keys = KeyStore(folder / "keys.json")
        clock, bus = notification.clock, MemoryLog()
        platform = Platform("embedded", settings, folder, clock, bus, keys, "notification-1")
        messaging = notification.messaging
        desk = ReceiptDesk(messaging, wake_sender=lambda: None, proof_after=timedelta(hours=24))
        trust = receipt_endpoints.Trust(
            clock=clock,
            token=TOKEN,
            networks=networks,
            twilio_token=TWILIO_TOKEN,
            http_secret=read_secret(SECRET),
            public_url=PUBLIC,
        )
        notices = Notices(messaging, wake_sender=lambda: None)
        archive = Archive(database=notification.database, vault=notification.vault)
        app = create_app(
            platform,
            name="notification",
            title="Receipts",
            routers=[
                receipt_endpoints.router(
                    receipt_endpoints.Counter(desk, ReceiptClerk(desk), trust)
                ),
                endpoints.router(
                    archive,
                    Operators(messaging, wake=lambda: None, proof_after=timedelta(hours=24)),
                ),
                endpoints.pages_router(archive, _pages(platform), scope=Scope.ADMIN),
                notice_endpoints.router(notices),
            ],
            health=Health(database=notification.database, bus=bus, failing=dict),
        )
        transport = httpx.ASGITransport(app)
        http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")
        email = Named("mail", repeatable=True)
        found = cls(notification, desk, notices, http, keys, Named("biz"), email)
        found.use("aliyun")
        return found

    def use(self, name: str, *, receipts_after: timedelta | None = None) -> None:
        """Send SMS by a gateway of this name, with or without receipts that must come."""
        gateways: dict[MessageChannel, Gateway] = {
            MessageChannel.SMS: self.sms,
            MessageChannel.EMAIL: self.email,
        }
        self.notification.use(
            Gateways(
                gateways,
                configured=True,
                names={MessageChannel.SMS: name, MessageChannel.EMAIL: "smtp"},
                receipts_after={MessageChannel.SMS: receipts_after} if receipts_after else {},
            )
        )

    async def acknowledge(self, **contact: str) -> str:
        """Have a customer told by SMS; returns the complaint."""
        complaint = received()
        known = {"phone": "+8613800138000", "email": "wang@example.com"} | contact
        self.notification.knows(
            complaint, **{name: value for name, value in known.items() if value}
        )
        await self.notification.hear(complaint, opened(complaint))
        await self.notification.deliver()
        return complaint.complaint_id

    async def message(self, complaint_id: str) -> dict[str, object]:
        """Return the complaint's only message."""
        answer = await self.http.get("/v1/notifications", params={"complaint_id": complaint_id})
        (found,) = answer.json()["items"]
        return dict(found)

    async def standing(self, complaint_id: str) -> tuple[object, object, object]:
        """Return state, channel and reason of the complaint's only message."""
        found = await self.message(complaint_id)
        return found["state"], found["channel"], found["reason"]

    async def aliyun(self, **report: object) -> httpx.Response:
        """Post one report as Aliyun does."""
        given: dict[str, object] = {
            "phone_number": "13800138000",
            "send_time": "2026-11-23 10:00:01",
            "report_time": "2026-11-23 10:00:05",
            "success": True,
            "err_code": "DELIVERED",
            "err_msg": "用户接收成功",
            "sms_size": "1",
            "biz_id": "biz-1",
            "out_id": "",
        }
        return await self.http.post(f"/v1/receipts/aliyun/{TOKEN}", json=[given | report])


def _pages(platform: Platform) -> Pages:
    return Pages(
        platform.settings,
        clock=platform.clock,
        templates=[MESSAGES / "pages"],
        locales=[MESSAGES / "locale"],
    )
