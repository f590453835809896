"""Complaints taken over from another system."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.importing import import_case
from shared.events.cases import CaseImported
from shared.events.complaints import Recorded
from shared.events.words import CaseState, ClockState
from tests.unit.workflow.rules import MONDAY_NOON, RULES, complaint

LONG_AGO = MONDAY_NOON - timedelta(days=7000)


def imported(**recorded: object) -> tuple[Case, CaseImported]:
    said = complaint(
        received_at=LONG_AGO, imported=True, recorded=Recorded.model_validate(recorded)
    )
    change = import_case(said, now=MONDAY_NOON, rules=RULES)
    assert len(change.said) == 1
    event = change.said[0].event
    assert isinstance(event, CaseImported)
    return change.case, event


def test_a_settled_complaint_gets_its_final_state_and_recorded_times() -> None:
    case, event = imported(
        answered_at=LONG_AGO + timedelta(hours=1),
        closed_at=LONG_AGO + timedelta(days=90),
        outcome="solved",
    )

    results = {clock.kind: clock.state for clock in event.clocks}
    assert case.state is CaseState.CLOSED
    assert event.closed_at == event.resolved_at == LONG_AGO + timedelta(days=90)
    assert results["first_reply"] == "met"
    assert results["resolve"] == "breached"
    assert case.next_point() is None
    assert not any(clock.is_open for clock in case.clocks)


def test_a_resolved_complaint_is_not_followed_up() -> None:
    case, event = imported(resolved_at=LONG_AGO + timedelta(days=1))

    assert case.state is CaseState.RESOLVED
    assert event.resolved_at == LONG_AGO + timedelta(days=1)
    assert case.next_point() is None


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("solved", "closed"),
        ("answered", "closed"),
        ("rejected", "rejected"),
        ("withdrawn", "withdrawn"),
    ],
)
def test_an_outcome_without_a_time_settles_a_complaint_and_breaches_nothing(
    outcome: str, state: str
) -> None:
    case, event = imported(outcome=outcome)

    assert (event.state, event.outcome) == (state, outcome)
    assert (event.first_reply_at, event.resolved_at, event.closed_at) == (None, None, None)
    assert {clock.state for clock in event.clocks} == {"cancelled"}
    assert not any(clock.is_open for clock in case.clocks)
    assert case.next_point() is None
    assert (event.next_step, case.overdue_from()) == (None, None)


def test_an_answer_on_record_is_judged_even_where_the_end_has_no_time() -> None:
    _, event = imported(answered_at=LONG_AGO + timedelta(hours=1), outcome="answered")

    results = {clock.kind: clock.state for clock in event.clocks}
    assert results["first_reply"] == "met"
    assert results["propose"] == results["resolve"] == "cancelled"


def test_due_times_that_have_passed_are_breaches_on_record_that_escalate_nobody() -> None:
    case, event = imported()

    results = {clock.kind: clock.state for clock in event.clocks}
    assert case.state is CaseState.ASSIGNED
    assert case.escalation_level == 0
    assert results["first_reply"] == results["propose"] == results["resolve"] == "breached"
    assert case.next_point() is None
    assert case.overdue_from() is not None


def test_what_lies_ahead_of_an_open_complaint_gets_a_timer() -> None:
    said = complaint(received_at=MONDAY_NOON - timedelta(hours=2), imported=True)

    case = import_case(said, now=MONDAY_NOON, rules=RULES).case

    first_reply = next(clock for clock in case.clocks if clock.kind == "first_reply")
    assert first_reply.state is ClockState.RUNNING
    assert [str(point.mark) for point in first_reply.warnings] == ["80%"]
    assert case.next_point() == MONDAY_NOON + timedelta(hours=1, minutes=12)
