"""Calm messages to staff in one mail, each with its own state; and nothing is said twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.gateways.domain.port import NotAccepted, Refused, Uncertain
from services.notification_service.messages.domain.words import State
from services.notification_service.messages.models import complaints, notifications
from services.notification_service.messages.repository import deliveries
from services.notification_service.messages.service.deciding import Decision, Operators
from services.notification_service.messages.service.sealing import opened as unsealed
from shared.events.cases import CaseAssigned, ClockBreached, ClockWarned, Escalated
from tests.service.notification.conftest import START, JsonObject, Notification, received
from tests.service.notification.telling import choose, fact, regraded, told
from tests.service.notification.test_sending import Scripted, gateways, said

EVERY = timedelta(minutes=30)
LI: JsonObject = {
    "id": "li.na",
    "name": "Li Na",
    "email": "li@example.com",
    "phone": "+8613900139000",
}
WANG: JsonObject = {
    "id": "wang.wei",
    "name": "Wang Wei",
    "email": "wang@example.com",
    "locale": "en",
}


def gather(notification: Notification, *, email: Scripted, sms: Scripted | None = None) -> None:
    notification.digest_every = EVERY
    notification.neighbours.people = [LI, WANG]
    notification.use(gateways(email=email, sms=sms))


async def assign(notification: Notification, *owners: str) -> None:
    """Give each owner one more case, of a customer who is told nothing."""
    for owner in owners:
        complaint = received()
        await notification.hear(complaint, fact(CaseAssigned, complaint, owner=owner))


async def rows(notification: Notification) -> list[tuple[str, str, str | None, str | None]]:
    c = notifications.c
    chosen = select(c.recipient, c.state, c.reason, c.digest_id).where(c.audience == "staff")
    async with notification.database.read() as connection:
        found = await connection.execute(chosen.order_by(c.id))
    return [(row[0], row[1], row[2], row[3]) for row in found]


async def test_what_is_gathered_comes_as_one_mail_per_person(notification: Notification) -> None:
    email = Scripted()
    gather(notification, email=email)
    await assign(notification, "li.na", "wang.wei", "li.na", "li.na")

    await notification.deliver()
    assert {(state, reason) for _, state, reason, _ in await rows(notification)} == {
        ("queued", "gathered")
    }
    notification.clock.advance(EVERY)
    await notification.deliver()

    by_address = {mail.address: mail for mail in email.taken}
    assert len(email.taken) == 2
    digest = by_address["li@example.com"]
    assert digest.subject == "3 条工作提醒"
    assert digest.text.count("http://127.0.0.1:8000/cases/") == 3
    assert digest.html is not None
    assert digest.html.count("<li>") == 3
    assert by_address["wang@example.com"].subject is not None
    assert "Yours: complaint" in by_address["wang@example.com"].subject
    assert [(name, state) for name, state, _, _ in await rows(notification)] == [
        ("li.na", "sent"),
        ("wang.wei", "sent"),
        ("li.na", "sent"),
        ("li.na", "sent"),
    ]
    kinds = [kind for kind, _, data in await said(notification) if data["audience"] == "staff"]
    assert kinds == ["NotificationSent"] * 4


async def test_each_message_of_a_digest_keeps_the_mail_as_its_own_proof(
    notification: Notification,
) -> None:
    email = Scripted()
    gather(notification, email=email)
    await assign(notification, "li.na", "li.na")
    notification.clock.advance(EVERY)
    await notification.deliver()

    c = notifications.c
    chosen = select(c.id, c.content, c.complaint_id, c.digest_id).where(c.audience == "staff")
    async with notification.database.read() as connection:
        found = list(await connection.execute(chosen))
        of = select(complaints.c.complaint_id, complaints.c.wrapped_key)
        keys = {row[0]: row[1] for row in await connection.execute(of)}

    texts = {unsealed(notification.vault, keys[row[2]], row[0], row[1]).text for row in found}
    assert texts == {email.taken[0].text}
    assert {row[3] for row in found} == {email.taken[0].reference}


async def test_urgent_and_soon_due_messages_are_not_gathered(notification: Notification) -> None:
    email = Scripted()
    gather(notification, email=email)
    urgent, calm = received(urgency="high"), received()
    soon, later = START + timedelta(minutes=20), START + timedelta(hours=5)
    await notification.hear(
        urgent,
        calm,
        fact(ClockWarned, urgent, clock="resolve", due_at=later, share=0.5),
        fact(ClockWarned, calm, clock="resolve", due_at=soon, share=0.8),
        fact(ClockWarned, calm, clock="propose", due_at=later, share=0.5),
        fact(Escalated, calm, level=1, cause="breach", emergency=True, previous_level=0),
    )

    await notification.deliver()

    states = [state for _, state, _, _ in await rows(notification)]
    assert states == ["sent", "sent", "queued", "sent"]


async def test_only_what_becomes_urgent_leaves_the_digest_early(
    notification: Notification,
) -> None:
    email = Scripted()
    gather(notification, email=email)
    complaint = received()
    await notification.hear(complaint, fact(CaseAssigned, complaint))
    await choose(notification, complaint, channel="email")
    await notification.hear(regraded(complaint, urgency="low"))
    await notification.deliver()
    assert [state for _, state, _, _ in await rows(notification)] == ["queued"]

    await notification.hear(regraded(complaint, urgency="immediate"))
    await notification.deliver()

    assert [state for _, state, _, _ in await rows(notification)] == ["sent"]


async def test_a_breach_takes_its_warning_out_of_the_digest(notification: Notification) -> None:
    email = Scripted()
    gather(notification, email=email)
    complaint = received()
    due = START + timedelta(minutes=40)
    warned = fact(ClockWarned, complaint, clock="resolve", due_at=due, share=0.5)
    breached = fact(ClockBreached, complaint, clock="resolve", due_at=due, late_seconds=1)
    await notification.hear(complaint, warned)
    notification.clock.advance(timedelta(minutes=10))
    await notification.hear(breached)

    notification.clock.advance(EVERY)
    await notification.deliver()

    assert await told(notification, "staff") == [
        ("staff_warning", "skipped", "superseded"),
        ("staff_breach", "sent", None),
    ]


async def test_a_digest_that_is_tried_again_is_the_same_one(notification: Notification) -> None:
    email = Scripted([Uncertain("no answer"), NotAccepted("busy")])
    gather(notification, email=email)
    await assign(notification, "li.na", "li.na")
    notification.clock.advance(EVERY)
    await notification.deliver()
    first = {digest for _, _, _, digest in await rows(notification)}

    await assign(notification, "li.na")
    notification.clock.advance(EVERY)
    await notification.deliver()
    notification.clock.advance(timedelta(minutes=1))
    await notification.deliver()

    assert [state for _, state, _, _ in await rows(notification)] == ["sent"] * 3
    digest = next(mail for mail in email.taken if mail.reference in first)
    assert len(first) == 1
    assert digest.text.count("/cases/") == 2


async def test_a_crash_while_a_digest_is_sent_neither_loses_nor_splits_it(
    notification: Notification,
) -> None:
    email = Scripted()
    gather(notification, email=email)
    await assign(notification, "li.na", "li.na", "li.na")
    notification.clock.advance(EVERY)
    await notification.sender.send_batch()
    await notification.sender.drain()

    notification.use(gateways(email=email))
    await notification.sender.take_over(everything=True)
    await notification.deliver()

    assert [state for _, state, _, _ in await rows(notification)] == ["sent"] * 3
    assert len(email.taken) == 2
    assert len({(mail.reference, mail.text) for mail in email.taken}) == 1


async def test_a_digest_whose_lease_was_lost_in_part_is_not_sent(
    notification: Notification, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = Scripted()
    gather(notification, email=email)
    await assign(notification, "li.na", "li.na")
    notification.clock.advance(EVERY)
    mark = deliveries.mark_sending

    async def after_another_took_one(connection: AsyncConnection, *given: Any, **more: Any) -> Any:
        first = select(notifications.c.id).where(notifications.c.audience == "staff").limit(1)
        taken = notifications.update().where(notifications.c.id == first.scalar_subquery())
        await connection.execute(taken.values(leased_by="notification-2"))
        return await mark(connection, *given, **more)

    monkeypatch.setattr(deliveries, "mark_sending", after_another_took_one)
    await notification.deliver()

    assert not email.taken
    assert sorted(state for _, state, _, _ in await rows(notification)) == [State.QUEUED] * 2


async def test_what_an_operator_sends_again_goes_by_itself(notification: Notification) -> None:
    email = Scripted([Uncertain("no answer")], repeatable=False)
    gather(notification, email=email)
    await assign(notification, "li.na", "li.na")
    notification.clock.advance(EVERY)
    await notification.deliver()
    c = notifications.c
    async with notification.database.read() as connection:
        unknown = list(await connection.scalars(select(c.id).where(c.state == State.UNKNOWN)))

    operators = Operators(
        notification.messaging, wake=notification.sender.wake, proof_after=timedelta(hours=24)
    )
    for message in unknown:
        await operators.decide(message, Decision.RESEND, by="an operator")
        await notification.deliver()

    # Two mails of one name would be shown as one.
    assert [mail.reference for mail in email.taken] == unknown
    assert [state for _, state, _, _ in await rows(notification)] == ["sent", "sent"]


async def test_where_mail_is_refused_each_message_goes_its_other_way(
    notification: Notification,
) -> None:
    email, sms = Scripted([Refused("no such mailbox")]), Scripted()
    gather(notification, email=email, sms=sms)
    await assign(notification, "li.na", "li.na")
    notification.clock.advance(EVERY)

    await notification.deliver()

    assert [state for _, state, _, _ in await rows(notification)] == ["sent", "sent"]
    assert len({message.reference for message in sms.taken}) == 2


async def test_the_same_alert_goes_to_a_shared_mailbox_once(notification: Notification) -> None:
    email = Scripted()
    notification.neighbours.people = [
        {"id": name, "role": "admin", "email": "ops@example.com"} for name in ("ada", "bob")
    ]
    notification.use(gateways(email=email))
    complaint = received()
    alert = fact(
        ClockBreached,
        complaint,
        clock="acknowledge",
        due_at=START,
        late_seconds=60,
        alert=True,
    )

    await notification.hear(complaint, alert)
    await notification.deliver()

    assert await told(notification, "staff") == [
        ("operator_alert", "sent", None),
        ("operator_alert", "skipped", "duplicate"),
    ]
    assert len(email.taken) == 1


async def test_the_same_words_some_time_later_are_said_again(notification: Notification) -> None:
    email = Scripted()
    notification.neighbours.people = [WANG]
    notification.use(gateways(email=email))
    complaint = received()
    breached = fact(
        ClockBreached,
        complaint,
        clock="resolve",
        due_at=START,
        late_seconds=60,
        owner="wang.wei",
    )
    await notification.hear(complaint, breached)
    await notification.deliver()

    await notification.hear(breached)
    await notification.deliver()
    notification.clock.advance(timedelta(minutes=11))
    await notification.hear(breached)
    await notification.deliver()

    assert [state for _, state, _ in await told(notification, "staff")] == [
        "sent",
        "skipped",
        "sent",
    ]
