"""When a message goes: by night and day, and by the wishes of who gets it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event

from services.notification_service.messages.repository import deliveries
from services.notification_service.messages.service.judging import Judge
from shared.events.cases import (
    CaseAssigned,
)
from tests.service.notification.conftest import Notification, opened, received
from tests.service.notification.telling import (
    MORNING,
    NIGHT,
    PHONE,
    at,
    choose,
    fact,
    known,
    regraded,
    said,
    told,
)
from tests.service.notification.test_sending import Scripted, gateways


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


@pytest.mark.parametrize(
    ("reached", "region", "said"),
    [
        ({"phone": "+447400123456", "locale": "en"}, None, "10:00 (Shanghai time)"),
        ({"phone": "+447400123456", "locale": "zh-CN"}, None, "10:00（北京时间）"),
        ({"phone": PHONE, "locale": "en"}, "north-2", "10:00 (Shanghai time)"),
        ({"phone": PHONE, "locale": "zh-CN"}, None, "10:00前"),
        ({"phone": "+447400123456", "locale": "en"}, "CN-31", "10:00."),
        ({"phone": "+447400123456", "locale": "en"}, "GB-LND", "02:00 (London time)"),
    ],
)
async def test_who_may_be_abroad_is_told_whose_time_it_is(
    notification: Notification, reached: dict[str, str], region: str | None, said: str
) -> None:
    complaint = received(region=region)
    notification.knows(complaint, **reached)
    await notification.hear(complaint)

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
