"""Routing, retries, masking and SMS lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notification_service.messages.domain import intents
from services.notification_service.messages.domain.intents import Intent
from services.notification_service.messages.domain.results import (
    Progress,
    not_accepted,
    refused,
    uncertain,
)
from services.notification_service.messages.domain.retry import MOST_TRIES, pause_after
from services.notification_service.messages.domain.routing import Route, channel_for
from services.notification_service.messages.domain.words import Kind, State
from services.notification_service.messages.repository.routing import packaged_table
from services.notification_service.recipients.domain.masking import masked
from services.notification_service.templates.domain.scene import shortened
from services.notification_service.templates.domain.sms import economical, measure
from shared.events.base import EventData
from shared.events.cases import ClockExtended, ClockWarned, Escalated, PromiseDelayed
from shared.events.words import MessageChannel

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PAUSE = timedelta(seconds=2)
SMS, EMAIL = MessageChannel.SMS, MessageChannel.EMAIL


TABLE = packaged_table()


def intents_of(event: EventData) -> Sequence[Intent]:
    return intents.intents_of(event, TABLE)


def row(kind: Kind) -> Route:
    found = TABLE.row(None, kind)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "known", "tried", "expected"),
    [
        (Kind.ACKNOWLEDGEMENT, {SMS, EMAIL}, (), SMS),
        (Kind.ACKNOWLEDGEMENT, {EMAIL}, (), EMAIL),
        (Kind.ACKNOWLEDGEMENT, {SMS, EMAIL}, ("sms",), EMAIL),
        (Kind.PROPOSAL, {SMS, EMAIL}, (), EMAIL),
        (Kind.PROPOSAL, {SMS}, (), SMS),
        (Kind.PROPOSAL, set(), (), None),
        (Kind.PROPOSAL, {EMAIL}, ("email",), None),
    ],
)
def test_the_channel_follows_the_route_and_what_is_known(
    kind: Kind, known: set[MessageChannel], tried: tuple[str, ...], expected: MessageChannel | None
) -> None:
    chosen = channel_for(row(kind).order("normal"), known=known, tried=tried)

    assert chosen == expected


def test_an_urgent_breach_reaches_the_owner_by_sms() -> None:
    chosen = channel_for(row(Kind.STAFF_BREACH).order("immediate"), known={SMS, EMAIL})

    assert chosen == SMS


def test_a_warning_of_the_acknowledgement_is_told_to_nobody() -> None:
    warning = ClockWarned(
        complaint_id="c", number="n", state="assigned", version=1,
        clock="acknowledge", due_at=NOW, share=0.5, owner="li.na",
    )  # fmt: skip

    assert not intents_of(warning)


def test_an_escalation_is_told_to_its_new_owner() -> None:
    escalation = Escalated(
        complaint_id="c", number="n", state="assigned", version=2,
        level=1, previous_level=0, cause="breach", owner="wang.wei",
    )  # fmt: skip

    (intent,) = intents_of(escalation)

    assert (intent.kind, intent.recipient) == (Kind.STAFF_ESCALATION, "wang.wei")
    assert intent.facts["level"] == 1


@given(tries=st.integers(1, 50), jitter=st.floats(0, 1), seconds=st.integers(1, 486))
def test_pauses_are_never_short_and_never_over_the_longest(
    tries: int, jitter: float, seconds: int
) -> None:
    longest = timedelta(seconds=seconds)

    pause = pause_after(tries, jitter=jitter, longest=longest)

    assert min(longest, timedelta(seconds=2)) / 2 <= pause <= longest


def test_pauses_grow_threefold() -> None:
    pauses = [
        pause_after(tries, jitter=1, longest=timedelta(seconds=20)).total_seconds()
        for tries in (1, 2, 3, 4)
    ]

    assert pauses == [2, 6, 18, 20]


def test_the_last_try_gives_the_channel_up() -> None:
    result = not_accepted(Progress(SMS, MOST_TRIES), "busy", now=NOW, pause=PAUSE)

    assert result.state is State.QUEUED
    assert result.progress == Progress(None, 0, ("sms",))


def test_the_last_try_leaves_to_a_person_what_may_have_been_taken_before() -> None:
    first = uncertain(Progress(SMS, 1), "no answer", repeatable=True, now=NOW, pause=PAUSE)
    last = replace(first.progress, tries=MOST_TRIES)

    result = not_accepted(last, "busy", now=NOW, pause=PAUSE)

    assert (first.state, first.next_attempt_at) == (State.QUEUED, NOW + PAUSE)
    assert (result.state, result.reason) == (State.UNKNOWN, "busy")


def test_a_refusal_tells_that_nothing_was_taken_before() -> None:
    result = refused(Progress(SMS, 3, doubtful=True), "no such number", now=NOW)

    assert result.state is State.QUEUED
    assert result.progress == Progress(None, 0, ("sms",))


def test_an_uncertain_message_stays_unknown_after_the_last_try() -> None:
    result = uncertain(
        Progress(EMAIL, MOST_TRIES), "no answer", repeatable=True, now=NOW, pause=PAUSE
    )

    assert result.state is State.UNKNOWN


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("+8613800138000", "138****8000"),
        ("+86 138 0013 8000", "138****8000"),
        ("+4915112345678", "+49****5678"),
        ("110", "****"),
        ("wang@example.com", "w***@example.com"),
    ],
)
def test_an_address_is_shown_so_that_only_its_owner_knows_it(address: str, shown: str) -> None:
    assert masked(address) == shown


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("€" * 80, "GSM-7", 160, 1),
        ("a" * 152 + "€" * 5, "GSM-7", 162, 2),
        ("字" * 70, "UCS-2", 70, 1),
        ("字" * 71, "UCS-2", 71, 2),
        ("字" * 134, "UCS-2", 134, 2),
        ("字" * 135, "UCS-2", 135, 3),
        ("字" * 66 + "😀" * 3, "UCS-2", 72, 2),
        ("😀" * 67, "UCS-2", 134, 3),
    ],
)
def test_an_sms_is_measured_as_the_network_does(
    text: str, encoding: str, units: int, segments: int
) -> None:
    length = measure(text)

    assert (length.encoding, length.units, length.segments) == (encoding, units, segments)


@given(words=st.text(max_size=200), most=st.integers(2, 60))
def test_shortened_words_fit_and_stand_on_one_line(words: str, most: int) -> None:
    short = shortened(words, most)

    assert len(short) <= most
    assert "\n" not in short


def test_words_are_shortened_between_words() -> None:
    assert shortened("The parcel never arrived at my door", 28) == "The parcel never arrived at…"


def test_typographic_marks_do_not_double_the_price_of_an_english_sms() -> None:
    assert economical("It’s “fine”…") == 'It\'s "fine"...'
    assert economical("“没事”…") == "“没事”…"


def test_an_escalation_is_told_to_both_and_to_a_customer_who_asked() -> None:
    told = intents_of(
        Escalated(
            complaint_id="c", number="n", state="assigned", version=2,
            level=3, previous_level=0, cause="customer", owner="tang.wei",
            previous_owner="li.na", asked_by_customer=True,
        )
    )  # fmt: skip

    assert [(intent.kind, intent.recipient) for intent in told] == [
        (Kind.ESCALATED, "customer"),
        (Kind.STAFF_ESCALATION, "tang.wei"),
        (Kind.STAFF_HANDED_UP, "li.na"),
    ]


def test_an_emergency_pages_who_is_on_duty() -> None:
    (told,) = intents_of(
        Escalated(
            complaint_id="c", number="n", state="assigned", version=2,
            level=2, previous_level=0, cause="emergency", owner="feng.gang", emergency=True,
        )
    )  # fmt: skip

    assert told.kind is Kind.STAFF_EMERGENCY
    assert channel_for(row(told.kind).order("normal"), known={SMS, EMAIL}) == SMS


def test_a_delay_that_came_by_itself_is_told_to_the_owner_too() -> None:
    delay = PromiseDelayed(
        complaint_id="c", number="n", state="executing", version=2,
        promise="p", due_at=NOW, new_due_at=NOW + timedelta(hours=5), owner="li.na",
        by_itself=True, words_id="w",
    )  # fmt: skip

    told = intents_of(delay)
    said = intents_of(delay.model_copy(update={"by_itself": False}))

    assert [intent.kind for intent in told] == [Kind.PROMISE_DELAYED, Kind.STAFF_PROMISE_DELAYED]
    assert [intent.kind for intent in said] == [Kind.PROMISE_DELAYED]


@pytest.mark.parametrize(
    ("clock", "kinds"),
    [
        ("resolve", [Kind.EXTENDED]),
        ("cn-banking-insurance.answer", [Kind.EXTENDED]),
        ("department_answer", []),
    ],
)
def test_more_time_is_told_to_customers_where_they_wait_for_it(
    clock: str, kinds: list[Kind]
) -> None:
    extension = ClockExtended(
        complaint_id="c", number="n", state="investigating", version=2,
        clock=clock, policy="company@2", due_at=NOW,
    )  # fmt: skip

    assert [intent.kind for intent in intents_of(extension)] == kinds
