"""Promises: the owner is warned, the customer hears before one is missed, and none is forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from services.workflow_service.cases.domain.actions import decide
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Change
from services.workflow_service.cases.domain.lifecycle import Action
from services.workflow_service.cases.domain.promise import PromiseState
from services.workflow_service.cases.domain.promises import (
    Commitment,
    Delay,
    PromiseOver,
    delay_promise,
    keep_promise,
    make_promise,
)
from services.workflow_service.cases.domain.reactions import acknowledged, fire_due
from shared.events.cases import ClockWarned, Escalated, PromiseBroken, PromiseDelayed
from shared.kernel.errors import InvalidInput
from tests.unit.workflow.rules import MONDAY_NOON, RULES, command, opened

HOUR = timedelta(hours=1)


def quiet_case() -> Case:
    """Return a case in which nothing but its promises has a clock for the next days."""
    receipt = acknowledged(opened(), at=MONDAY_NOON, sent=True, now=MONDAY_NOON, rules=RULES)
    assert receipt is not None
    at = MONDAY_NOON
    return decide(receipt.case, command(Action.RESOLVE, at), now=at, rules=RULES).case


def promised(case: Case, due_at: datetime) -> Case:
    made = Commitment("p1", "w1", "24 小时内补发", "li.na", MONDAY_NOON, due_at)
    return make_promise(case, made, now=MONDAY_NOON, rules=RULES).case


def passed(case: Case, at: datetime) -> Change:
    change = fire_due(case, now=at, rules=RULES)
    assert change is not None
    return change


def test_a_promise_is_not_kept_before_it_was_made() -> None:
    made_at = MONDAY_NOON + 3 * HOUR
    made = Commitment("p1", "w1", "24 小时内补发", "li.na", made_at, made_at + 2 * HOUR)
    case = make_promise(opened(), made, now=made_at, rules=RULES).case

    with pytest.raises(InvalidInput) as refused:
        keep_promise(case, "p1", by="li.na", at=made_at - HOUR, now=made_at + HOUR, rules=RULES)

    assert [error.pointer for error in refused.value.errors] == ["/occurred_at"]
    kept = keep_promise(case, "p1", by="li.na", at=made_at, now=made_at + HOUR, rules=RULES)
    assert kept.case.promises[0].kept_at == made_at


def test_the_customer_hears_before_a_promise_is_missed_and_gets_a_new_time() -> None:
    case = promised(quiet_case(), MONDAY_NOON + 10 * HOUR)

    warned = passed(case, MONDAY_NOON + 8 * HOUR)
    delayed = passed(warned.case, MONDAY_NOON + 9 * HOUR)

    assert [type(said.event) for said in warned.said] == [ClockWarned, ClockWarned]
    told = delayed.said[0].event
    assert isinstance(told, PromiseDelayed)
    assert told.by_itself
    assert (told.due_at, told.new_due_at) == (MONDAY_NOON + 10 * HOUR, MONDAY_NOON + 15 * HOUR)
    assert delayed.case.promises[0].due_at == MONDAY_NOON + 15 * HOUR


def test_a_promise_delayed_by_itself_once_is_broken_the_next_time_and_escalates() -> None:
    case = promised(quiet_case(), MONDAY_NOON + 10 * HOUR)

    case = passed(case, MONDAY_NOON + 9 * HOUR).case
    change = passed(case, MONDAY_NOON + 15 * HOUR)

    told = [type(said.event) for said in change.said]
    assert told[-2:] == [PromiseBroken, Escalated]
    assert PromiseDelayed not in told
    assert change.case.promises[0].state is PromiseState.BROKEN


def test_a_kept_promise_is_silent_afterwards() -> None:
    case = promised(quiet_case(), MONDAY_NOON + 10 * HOUR)
    at = MONDAY_NOON + HOUR

    kept = keep_promise(case, "p1", by="li.na", at=at, now=at, rules=RULES).case

    assert kept.promises[0].state is PromiseState.KEPT
    assert fire_due(kept, now=MONDAY_NOON + 20 * HOUR, rules=RULES) is None


def test_a_promise_kept_after_it_was_broken_has_both_times() -> None:
    case = promised(quiet_case(), MONDAY_NOON + 10 * HOUR)
    late = MONDAY_NOON + 20 * HOUR

    kept = keep_promise(case, "p1", by="li.na", at=late, now=late, rules=RULES).case.promises[0]

    assert kept.state is PromiseState.KEPT
    assert kept.broken_at is not None
    assert kept.kept_at == late


def test_a_new_time_warns_anew_and_must_be_later() -> None:
    case = promised(quiet_case(), MONDAY_NOON + 10 * HOUR)
    now = MONDAY_NOON + 6 * HOUR
    case = passed(case, now).case

    later = Delay("p1", MONDAY_NOON + 40 * HOUR, "缺货", "r1", "li.na")
    moved = delay_promise(case, later, now=now, rules=RULES).case

    warned = passed(moved, MONDAY_NOON + 20 * HOUR)
    assert [type(said.event) for said in warned.said] == [ClockWarned]
    with pytest.raises(InvalidInput, match="already"):
        delay_promise(
            moved,
            Delay("p1", MONDAY_NOON + 30 * HOUR, "缺货", "r2", "li.na"),
            now=now,
            rules=RULES,
        )


def test_a_broken_promise_cannot_be_moved() -> None:
    case = promised(quiet_case(), MONDAY_NOON + 10 * HOUR)
    now = MONDAY_NOON + 30 * HOUR

    with pytest.raises(PromiseOver, match="make a new one"):
        delay_promise(case, Delay("p1", now + HOUR, "缺货", "r1", "li.na"), now=now, rules=RULES)


def test_closing_the_case_leaves_no_promise_behind() -> None:
    case = promised(quiet_case(), MONDAY_NOON + 10 * HOUR)
    at = MONDAY_NOON + HOUR

    closed = decide(case, command(Action.CLOSE, at), now=at, rules=RULES).case

    assert closed.promises[0].state is PromiseState.VOID
    assert closed.next_point() is None
    made = Commitment("p2", "w2", "再补发", "li.na", at, at + HOUR)
    with pytest.raises(PromiseOver):
        make_promise(closed, made, now=at, rules=RULES)


def test_a_promise_about_the_past_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        promised(quiet_case(), MONDAY_NOON - HOUR)

    assert [error.pointer for error in refused.value.errors] == ["/due_at"]
