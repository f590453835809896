"""When a message goes: by night and day, by wish and limit, and what is never sent, with why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from services.notification_service.gateways.domain.port import Uncertain
from services.notification_service.messages.models import notifications
from services.notification_service.messages.repository import deliveries
from services.notification_service.messages.repository.intents import knows_customer
from services.notification_service.messages.repository.standing import reconsider_customer
from services.notification_service.messages.service.judging import Judge
from services.notification_service.messages.service.reading import Archive
from services.notification_service.preferences.domain.choices import Preferences
from services.notification_service.preferences.service import PreferenceBook
from shared.events.base import ComplaintEvent, WorkflowEvent
from shared.events.cases import (
    CaseAssigned,
    CaseTransferred,
    ClockWarned,
    Closed,
    InformationRequested,
    Resolved,
    SolutionProposed,
    StepCarriedOut,
)
from shared.events.complaints import ComplaintReceived, ComplaintRegraded
from shared.http.pagination import PageRequest
from shared.messaging import UnitOfWork
from tests.service.notification.conftest import MANNERS, START, Notification, opened, received
from tests.service.notification.test_sending import Scripted, crash_while_sending, gateways
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


async def test_calm_news_of_the_night_come_in_the_morning_also_after_a_restart(
    notification: Notification,
) -> None:
    at(notification, NIGHT)
    complaint = known(notification)
    await notification.hear(complaint, opened(complaint), fact(CaseAssigned, complaint))

    await notification.deliver()
    assert await told(notification) == [
        ("acknowledgement", "sent", None),
        ("assigned", "queued", "quiet_hours"),
    ]

    notification.use(notification.gateways)
    await notification.sender.take_over(everything=True)
    at(notification, MORNING - timedelta(seconds=1))
    await notification.deliver()
    assert (await told(notification))[1] == ("assigned", "queued", "quiet_hours")

    at(notification, MORNING)
    await notification.deliver()
    assert (await told(notification))[1] == ("assigned", "sent", None)
    assert [kind for kind, _ in await said(notification)] == ["NotificationSent"] * 2


@pytest.mark.parametrize(
    ("region", "chosen", "said"),
    [
        ("CN-31", {}, "11月24日（周二）10:00前"),
        ("US-CA", {}, "11月23日（周一）18:00（洛杉矶时间）前"),
        ("US-CA", {"timezone": "Europe/Berlin"}, "11月24日（周二）03:00（柏林时间）前"),
    ],
)
async def test_times_are_those_of_the_customers_own_clock(
    notification: Notification, region: str, chosen: dict[str, object], said: str
) -> None:
    complaint = known(notification, region=region)
    await notification.hear(complaint)
    await choose(notification, complaint, **chosen)

    await notification.hear(opened(complaint))
    await notification.deliver()

    (file,) = notification.files()
    assert said in file.read_text(encoding="utf-8")


async def test_judging_costs_the_same_statements_for_one_message_as_for_many(
    notification: Notification,
) -> None:
    counted: list[int] = []
    for many in (1, 40):
        complaints = [known(notification) for _ in range(many)]
        await notification.hear(*complaints)
        await notification.hear(*(fact(CaseAssigned, of) for of in complaints))
        statements: list[object] = []

        def note(*given: object) -> None:
            statements.append(given)  # noqa: B023 - taken off before the next round

        engine = notification.database._reader.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        now = notification.clock.now()
        async with notification.database.write() as connection:
            rows = await deliveries.lease(
                connection, by="r", now=now, until=now + timedelta(minutes=2), limit=100
            )
        before = len(statements)
        judge = Judge(
            notification.database, routing=notification.routing, manners=notification.manners
        )
        judged = await judge.judge(rows, now=now)
        event.remove(engine, "before_cursor_execute", note)

        assert len(judged.going) == len(rows) == many * 2
        counted.append(len(statements) - before)

    # Preferences, what is newer, what was sent lately; SQLite counts its BEGIN.
    assert counted[0] == counted[1] <= 4


async def test_what_waited_goes_out_oldest_first(notification: Notification) -> None:
    sms = Scripted()
    notification.use(gateways(sms=sms))
    at(notification, NIGHT)
    complaints = [known(notification) for _ in range(5)]
    for complaint in complaints:
        await notification.hear(complaint, fact(CaseAssigned, complaint))
        await notification.deliver()
        notification.clock.advance(timedelta(minutes=7))
    assert not sms.taken

    at(notification, MORNING)
    await notification.deliver()

    assert [message.number for message in sms.taken] == [one.number for one in complaints]


@pytest.mark.parametrize(
    ("region", "state"), [("US-NY", "sent"), ("CN-31", "queued"), ("north-2", "queued")]
)
async def test_the_night_is_that_of_the_region(
    notification: Notification, region: str, state: str
) -> None:
    at(notification, NIGHT)
    complaint = known(notification, region=region)

    await notification.hear(complaint, fact(CaseAssigned, complaint))
    await notification.deliver()

    assert [one[1] for one in await told(notification)] == [state]


async def test_urgent_news_pass_the_night_also_where_they_become_urgent_later(
    notification: Notification,
) -> None:
    at(notification, NIGHT)
    urgent, calm = known(notification, urgency="high"), known(notification)
    await notification.hear(urgent, calm, fact(CaseAssigned, urgent), fact(CaseAssigned, calm))
    await notification.deliver()
    assert [state for _, state, _ in await told(notification)] == ["sent", "queued"]

    await notification.hear(regraded(calm, urgency="immediate"))
    await notification.deliver()

    assert [state for _, state, _ in await told(notification)] == ["sent", "sent"]


async def test_a_changed_wish_holds_for_what_waits_already(notification: Notification) -> None:
    at(notification, NIGHT)
    free, silent = known(notification), known(notification)
    await notification.hear(free, silent, fact(CaseAssigned, free), fact(CaseAssigned, silent))
    await notification.deliver()
    assert [reason for _, _, reason in await told(notification)] == ["quiet_hours"] * 2

    await choose(notification, free, quiet_hours={"from": "00:00", "to": "00:00"})
    await choose(notification, silent, do_not_contact=True)
    await notification.deliver()

    assert await told(notification) == [
        ("assigned", "sent", None),
        ("assigned", "skipped", "no_consent"),
    ]


async def test_the_wished_channel_comes_first_and_the_other_stays_the_fallback(
    notification: Notification,
) -> None:
    sms, email = Scripted(), Scripted()
    notification.use(gateways(sms=sms, email=email))
    complaint = known(notification)
    await notification.hear(complaint)
    await choose(notification, complaint, channel="email", locale="en")

    await notification.hear(opened(complaint))
    await notification.deliver()

    (mail,) = email.taken
    assert not sms.taken
    assert mail.subject is not None
    assert mail.subject.startswith("We have your complaint")


async def test_a_refused_channel_is_used_only_for_what_is_owed(notification: Notification) -> None:
    sms = Scripted()
    notification.use(gateways(sms=sms))
    complaint = received()
    notification.knows(complaint, phone=PHONE)
    await notification.hear(complaint)
    await choose(notification, complaint, consent={"service": {"sms": False}})

    await notification.hear(opened(complaint), fact(CaseAssigned, complaint))
    await notification.deliver()

    assert await told(notification) == [
        ("acknowledgement", "sent", None),
        ("assigned", "skipped", "no_consent"),
    ]
    skipped = [data for kind, data in await said(notification) if kind == "NotificationSkipped"]
    assert [data["reason"] for data in skipped] == ["no_consent"]


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


async def test_too_many_calm_news_wait_their_turn_and_none_is_lost(
    notification: Notification,
) -> None:
    notification.manners = replace(MANNERS, per_hour=4)
    notification.use(gateways())
    complaint = known(notification)
    await notification.hear(complaint, opened(complaint))
    await notification.hear(
        *(fact(StepCarriedOut, complaint, words_id=f"w{n}") for n in range(1, 7))
    )

    await notification.deliver()

    # The acknowledgement counts as well, though it would never have waited.
    assert (await told(notification))[1:] == [
        *[("step", "sent", None)] * 3,
        *[("step", "queued", "rate_limited")] * 3,
    ]

    notification.clock.advance(timedelta(hours=1))
    await notification.deliver()
    assert [state for _, state, _ in await told(notification)] == ["sent"] * 7


async def test_what_may_have_gone_out_counts_from_when_it_may(notification: Notification) -> None:
    sms = Scripted([Uncertain("no answer")] * 4, repeatable=False)
    notification.use(gateways(sms=sms))
    complaint = known(notification)
    await notification.hear(complaint)
    for name in ("w1", "w2", "w3", "w4"):
        await notification.hear(fact(StepCarriedOut, complaint, kind="other", words_id=name))
        await notification.deliver()

    notification.clock.advance(timedelta(minutes=61))
    await notification.hear(fact(StepCarriedOut, complaint, kind="other", words_id="w5"))
    await notification.deliver()

    assert [state for _, state, _ in await told(notification)] == ["unknown"] * 4 + ["sent"]


async def test_the_outbox_finds_a_complaint_by_index(notification: Notification) -> None:
    complaint = known(notification)
    await notification.hear(complaint, opened(complaint))
    seen: list[tuple[str, Any]] = []
    engine = notification.database._reader.sync_engine

    def keep(_c: Any, _k: Any, statement: str, parameters: Any, *_more: Any) -> None:
        seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", keep)
    archive = Archive(database=notification.database, vault=notification.vault)
    found = await archive.shown(PageRequest(), complaint.number)
    event.remove(engine, "before_cursor_execute", keep)

    assert [one.stored.number for one in found] == [complaint.number]
    if engine.dialect.name == "sqlite":
        async with notification.database.read() as connection:
            for statement, parameters in seen:
                if statement.startswith("SELECT"):
                    asked = f"EXPLAIN QUERY PLAN {statement}"
                    plan = (await connection.exec_driver_sql(asked, parameters)).mappings().all()
                    assert not [step for step in plan if step["detail"].startswith("SCAN")]


async def test_the_limit_is_one_persons_over_all_their_complaints(
    notification: Notification,
) -> None:
    notification.manners = replace(MANNERS, per_hour=2)
    notification.use(gateways())
    one = known(notification)
    other = known(notification, customer_id=one.customer_id)
    stranger = known(notification)
    everyone: Sequence[ComplaintReceived] = (one, other, stranger)
    await notification.hear(*everyone)

    await notification.hear(*(fact(CaseAssigned, of) for of in everyone))
    await notification.hear(*(fact(StepCarriedOut, of, words_id="w1") for of in everyone))
    await notification.deliver()

    states = [state for _, state, _ in await told(notification)]
    assert states == ["sent", "sent", "sent", "queued", "queued", "sent"]
