"""What is never sent, with why: newer news took its place, or it comes too late."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from services.notification_service.messages.models import notifications
from services.notification_service.messages.repository.deliveries import lease
from shared.events.base import WorkflowEvent
from shared.events.cases import (
    ApprovalGranted,
    ApprovalRequested,
    CaseAssigned,
    CaseMerged,
    CaseTransferred,
    ClockWarned,
    Closed,
    FollowUpDue,
    InformationReceived,
    InformationRequested,
    Rejected,
    Reopened,
    Resolved,
    SatisfactionRecorded,
    SolutionAccepted,
    SolutionDeclined,
    SolutionProposed,
    Withdrawn,
)
from tests.service.notification.conftest import START, Notification
from tests.service.notification.telling import (
    MORNING,
    NIGHT,
    at,
    choose,
    fact,
    known,
    said,
    told,
)
from tests.service.notification.test_sending import Scripted, crash_while_sending, gateways
from tests.service.notification.test_sending import said as said_to_all

Fact = tuple[type[WorkflowEvent], Mapping[str, Any]]


async def test_of_a_busy_night_one_message_is_left_in_the_morning(
    notification: Notification,
) -> None:
    at(notification, NIGHT)
    complaint = known(notification)
    await notification.hear(complaint, fact(CaseAssigned, complaint))
    await notification.deliver()
    await notification.hear(
        fact(CaseTransferred, complaint, owner="wang.wei", handovers=1),
        fact(Resolved, complaint, outcome="solved", words_id="w1"),
    )
    await notification.deliver()

    at(notification, MORNING)
    await notification.deliver()

    assert await told(notification) == [
        ("assigned", "skipped", "superseded"),
        ("transferred", "skipped", "superseded"),
        ("resolved", "sent", None),
    ]
    events = [(kind, data["kind"]) for kind, data in await said(notification)]
    assert sorted(events) == [
        ("NotificationSent", "resolved"),
        ("NotificationSkipped", "assigned"),
        ("NotificationSkipped", "transferred"),
    ]
    assert [n for _, n, _ in await said_to_all(notification)] == [1, 2, 3, 4, 5]


async def test_what_is_on_its_way_is_not_superseded(notification: Notification) -> None:
    notification.use(gateways(sms=Scripted(), email=Scripted()))
    complaint = known(notification)
    await notification.hear(complaint, fact(CaseAssigned, complaint))
    await notification.sender.send_batch()

    await notification.hear(fact(Resolved, complaint, outcome="solved", words_id="w1"))
    await notification.sender.drain()
    await notification.sender.settle_gathered()
    await notification.deliver()

    assert [state for _, state, _ in await told(notification)] == ["sent", "sent"]


async def test_what_may_have_gone_in_a_crash_is_not_superseded(notification: Notification) -> None:
    sms = Scripted()
    notification.use(gateways(sms=sms, email=Scripted()))
    complaint = known(notification)
    await notification.hear(complaint, fact(CaseAssigned, complaint))
    await crash_while_sending(notification)

    notification.use(gateways(sms=sms, email=Scripted()))
    await notification.sender.take_over(everything=True)
    await notification.hear(fact(Resolved, complaint, outcome="solved", words_id="w1"))
    await notification.deliver()

    assert [state for _, state, _ in await told(notification)] == ["sent", "sent"]
    assert len({message.reference for message in sms.taken}) == 1


async def test_a_newer_fact_that_was_given_up_replaces_nothing(notification: Notification) -> None:
    at(notification, NIGHT)
    complaint = known(notification)
    await notification.hear(
        complaint,
        fact(CaseAssigned, complaint),
        fact(Resolved, complaint, outcome="solved", words_id="gone"),
    )
    await choose(notification, complaint, quiet_hours={"from": "00:00", "to": "00:00"})
    async with notification.messaging.unit_of_work() as work:
        c = notifications.c
        late = notifications.update().where(c.kind == "assigned")
        await work.connection.execute(late.values(next_attempt_at=MORNING))

    await notification.deliver()
    at(notification, MORNING)
    await notification.deliver()

    assert await told(notification) == [
        ("assigned", "sent", None),
        ("resolved", "skipped", "words_unknown_or_erased"),
    ]


async def test_nobody_is_asked_in_the_morning_what_was_settled_in_the_night(
    notification: Notification,
) -> None:
    at(notification, NIGHT)
    complaint = known(notification)
    await notification.hear(
        complaint,
        fact(InformationRequested, complaint, words_id="w1"),
        fact(SolutionProposed, complaint, round=1, options=(), words_id="w2"),
        fact(Resolved, complaint, outcome="solved", words_id="w3"),
    )

    at(notification, MORNING)
    await notification.deliver()

    assert [(kind, state) for kind, state, _ in await told(notification)] == [
        ("information_requested", "skipped"),
        ("proposal", "skipped"),
        ("resolved", "sent"),
    ]


QUESTION = (InformationRequested, {"words_id": "w1"})
OFFER = (SolutionProposed, {"round": 1, "options": (), "words_id": "w1"})
SETTLED = (Resolved, {"outcome": "solved", "words_id": "w1"})


@pytest.mark.parametrize(
    ("queued", "then"),
    [
        (QUESTION, (InformationReceived, {})),
        (QUESTION, (Withdrawn, {})),
        (OFFER, (SolutionAccepted, {"option": "A", "round": 1})),
        (OFFER, (SolutionDeclined, {"round": 1, "words_id": "w2"})),
        (SETTLED, (Reopened, {"round": 2, "reason": "supervision"})),
        ((Rejected, {"words_id": "w1"}), (Reopened, {"round": 2, "reason": "supervision"})),
        ((FollowUpDue, {}), (SatisfactionRecorded, {"score": 5, "source": "call"})),
    ],
)
async def test_what_a_later_fact_made_untrue_is_taken_back_the_same_night(
    notification: Notification, queued: Fact, then: Fact
) -> None:
    at(notification, NIGHT)
    complaint = known(notification)
    await notification.hear(complaint, fact(queued[0], complaint, **queued[1]))
    await notification.deliver()
    waiting = await told(notification)

    await notification.hear(fact(then[0], complaint, **then[1]))
    await notification.deliver()

    assert [(state, reason) for _, state, reason in waiting] == [("queued", "quiet_hours")]
    assert [row[1:] for row in await told(notification)] == [("skipped", "superseded")]
    assert [kind for kind, _ in await said(notification)] == ["NotificationSkipped"]


async def test_who_is_told_of_a_merger_hears_no_more_of_an_owner_for_it(
    notification: Notification,
) -> None:
    at(notification, NIGHT)
    complaint = known(notification)
    merged = fact(CaseMerged, complaint, into="other", into_number="7K3F-9Q2M-X")
    await notification.hear(complaint, fact(CaseAssigned, complaint), merged)
    await notification.deliver()

    at(notification, MORNING)
    await notification.deliver()

    assert await told(notification) == [
        ("assigned", "skipped", "superseded"),
        ("acknowledgement", "sent", None),
    ]


async def test_a_second_question_is_asked_though_the_first_was_taken_back(
    notification: Notification,
) -> None:
    at(notification, NIGHT)
    complaint = known(notification)
    question = fact(InformationRequested, complaint, words_id="w1")
    answer = fact(InformationReceived, complaint)
    again = fact(InformationRequested, complaint, words_id="w2")
    await notification.hear(complaint, question, answer, again)

    at(notification, MORNING)
    await notification.deliver()

    assert await told(notification) == [
        ("information_requested", "skipped", "superseded"),
        ("information_requested", "sent", None),
    ]


async def test_an_answer_that_comes_while_a_question_is_put_off_is_not_missed(
    notification: Notification,
) -> None:
    at(notification, NIGHT)
    complaint = known(notification)
    await notification.hear(complaint, fact(InformationRequested, complaint, words_id="w1"))
    async with notification.messaging.unit_of_work() as work:
        leased = await lease(
            work.connection, by="other", now=NIGHT, until=NIGHT + timedelta(minutes=1), limit=10
        )

    await notification.hear(fact(InformationReceived, complaint))
    at(notification, MORNING)
    await notification.deliver()

    assert [one.kind for one in leased] == ["information_requested"]
    assert await told(notification) == [("information_requested", "skipped", "superseded")]


async def test_who_was_asked_for_an_approval_is_not_asked_once_it_is_given(
    notification: Notification,
) -> None:
    notification.digest_every = timedelta(minutes=30)
    notification.use(notification.gateways)
    complaint = known(notification)
    notification.neighbours.people = [{"id": "wang.wei", "email": "wang@example.com"}]
    amount = {"amount": "500.00", "currency": "CNY"}
    asked = {"role": "manager", "round": 1, "requested_by": "li.na", "words_id": "w1"}
    given = {"role": "manager", "by": "zhao.min", "requested_by": "li.na"}
    await notification.hear(
        complaint,
        fact(ApprovalRequested, complaint, amount=amount, approver="wang.wei", **asked),
        fact(ApprovalGranted, complaint, amount=amount, **given),
    )

    at(notification, START + timedelta(hours=1))
    await notification.deliver()

    assert (await told(notification, "staff"))[0] == ("staff_approval", "skipped", "superseded")


async def test_an_owed_message_outlives_a_newer_one_that_is_not(notification: Notification) -> None:
    at(notification, NIGHT)
    complaint = known(notification)
    await notification.hear(
        complaint,
        fact(Resolved, complaint, outcome="solved", words_id="w1"),
        fact(Closed, complaint, outcome="solved"),
    )

    at(notification, MORNING)
    await notification.deliver()

    assert [state for _, state, _ in await told(notification)] == ["sent", "sent"]


async def test_a_warning_that_comes_too_late_is_not_sent(notification: Notification) -> None:
    complaint = known(notification)
    notification.neighbours.people = [{"id": "li.na", "email": "li@example.com"}]
    due = START + timedelta(minutes=10)
    warned = fact(ClockWarned, complaint, clock="resolve", due_at=due, share=0.8)
    await notification.hear(complaint, warned)

    at(notification, due)
    await notification.deliver()

    assert await told(notification, "staff") == [("staff_warning", "skipped", "expired")]
