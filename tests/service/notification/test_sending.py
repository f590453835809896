"""What is queued is sent once, by the channel that is known, and what came of it is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import orjson
from prometheus_client import REGISTRY
from sqlalchemy import select

from services.notification_service.gateways.domain.port import (
    Gateway,
    GatewayError,
    NotAccepted,
    Outgoing,
    Refused,
    Uncertain,
)
from services.notification_service.gateways.domain.rate import RateLimit
from services.notification_service.gateways.service import Gateways
from services.notification_service.messages.domain.retry import MOST_TRIES
from services.notification_service.messages.models import notifications
from services.notification_service.settings import NotificationSettings
from shared.events.cases import InformationRequested, SolutionProposed
from shared.events.words import MessageChannel
from shared.messaging import outbox
from tests.service.notification.conftest import Notification, opened, received


@dataclass
class Scripted:
    """A gateway that answers as told, then takes everything."""

    answers: list[GatewayError] = field(default_factory=list)
    repeatable: bool = True
    taken: list[Outgoing] = field(default_factory=list)

    async def send(self, message: Outgoing) -> None:
        if self.answers:
            raise self.answers.pop(0)
        self.taken.append(message)

    async def close(self) -> None:
        return None


def gateways(*, sms: Gateway | None = None, email: Gateway | None = None) -> Gateways:
    return Gateways(
        {MessageChannel.SMS: sms or Scripted(), MessageChannel.EMAIL: email or Scripted()},
        configured=True,
    )


def failures() -> float:
    """How often the SMS gateway took nothing."""
    found = REGISTRY.get_sample_value("redress_gateway_failures_total", {"channel": "sms"})
    return found or 0.0


async def standing(notification: Notification) -> list[tuple[str, str | None, int, str | None]]:
    c = notifications.c
    chosen = select(c.state, c.channel, c.attempts, c.reason).order_by(c.id)
    async with notification.database.read() as connection:
        return [(row[0], row[1], row[2], row[3]) for row in await connection.execute(chosen)]


async def said(notification: Notification) -> Sequence[tuple[str, int, Mapping[str, object]]]:
    """Event types, sequences and data in the outbox, oldest first."""
    chosen = select(outbox.c.headers, outbox.c.sequence, outbox.c.value).order_by(outbox.c.id)
    async with notification.database.read() as connection:
        rows = list(await connection.execute(chosen))
    return [(dict(orjson.loads(row[0]))["ce_type"], row[1], orjson.loads(row[2])) for row in rows]


async def test_a_customer_without_a_phone_gets_a_readable_mail(
    notification: Notification,
) -> None:
    complaint = received(language="en")
    notification.knows(
        complaint,
        email="ann@example.com",
        locale="en",
        name="Ann <b>Lee</b>",
        description="Two items of my order were missing.",
    )

    await notification.hear(complaint, opened(complaint))
    await notification.deliver()

    (file,) = notification.files()
    assert file.suffix == ".eml"
    assert "Two items of my order were missing." in file.read_text(encoding="utf-8")
    mail = message_from_bytes(file.read_bytes(), policy=default)
    assert mail["To"] == "ann@example.com"
    assert mail["Subject"] == f"We have your complaint (number {complaint.number})"
    html = mail.get_body(("html",))
    assert html is not None
    assert "Ann &lt;b&gt;Lee&lt;/b&gt;" in html.get_content()


async def test_an_acceptance_is_said_with_dense_sequences(notification: Notification) -> None:
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")
    notification.neighbours.people = [{"id": "li.na", "email": "li@example.com"}]

    await notification.hear(complaint, opened(complaint, owner="li.na"))
    await notification.deliver()

    told = await said(notification)
    assert [(kind, sequence) for kind, sequence, _ in told] == [
        ("NotificationSent", 1),
        ("NotificationSent", 2),
    ]
    assert {data["kind"]: data["channel"] for _, _, data in told} == {
        "acknowledgement": "sms",
        "staff_assignment": "email",
    }
    assert "13800138000" not in str(told)


async def test_a_message_to_nobody_is_skipped_with_its_reason(notification: Notification) -> None:
    anonymous, erased = received(), received()
    notification.knows(anonymous)

    await notification.hear(anonymous, erased, opened(anonymous), opened(erased))
    await notification.deliver()

    assert await standing(notification) == [
        ("skipped", None, 0, "no_address"),
        ("skipped", None, 0, "complaint_unknown_or_erased"),
    ]
    told = await said(notification)
    assert [(kind, data["reason"]) for kind, _, data in told] == [
        ("NotificationSkipped", "no_address"),
        ("NotificationSkipped", "complaint_unknown_or_erased"),
    ]


async def test_messages_wait_while_intake_is_away(notification: Notification) -> None:
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")
    notification.neighbours.down = True
    await notification.hear(complaint, opened(complaint))

    await notification.deliver()
    assert await standing(notification) == [("queued", None, 0, None)]

    notification.neighbours.down = False
    notification.clock.advance(timedelta(seconds=3))
    await notification.deliver()
    assert await standing(notification) == [("sent", "sms", 1, None)]


async def test_a_refused_sms_goes_by_mail_instead(notification: Notification) -> None:
    sms, email = Scripted([Refused("no such number")]), Scripted()
    notification.use(gateways(sms=sms, email=email))
    complaint = received()
    notification.knows(complaint, phone="+8613800138000", email="w@example.com")

    await notification.hear(complaint, opened(complaint))
    await notification.deliver()

    assert await standing(notification) == [("sent", "email", 2, None)]
    assert [message.address for message in email.taken] == ["w@example.com"]
    assert not sms.taken


async def test_a_message_that_no_channel_takes_fails_with_the_reason(
    notification: Notification,
) -> None:
    notification.use(gateways(sms=Scripted([Refused("no such number")])))
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")

    await notification.hear(complaint, opened(complaint))
    await notification.deliver()

    assert await standing(notification) == [("failed", "sms", 1, "no such number")]
    ((kind, sequence, data),) = await said(notification)
    assert (kind, sequence, data["reason"]) == ("NotificationFailed", 1, "no such number")


async def test_a_busy_gateway_is_tried_again_after_growing_pauses(
    notification: Notification,
) -> None:
    counted = failures()
    sms = Scripted([NotAccepted("busy"), NotAccepted("busy")])
    notification.use(gateways(sms=sms))
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")
    await notification.hear(complaint, opened(complaint))

    await notification.deliver()
    assert await standing(notification) == [("queued", "sms", 1, "busy")]
    notification.clock.advance(timedelta(seconds=2))
    await notification.deliver()
    notification.clock.advance(timedelta(seconds=6))
    await notification.deliver()

    assert await standing(notification) == [("sent", "sms", 3, None)]
    assert len({message.reference for message in sms.taken}) == 1
    assert failures() - counted == 2


async def test_no_pause_is_longer_than_is_set(notification: Notification) -> None:
    notification.settings = NotificationSettings(message_longest_retry_seconds=3)
    notification.use(gateways(sms=Scripted([NotAccepted("busy")] * 4)))
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")
    await notification.hear(complaint, opened(complaint))

    for _ in range(5):
        await notification.deliver()
        notification.clock.advance(timedelta(seconds=3))

    assert await standing(notification) == [("sent", "sms", 5, None)]


async def test_a_gateway_that_stays_away_is_given_up_for_the_other_channel(
    notification: Notification,
) -> None:
    email = Scripted()
    notification.use(gateways(sms=Scripted([NotAccepted("away")] * MOST_TRIES), email=email))
    complaint = received()
    notification.knows(complaint, phone="+8613800138000", email="w@example.com")
    await notification.hear(complaint, opened(complaint))

    for _ in range(MOST_TRIES):
        await notification.deliver()
        notification.clock.advance(timedelta(minutes=15))

    assert await standing(notification) == [("sent", "email", MOST_TRIES + 1, None)]
    assert len(email.taken) == 1


async def test_an_uncertain_sms_is_left_to_an_operator(notification: Notification) -> None:
    sms = Scripted([Uncertain("no answer")], repeatable=False)
    email = Scripted()
    notification.use(gateways(sms=sms, email=email))
    complaint = received()
    notification.knows(complaint, phone="+8613800138000", email="w@example.com")
    await notification.hear(complaint, opened(complaint))

    await notification.deliver()
    notification.clock.advance(timedelta(hours=1))
    await notification.deliver()

    assert await standing(notification) == [("unknown", "sms", 1, "no answer")]
    assert not sms.taken
    assert not email.taken
    assert not await said(notification)


async def test_an_uncertain_message_is_repeated_where_the_gateway_knows_our_reference(
    notification: Notification,
) -> None:
    sms = Scripted([Uncertain("no answer")], repeatable=True)
    notification.use(gateways(sms=sms))
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")
    await notification.hear(complaint, opened(complaint))

    await notification.deliver()
    notification.clock.advance(timedelta(seconds=2))
    await notification.deliver()

    assert await standing(notification) == [("sent", "sms", 2, None)]


async def test_what_a_gateways_rate_does_not_allow_yet_stays_queued(
    notification: Notification,
) -> None:
    sms = Scripted()
    limits = {MessageChannel.SMS: RateLimit(1, burst=2)}
    notification.use(replace(gateways(sms=sms), limits=limits))
    complaints = [received() for _ in range(4)]
    for complaint in complaints:
        notification.knows(complaint, phone="+8613800138000")
        await notification.hear(complaint, opened(complaint))

    await notification.deliver()
    assert len(sms.taken) == 2
    assert [row[0] for row in await standing(notification)].count("queued") == 2

    for taken in (3, 4):
        notification.clock.advance(timedelta(seconds=1))
        await notification.deliver()
        assert len(sms.taken) == taken
    assert await standing(notification) == [("sent", "sms", 1, None)] * 4


async def test_vendors_get_the_single_facts_as_a_reader_sees_them(
    notification: Notification,
) -> None:
    sms = Scripted()
    notification.use(gateways(sms=sms))
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")

    await notification.hear(complaint, opened(complaint))
    await notification.deliver()

    (message,) = sms.taken
    assert message.locale == "zh-CN"
    assert message.values["number"] == complaint.number
    assert message.values["due_at"] == "11月24日（周二）10:00"
    assert message.values["tracking_token"] == "abc"
    assert "reference" not in message.values


async def crash_while_sending(notification: Notification) -> None:
    """Leave a message as a process leaves it that is killed after it handed the message over."""
    await notification.sender.send_batch()
    await notification.sender.drain()


async def test_the_words_of_a_proposal_are_asked_of_workflow(notification: Notification) -> None:
    complaint = received()
    notification.knows(complaint, email="w@example.com")
    notification.neighbours.words["w1"] = {
        "id": "w1",
        "complaint_id": complaint.complaint_id,
        "kind": "proposal",
        "text": None,
        "options": [
            {"key": "A", "kind": "re_send", "text": "重新发货", "amount": None},
            {
                "key": "B",
                "kind": "refund",
                "text": "退款",
                "amount": {"amount": "12.50", "currency": "CNY"},
            },
        ],
    }
    proposal = SolutionProposed(
        complaint_id=complaint.complaint_id,
        number=complaint.number,
        state="proposed",
        version=4,
        round=1,
        options=(),
        words_id="w1",
    )

    await notification.hear(complaint, proposal)
    await notification.deliver()

    text = notification.files()[0].read_text(encoding="utf-8")
    assert "A. 重新发货" in text
    assert "B. 退款（¥12.50）" in text


async def test_a_message_whose_words_are_gone_is_not_sent_empty(
    notification: Notification,
) -> None:
    complaint = received()
    notification.knows(complaint, email="w@example.com")
    question = InformationRequested(
        complaint_id=complaint.complaint_id,
        number=complaint.number,
        state="awaiting_customer",
        version=3,
        words_id="gone",
    )

    await notification.hear(complaint, question)
    await notification.deliver()

    assert await standing(notification) == [("skipped", None, 0, "words_unknown_or_erased")]


async def test_neither_words_nor_addresses_lie_in_the_database_in_clear(
    notification: Notification,
) -> None:
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")
    await notification.hear(complaint, opened(complaint))
    await notification.deliver()

    async with notification.database.read() as connection:
        (row,) = await connection.execute(select(notifications))

    stored = b"".join(
        str(value).encode() if not isinstance(value, bytes) else value for value in row
    )
    assert row.address_masked == "138****8000"
    assert b"13800138000" not in stored
    assert "周三".encode() not in stored
