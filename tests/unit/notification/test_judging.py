"""What may go now, what waits and what is never sent; no table can break these rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import JsonValue

from services.notification_service.messages.domain.judging import (
    Manners,
    Newer,
    Person,
    Skip,
    Wait,
    Waiting,
    free_at,
    held_for,
    skipped_for,
)
from services.notification_service.messages.domain.words import Kind, Reason
from services.notification_service.messages.repository.routing import packaged_table, routing_table
from services.notification_service.preferences.domain.choices import (
    NOTHING_CHOSEN,
    Preferences,
    QuietHours,
)
from services.notification_service.preferences.domain.wishes import Purpose, channels_left
from shared.events.words import MessageChannel
from shared.kernel.errors import ConfigurationError

SMS, EMAIL = MessageChannel.SMS, MessageChannel.EMAIL
TABLE = packaged_table()
NIGHT = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)  # 02:00 in Shanghai, 13:00 in New York
MORNING = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
MANNERS = Manners(
    zone=ZoneInfo("Asia/Shanghai"),
    quiet_hours=QuietHours.model_validate({"from": "22:00", "to": "08:00"}),
    per_hour=2,
    per_day=3,
)
ANYBODY = Person(NOTHING_CHOSEN, None, ())


def waiting(kind: str, **changes: object) -> Waiting:
    route = TABLE.row(None, kind)
    assert route is not None
    plain = Waiting(
        id="1",
        complaint_id="c",
        recipient="customer" if route.audience == "customer" else "li.na",
        kind=kind,
        facts={},
        created_at=NIGHT,
        untouched=True,
        route=route,
        is_urgent=route.is_urgent("normal"),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # fields of a test's own choice


def newer(kind: str, *, recipient: str = "customer", id: str = "2", **facts: JsonValue) -> Newer:  # noqa: A002
    return Newer(id, "c", recipient, kind, None, facts)


def chosen(**fields: object) -> Preferences:
    return Preferences.model_validate(fields)


@pytest.mark.parametrize(
    ("older", "by", "reason"),
    [
        ("assigned", newer("transferred"), Reason.SUPERSEDED),
        ("assigned", newer("resolved"), Reason.SUPERSEDED),
        ("progress", newer("proposal"), Reason.SUPERSEDED),
        ("proposal", newer("proposal"), Reason.SUPERSEDED),
        ("assigned", newer("progress"), None),
        ("assigned", newer("transferred", id="0"), None),
        ("resolved", newer("closed"), None),
        ("reopened", newer("rejected"), Reason.SUPERSEDED),
        ("promise", newer("rejected"), Reason.SUPERSEDED),
        ("promise", newer("resolved"), None),
        ("acknowledgement", newer("resolved"), None),
        ("staff_warning", newer("staff_breach", recipient="somebody"), None),
        ("staff_warning", newer("staff_breach", recipient="li.na"), Reason.SUPERSEDED),
    ],
)
def test_a_newer_fact_replaces_what_it_makes_pointless(
    older: str, by: Newer, reason: Reason | None
) -> None:
    found = skipped_for(waiting(older), [by], TABLE, now=NIGHT)

    assert found == (Skip(reason) if reason else None)


@pytest.mark.parametrize(
    ("clock", "due_at", "is_replaced"),
    [("resolve", "d1", True), ("first_reply", "d1", False), ("resolve", "d2", False)],
)
def test_a_breach_replaces_the_warning_of_its_own_clock_only(
    clock: str, due_at: str, is_replaced: bool
) -> None:
    due = (NIGHT + timedelta(hours=1)).isoformat()
    warning = waiting("staff_warning", facts={"clock": "resolve", "due_at": due})
    breach = newer(
        "staff_breach", recipient="li.na", clock=clock, due_at=due if due_at == "d1" else "later"
    )

    assert (skipped_for(warning, [breach], TABLE, now=NIGHT) is not None) is is_replaced


def test_what_a_gateway_may_have_had_is_neither_superseded_nor_too_late() -> None:
    tried = waiting("assigned", untouched=False)
    much_later = NIGHT + timedelta(days=9)

    assert skipped_for(tried, [newer("resolved")], TABLE, now=much_later) is None


@pytest.mark.parametrize(
    ("kind", "after", "is_late"),
    [
        ("assigned", timedelta(hours=47), False),
        ("assigned", timedelta(days=2), True),
        ("progress", timedelta(days=1), True),
        ("resolved", timedelta(days=900), False),
    ],
)
def test_what_is_of_no_use_any_more_expires(kind: str, after: timedelta, is_late: bool) -> None:
    found = skipped_for(waiting(kind), [], TABLE, now=NIGHT + after)

    assert found == (Skip(Reason.EXPIRED) if is_late else None)


def test_a_warning_expires_when_what_it_warns_of_has_happened() -> None:
    due = NIGHT + timedelta(minutes=5)
    warning = waiting("staff_warning", facts={"clock": "resolve", "due_at": due.isoformat()})

    assert skipped_for(warning, [], TABLE, now=NIGHT) is None
    assert skipped_for(warning, [], TABLE, now=due) == Skip(Reason.EXPIRED)


def test_what_a_later_fact_made_untrue_is_not_sent_though_it_is_owed() -> None:
    question = waiting("information_requested", is_withdrawn=True)
    tried = replace(question, untouched=False)

    assert skipped_for(question, [], TABLE, now=NIGHT) == Skip(Reason.SUPERSEDED)
    assert skipped_for(tried, [], TABLE, now=NIGHT) is None


def test_a_row_that_is_turned_off_comes_before_every_other_reason() -> None:
    row = waiting("assigned").route.model_copy(update={"enabled": False})

    found = skipped_for(waiting("assigned", route=row), [newer("resolved")], TABLE, now=NIGHT)

    assert found == Skip(Reason.DISABLED)


def test_calm_news_wait_for_the_morning_and_urgent_ones_do_not() -> None:
    until_morning = Wait(Reason.QUIET_HOURS, MORNING)

    assert held_for(waiting("assigned"), ANYBODY, MANNERS, now=NIGHT) == until_morning
    assert held_for(waiting("resolved"), ANYBODY, MANNERS, now=NIGHT) == until_morning
    assert held_for(waiting("assigned", is_urgent=True), ANYBODY, MANNERS, now=NIGHT) is None
    assert held_for(waiting("staff_breach"), ANYBODY, MANNERS, now=NIGHT) is None


@pytest.mark.parametrize(("hours", "waits"), [(5, False), (7, True)])
def test_a_delay_is_told_before_the_promise_is_missed_also_at_night(
    hours: int, waits: bool
) -> None:
    promised = (NIGHT + timedelta(hours=hours)).isoformat()
    delayed = waiting("promise_delayed", facts={"due_at": promised})

    held = held_for(delayed, ANYBODY, MANNERS, now=NIGHT)

    assert held == (Wait(Reason.QUIET_HOURS, MORNING) if waits else None)


def test_the_acknowledgement_goes_at_any_hour_and_however_much_was_sent() -> None:
    flooded = Person(NOTHING_CHOSEN, None, [NIGHT] * 50)

    assert held_for(waiting("acknowledgement"), flooded, MANNERS, now=NIGHT) is None


def test_night_is_by_the_customers_clock_where_it_is_known_else_by_the_companys() -> None:
    in_new_york = Person(NOTHING_CHOSEN, ZoneInfo("America/New_York"), ())
    in_tokyo = Person(NOTHING_CHOSEN, ZoneInfo("Asia/Tokyo"), ())

    assert held_for(waiting("assigned"), in_new_york, MANNERS, now=NIGHT) is None
    wait = held_for(waiting("assigned"), in_tokyo, MANNERS, now=NIGHT)
    assert wait == Wait(Reason.QUIET_HOURS, MORNING - timedelta(hours=1))


def test_who_wants_no_contact_gets_only_what_is_owed() -> None:
    person = Person(chosen(do_not_contact=True), None, ())
    urgent = waiting("assigned", is_urgent=True)

    assert held_for(urgent, person, MANNERS, now=NIGHT) == Skip(Reason.NO_CONSENT)
    assert held_for(waiting("resolved"), person, MANNERS, now=MORNING) is None


def test_own_quiet_hours_come_before_the_companys() -> None:
    none = Person(chosen(quiet_hours={"from": "00:00", "to": "00:00"}), None, ())
    long = Person(chosen(quiet_hours={"from": "00:00", "to": "09:30"}), None, ())
    by_day = replace(MANNERS, quiet_hours=None)

    assert held_for(waiting("assigned"), none, MANNERS, now=NIGHT) is None
    found = held_for(waiting("assigned"), long, by_day, now=NIGHT)
    assert found == Wait(Reason.QUIET_HOURS, MORNING + timedelta(minutes=90))


def test_more_than_enough_waits_until_the_oldest_is_long_ago() -> None:
    told = [MORNING + timedelta(minutes=minutes) for minutes in (0, 20)]
    now = MORNING + timedelta(minutes=30)
    person = Person(NOTHING_CHOSEN, None, told)

    found = held_for(waiting("assigned"), person, MANNERS, now=now)

    assert found == Wait(Reason.RATE_LIMITED, MORNING + timedelta(hours=1))
    assert held_for(waiting("resolved"), person, MANNERS, now=now) is None
    no_limit = replace(MANNERS, per_hour=0, per_day=0)
    assert held_for(waiting("assigned"), person, no_limit, now=now) is None


def test_planned_messages_count_so_that_each_hour_keeps_its_limit() -> None:
    now, planned = MORNING, list[datetime]()
    for _ in range(3):
        planned.append(free_at(planned, replace(MANNERS, per_day=0), now=now))

    assert planned == [now, now, now + timedelta(hours=1)]


def test_the_limit_of_the_day_holds_when_that_of_the_hour_is_kept() -> None:
    told = [MORNING, MORNING + timedelta(hours=2), MORNING + timedelta(hours=4)]

    free = free_at(told, MANNERS, now=MORNING + timedelta(hours=6))

    assert free == MORNING + timedelta(days=1)


@pytest.mark.parametrize(
    ("choice", "owed", "left"),
    [
        ({}, False, (SMS, EMAIL)),
        ({"channel": "email"}, False, (EMAIL, SMS)),
        ({"consent": {"service": {"sms": False}}}, False, (EMAIL,)),
        ({"consent": {"service": {"sms": False}}}, True, (EMAIL, SMS)),
        ({"channel": "sms", "consent": {"service": {"sms": False}}}, True, (EMAIL, SMS)),
        ({"do_not_contact": True}, False, ()),
        ({"do_not_contact": True}, True, (SMS, EMAIL)),
        ({"consent": {"survey": {"sms": False, "email": False}}}, False, (SMS, EMAIL)),
    ],
)
def test_choices_order_and_close_channels(
    choice: dict[str, object], owed: bool, left: tuple[MessageChannel, ...]
) -> None:
    found = channels_left((SMS, EMAIL), chosen(**choice), purpose=Purpose.SERVICE, is_owed=owed)

    assert found == left


@pytest.mark.parametrize(
    ("survey", "needs", "left"),
    [
        ({}, False, (SMS, EMAIL)),
        ({}, True, ()),
        ({"email": True}, True, (EMAIL,)),
        ({"email": False}, False, (SMS,)),
    ],
)
def test_a_survey_goes_by_its_own_consent(
    survey: dict[str, bool], needs: bool, left: tuple[MessageChannel, ...]
) -> None:
    wishes = chosen(consent={"survey": survey, "service": {"sms": False}})

    found = channels_left(
        (SMS, EMAIL), wishes, purpose=Purpose.SURVEY, is_owed=False, needs_consent=needs
    )

    assert found == left


@pytest.mark.parametrize(
    "row",
    [
        "closed: {supersedes: [resolved]}",
        "resolved: {supersedes: [acknowledgement]}",
        "progress: {supersedes: [acknowledgement]}",
    ],
)
def test_a_table_in_which_something_owed_could_get_lost_is_refused(
    tmp_path: Path, row: str
) -> None:
    own = tmp_path / "ours.yaml"
    own.write_text(row, encoding="utf-8")

    with pytest.raises(ConfigurationError, match="cannot supersede"):
        routing_table(own)


def test_the_acknowledgement_is_urgent_and_owed() -> None:
    rows = [row for row in TABLE.rows.values() if row.kind == Kind.ACKNOWLEDGEMENT]

    assert rows
    assert all(row.is_urgent("low") and row.mandatory for row in rows)
