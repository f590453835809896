"""Facts about complaints and wishes of customers, and what came of the messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from services.notification_service.messages.models import notifications
from services.notification_service.messages.repository.intents import knows_customer
from services.notification_service.messages.repository.standing import reconsider_customer
from services.notification_service.preferences.domain.choices import Preferences
from services.notification_service.preferences.service import PreferenceBook
from shared.events.base import ComplaintEvent, WorkflowEvent
from shared.events.complaints import ComplaintReceived, ComplaintRegraded
from shared.messaging import UnitOfWork
from tests.service.notification.conftest import Notification, received
from tests.service.notification.test_sending import said as said_to_all

NIGHT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai
MORNING = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
PHONE = "+8613800138000"

Told = list[tuple[str, str, str | None]]


async def told(notification: Notification, audience: str = "customer") -> Told:
    """Kind, state and reason of every message, oldest first."""
    c = notifications.c
    chosen = select(c.kind, c.state, c.reason).where(c.audience == audience).order_by(c.id)
    async with notification.database.read() as connection:
        return [(row[0], row[1], row[2]) for row in await connection.execute(chosen)]


def at(notification: Notification, instant: datetime) -> None:
    """Let the time be this."""
    notification.clock.advance(instant - notification.clock.now())


async def said(notification: Notification) -> list[tuple[str, Mapping[str, object]]]:
    """Types and data of what was said of messages to customers."""
    events = await said_to_all(notification)
    return [(kind, data) for kind, _, data in events if data["audience"] == "customer"]


def fact(model: type[WorkflowEvent], of: ComplaintEvent, **fields: Any) -> WorkflowEvent:
    given = {
        "complaint_id": of.complaint_id,
        "number": of.number,
        "state": "assigned",
        "version": 2,
        "owner": "li.na",
    }
    return model.model_validate(given | fields)


def regraded(of: ComplaintEvent, *, urgency: str) -> ComplaintRegraded:
    return ComplaintRegraded(
        complaint_id=of.complaint_id,
        number=of.number,
        old_category="other",
        category="other",
        old_severity="minor",
        severity="minor",
        old_urgency="normal",
        urgency=urgency,
        old_priority="P3",
        priority="P3",
        decided_by="staff",
    )


def known(notification: Notification, **changes: object) -> ComplaintReceived:
    """A complaint whose customer has phone and mail, and words for its facts."""
    complaint = received(**changes)
    notification.knows(complaint, phone=PHONE, email="wang@example.com")
    for name in ("w1", "w2", "w3", "w4", "w5", "w6"):
        notification.neighbours.words[name] = {
            "id": name,
            "complaint_id": complaint.complaint_id,
            "kind": "step",
            "text": f"第 {name} 步已完成。",
        }
    return complaint


async def choose(notification: Notification, of: ComplaintReceived, **fields: object) -> None:
    async def changed(work: UnitOfWork, customer_id: str) -> None:
        await reconsider_customer(work.connection, customer_id, now=work.now)

    book = PreferenceBook(notification.messaging, knows=knows_customer, changed=changed)
    wishes = Preferences.model_validate(fields)
    await book.put(of.customer_id, wishes, by="test", if_version=None)
