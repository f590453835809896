"""Facts become intents: one per fact and recipient, none for imports."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from services.notification_service.messages.domain.routing import RoutingTable
from services.notification_service.messages.models import notifications
from services.notification_service.messages.repository.routing import packaged_table
from shared.events.base import ComplaintEvent
from shared.events.cases import (
    CaseTransferred,
    ClockBreached,
    ClockWarned,
    Closed,
    InformationRequested,
    StepCarriedOut,
)
from shared.events.complaints import ComplaintRegraded
from shared.messaging import outbox
from tests.service.notification.conftest import START, Notification, opened, received


async def intents(notification: Notification) -> list[tuple[str, int, str, str]]:
    c = notifications.c
    chosen = select(c.kind, c.occurrence, c.recipient, c.state).order_by(c.id)
    async with notification.database.read() as connection:
        return [(row[0], row[1], row[2], row[3]) for row in await connection.execute(chosen)]


def breach(of: ComplaintEvent, clock: str, owner: str | None = "li.na") -> ClockBreached:
    return ClockBreached(
        alert=clock == "uk-fca-disp.acknowledgement",
        complaint_id=of.complaint_id,
        number=of.number,
        state="assigned",
        version=2,
        clock=clock,
        due_at=START,
        late_seconds=3,
        owner=owner,
    )


async def test_opening_a_case_tells_the_customer_and_the_owner(notification: Notification) -> None:
    complaint = received()

    await notification.hear(complaint, opened(complaint, owner="li.na"))

    assert await intents(notification) == [
        ("acknowledgement", 1, "customer", "queued"),
        ("staff_assignment", 1, "li.na", "queued"),
    ]


async def test_receiving_a_complaint_alone_tells_nobody(notification: Notification) -> None:
    await notification.hear(received(), received(imported=True))

    assert await intents(notification) == []


async def test_what_people_do_with_an_imported_complaint_is_told(
    notification: Notification,
) -> None:
    complaint = received(imported=True)
    closing = Closed(
        complaint_id=complaint.complaint_id,
        number=complaint.number,
        state="closed",
        version=9,
        outcome="solved",
    )

    await notification.hear(complaint, closing)

    assert await intents(notification) == [("closed", 1, "customer", "queued")]


async def test_occurrences_count_from_one_for_each_kind(notification: Notification) -> None:
    complaint = received()
    steps = [
        StepCarriedOut(
            complaint_id=complaint.complaint_id,
            number=complaint.number,
            state="executing",
            version=version,
            words_id=f"w{version}",
        )
        for version in (5, 6)
    ]

    await notification.hear(complaint, opened(complaint), *steps)

    assert await intents(notification) == [
        ("acknowledgement", 1, "customer", "queued"),
        ("step", 1, "customer", "queued"),
        ("step", 2, "customer", "queued"),
    ]


async def test_a_transfer_tells_the_customer_and_the_new_owner(
    notification: Notification,
) -> None:
    complaint = received()
    transfer = CaseTransferred(
        complaint_id=complaint.complaint_id,
        number=complaint.number,
        state="assigned",
        version=2,
        owner="wang.wei",
        previous_owner="li.na",
        handovers=1,
    )

    await notification.hear(complaint, transfer)

    assert await intents(notification) == [
        ("transferred", 1, "customer", "queued"),
        ("staff_assignment", 1, "wang.wei", "queued"),
    ]


async def test_a_warning_and_a_breach_are_told_to_the_owner(notification: Notification) -> None:
    complaint = received()
    warning = ClockWarned(
        complaint_id=complaint.complaint_id,
        number=complaint.number,
        state="assigned",
        version=2,
        clock="resolve",
        due_at=START + timedelta(hours=1),
        share=0.8,
        owner="li.na",
    )

    await notification.hear(complaint, warning, breach(complaint, "resolve"))

    assert await intents(notification) == [
        ("staff_warning", 1, "li.na", "queued"),
        ("staff_breach", 1, "li.na", "queued"),
    ]


@pytest.mark.parametrize(
    ("clock", "owner"),
    [
        ("acknowledge", "li.na"),
        ("assign", None),
        ("uk-fca-disp.acknowledgement", "li.na"),
    ],
)
async def test_a_breach_that_no_owner_can_mend_alerts_every_operator(
    notification: Notification, clock: str, owner: str | None
) -> None:
    notification.neighbours.people = [
        {"id": "zhao", "name": "赵", "email": "zhao@example.com", "role": "admin"},
        {"id": "qian", "name": "钱", "email": "qian@example.com", "role": "quality"},
        {"id": "li.na", "name": "李娜", "email": "li@example.com", "role": "agent"},
    ]
    complaint = received()

    await notification.hear(complaint, breach(complaint, clock, owner))
    await notification.deliver()

    assert sorted(await intents(notification)) == [
        ("operator_alert", 1, "qian", "sent"),
        ("operator_alert", 1, "zhao", "sent"),
    ]
    assert len(notification.files()) == 2


async def test_a_row_that_is_off_skips_its_message_with_that_reason(
    notification: Notification,
) -> None:
    closed = packaged_table().rows["closed"].model_copy(update={"enabled": False})
    notification.routing = RoutingTable(dict(packaged_table().rows) | {"closed": closed})
    notification.use(notification.gateways)
    complaint = received()
    closing = Closed(
        complaint_id=complaint.complaint_id,
        number=complaint.number,
        state="closed",
        version=9,
        outcome="solved",
    )

    await notification.hear(complaint, closing)
    await notification.deliver()

    assert await intents(notification) == [("closed", 1, "customer", "skipped")]
    assert not notification.files()
    async with notification.database.read() as connection:
        reason = await connection.scalar(select(notifications.c.reason))
        said = list(await connection.scalars(select(outbox.c.headers)))
    assert reason == "disabled"
    assert "NotificationSkipped" in said[0]


async def test_a_complaint_that_grew_urgent_is_told_by_the_urgent_channel(
    notification: Notification,
) -> None:
    complaint = received()
    notification.knows(complaint, phone="+8613800138000", email="wang@example.com")
    notification.neighbours.words["w"] = {
        "id": "w",
        "complaint_id": complaint.complaint_id,
        "kind": "question",
        "text": "请发照片",
    }
    regraded = ComplaintRegraded(
        complaint_id=complaint.complaint_id,
        number=complaint.number,
        old_category="logistics.short",
        category="safety.illness",
        old_severity="moderate",
        severity="critical",
        old_urgency="normal",
        urgency="immediate",
        old_priority="P3",
        priority="P1",
        decided_by="staff",
    )
    asked = InformationRequested(
        complaint_id=complaint.complaint_id,
        number=complaint.number,
        state="awaiting_customer",
        version=3,
        words_id="w",
    )

    await notification.hear(complaint, regraded, asked)
    await notification.deliver()

    async with notification.database.read() as connection:
        assert await connection.scalar(select(notifications.c.channel)) == "sms"
