"""What is queued is sent once, by the channel that is known, and what came of it is said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select, update

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
from services.notification_service.messages import jobs
from services.notification_service.messages.domain.retry import MOST_TRIES
from services.notification_service.messages.models import hand_overs, notifications
from services.notification_service.messages.repository import deliveries
from services.notification_service.messages.repository.routing import routing_table
from services.notification_service.messages.service import sealing
from services.notification_service.messages.service.preparing import Ready
from shared.events.cases import CaseAssigned, InformationRequested, SolutionProposed
from shared.events.words import MessageChannel
from shared.kernel.vault import Vault
from shared.messaging import outbox
from tests.service.notification.conftest import START, Notification, opened, received


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


@pytest.mark.parametrize("left_by", ["no answer", "a crash"])
async def test_what_may_have_been_taken_goes_by_no_other_channel_when_the_tries_are_used_up(
    notification: Notification, left_by: str
) -> None:
    away = [NotAccepted("away")] * MOST_TRIES
    email = Scripted()
    sms = Scripted(repeatable=True)
    notification.use(gateways(sms=sms, email=email))
    complaint = received()
    notification.knows(complaint, phone="+8613800138000", email="w@example.com")
    await notification.hear(complaint, opened(complaint))
    if left_by == "a crash":
        await crash_while_sending(notification)
        sms.answers = [*away]
        notification.use(gateways(sms=sms, email=email))
        await notification.sender.take_over(everything=True)
    else:
        sms.answers = [Uncertain("no answer"), *away[1:]]

    for _ in range(MOST_TRIES):
        await notification.deliver()
        notification.clock.advance(timedelta(minutes=15))

    ((state, channel, _, reason),) = await standing(notification)
    assert (state, channel, reason) == ("unknown", "sms", "away")
    assert not email.taken


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


async def test_one_message_with_a_defect_holds_up_no_other(
    notification: Notification, monkeypatch: pytest.MonkeyPatch
) -> None:
    sms = Scripted()
    notification.use(gateways(sms=sms))
    broken, whole = received(), received()
    for complaint in (broken, whole):
        notification.knows(complaint, phone="+8613800138000")
        await notification.hear(complaint, opened(complaint))

    monkeypatch.setattr(sealing, "_sealed", defective_for(broken.complaint_id))
    await notification.deliver()

    assert [taken.number for taken in sms.taken] == [whole.number]
    assert await standing(notification) == [
        ("queued", None, 0, "defect: ZeroDivisionError"),
        ("sent", "sms", 1, None),
    ]

    monkeypatch.undo()
    notification.clock.advance(timedelta(minutes=5))
    await notification.deliver()

    assert {state for state, *_ in await standing(notification)} == {"sent"}


def defective_for(complaint_id: str) -> Callable[..., deliveries.Marked]:
    """Sealing that fails for one complaint."""
    whole = sealing._sealed

    def seal(vault: Vault, one: Ready, text: str, digest_id: str | None) -> deliveries.Marked:
        if one.row.complaint_id == complaint_id:
            raise ZeroDivisionError
        return whole(vault, one, text, digest_id)

    return seal


async def test_a_mail_server_that_hangs_holds_up_no_sms(
    notification: Notification, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = asyncio.Event()

    class Hangs(Scripted):
        async def send(self, message: Outgoing) -> None:
            await over.wait()
            await super().send(message)

    sms, email = Scripted(), Hangs()
    notification.use(gateways(sms=sms, email=email))
    for name, value in (("_BATCH", 4), ("_UNDER_WAY", 14), ("_LANE_FULL", 6), ("_LANE_MOST", 10)):
        monkeypatch.setattr(jobs, name, value)
    for count in range(40):
        complaint = received()
        by = {"email": "w@example.com"} if count < 39 else {"phone": "+8613800138000"}
        notification.knows(complaint, **by)
        await notification.hear(complaint, opened(complaint))

    while await notification.sender.send_batch():
        await notification.sender.settle_gathered()
    assert sms.taken == []
    # What is slow may yet come; what has not moved for so long hangs.
    monkeypatch.setattr(jobs, "_STALLED_SECONDS", 0.0)
    while await notification.sender.send_batch():
        await asyncio.sleep(0)
        await notification.sender.settle_gathered()
    assert len(sms.taken) == 1

    over.set()
    await notification.sender.drain()
    await notification.sender.settle_gathered()
    notification.clock.advance(timedelta(minutes=1))
    await notification.deliver()
    assert len({message.reference for message in email.taken}) == len(email.taken) == 39
    assert {(state, attempts) for state, _, attempts, _ in await standing(notification)} == {
        ("sent", 1)
    }


async def test_an_address_with_a_very_long_domain_is_written_to(notification: Notification) -> None:
    email = Scripted()
    notification.use(gateways(email=email))
    complaint = received()
    address = "a@" + ".".join(["d" * 60] * 4)
    notification.knows(complaint, email=address)

    await notification.hear(complaint, opened(complaint))
    await notification.deliver()

    assert await standing(notification) == [("sent", "email", 1, None)]
    assert [message.address for message in email.taken] == [address]


@pytest.mark.parametrize("name", ["x" * 300, "no\0text"])
async def test_a_name_that_cannot_be_kept_leaves_our_own(
    notification: Notification, name: str
) -> None:
    class Odd(Scripted):
        async def send(self, message: Outgoing) -> str:  # type: ignore[override]  # names them
            return name

    notification.use(gateways(sms=Odd()))
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")

    await notification.hear(complaint, opened(complaint))
    await notification.deliver()

    async with notification.database.read() as connection:
        kept = (
            await connection.execute(select(hand_overs.c.reference, hand_overs.c.notification_id))
        ).one()
    assert await standing(notification) == [("sent", "sms", 1, None)]
    assert kept[0] == kept[1]


async def test_a_reason_that_is_no_text_can_be_written(notification: Notification) -> None:
    notification.use(gateways(sms=Scripted([Refused("gateway answered a\0b")])))
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")

    await notification.hear(complaint, opened(complaint))
    await notification.deliver()

    assert await standing(notification) == [("failed", "sms", 1, "gateway answered ab")]


async def test_who_is_told_by_another_row_already_is_told_once(
    notification: Notification, tmp_path: Path
) -> None:
    own = tmp_path / "ours.yaml"
    channels = "calm: [email, sms], urgent: [sms, email]"
    row = f"to_all: {{event: CaseAssigned, to: operators, kind: staff_assignment, {channels}}}"
    own.write_text(row, encoding="utf-8")
    notification.routing = routing_table(own)
    email = Scripted()
    notification.use(gateways(email=email))
    mine, theirs = received(), received()
    notification.neighbours.people = [
        {"id": "li.na", "role": "quality", "email": "li@example.com"},
    ]

    for complaint, owner in ((mine, "li.na"), (theirs, "wang.wei")):
        given = {"complaint_id": complaint.complaint_id, "number": complaint.number}
        fact = CaseAssigned.model_validate(
            given | {"state": "assigned", "version": 2, "owner": owner}
        )
        await notification.hear(complaint, fact)
    await notification.deliver()

    c = notifications.c
    async with notification.database.read() as connection:
        chosen = select(c.recipient, c.state, c.reason).where(c.audience == "staff")
        found = {tuple(row) for row in await connection.execute(chosen)}
    assert [message.number for message in email.taken] == [mine.number, theirs.number]
    assert found == {
        ("li.na", "sent", None),
        ("operators", "skipped", "duplicate"),
        ("wang.wei", "skipped", "no_address"),
    }


async def test_after_a_crash_a_mail_is_sent_again_with_the_same_reference(
    notification: Notification,
) -> None:
    email = Scripted()
    notification.use(gateways(email=email))
    complaint = received()
    notification.knows(complaint, email="w@example.com")
    await notification.hear(complaint, opened(complaint))
    await crash_while_sending(notification)

    notification.use(gateways(email=email))
    await notification.sender.take_over(everything=True)
    await notification.deliver()

    assert await standing(notification) == [("sent", "email", 2, None)]
    assert len(email.taken) == 2
    assert len({message.reference for message in email.taken}) == 1


async def test_crashes_are_no_tries_of_the_gateway(notification: Notification) -> None:
    email = Scripted()
    notification.use(gateways(email=email))
    complaint = received()
    notification.knows(complaint, email="w@example.com")
    await notification.hear(complaint, opened(complaint))
    for _ in range(MOST_TRIES + 1):
        await crash_while_sending(notification)
        notification.use(gateways(email=email))
        await notification.sender.take_over(everything=True)
    email.answers = [NotAccepted("mail server answered 451")]

    await notification.deliver()
    between = await standing(notification)
    notification.clock.advance(timedelta(minutes=1))
    await notification.deliver()

    attempts = MOST_TRIES + 1
    assert between == [("queued", "email", attempts + 1, "mail server answered 451")]
    assert await standing(notification) == [("sent", "email", attempts + 2, None)]


async def test_after_a_crash_an_sms_is_not_sent_again(notification: Notification) -> None:
    sms = Scripted(repeatable=False)
    notification.use(gateways(sms=sms))
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")
    await notification.hear(complaint, opened(complaint))
    await crash_while_sending(notification)

    notification.use(gateways(sms=sms))
    await notification.sender.take_over(everything=True)
    await notification.deliver()

    assert await standing(notification) == [("unknown", "sms", 1, "crashed_while_sending")]
    assert len(sms.taken) == 1


async def test_another_replica_takes_over_only_when_the_lease_has_ended(
    notification: Notification,
) -> None:
    email = Scripted()
    notification.use(gateways(email=email))
    complaint = received()
    notification.knows(complaint, email="w@example.com")
    await notification.hear(complaint, opened(complaint))
    await crash_while_sending(notification)

    notification.replica = "notification-2"
    notification.use(gateways(email=email))
    await notification.sender.take_over(everything=True)
    assert [state for state, *_ in await standing(notification)] == ["sending"]

    notification.clock.advance(timedelta(minutes=3))
    await notification.sender.take_over(everything=False)
    await notification.deliver()
    assert [state for state, *_ in await standing(notification)] == ["sent"]


async def test_a_result_that_comes_after_the_lease_was_lost_changes_nothing(
    notification: Notification,
) -> None:
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")
    await notification.hear(complaint, opened(complaint))
    await crash_while_sending(notification)
    async with notification.database.write() as connection:
        await connection.execute(update(notifications).values(leased_by="notification-2"))

    await notification.sender.settle_gathered()

    assert [state for state, *_ in await standing(notification)] == ["sending"]
    assert not await said(notification)


async def test_two_replicas_never_lease_the_same_message(notification: Notification) -> None:
    complaints = [received() for _ in range(20)]
    await notification.hear(*complaints, *(opened(complaint) for complaint in complaints))
    until = START + timedelta(minutes=2)

    leased: list[str] = []
    for replica in ("notification-1", "notification-2"):
        async with notification.database.write() as connection:
            rows = await deliveries.lease(connection, by=replica, now=START, until=until, limit=12)
            leased += [row.id for row in rows]

    assert len(leased) == len(set(leased)) == 20


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
