"""What customers write on their page: heard, answered, and enough to open a case again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.workflow_service.cases.domain.lifecycle import Action
from shared.events.cases import CustomerWrote, Reopened
from shared.events.words import CaseState, ClockKind
from tests.unit.workflow.rules import opened
from tests.unit.workflow.steps import (
    act,
    amend,
    at,
    causes,
    escalations,
    live,
)

# Causes


def test_asking_for_a_supervisor_leads_to_supervision_once() -> None:
    asked = amend(opened(), at(minutes=5), kind="supervision")
    again = amend(asked.case, at(minutes=6), kind="supervision")

    (event,) = escalations(asked)
    assert (event.level, event.cause, event.asked_by_customer) == (3, "supervision", True)
    assert causes(again) == []


def test_asking_for_a_supervisor_does_not_answer_what_we_asked() -> None:
    waiting = act(opened(), Action.REQUEST_INFORMATION)

    asked = amend(waiting, at(minutes=5), kind="supervision").case
    answered = amend(asked, at(minutes=6)).case

    assert (asked.state, asked.escalation_level) == (CaseState.AWAITING_CUSTOMER, 3)
    assert answered.state is not CaseState.AWAITING_CUSTOMER


@pytest.mark.parametrize("end", [Action.REJECT, Action.RESOLVE])
def test_the_supervision_door_opens_a_case_that_had_ended(end: Action) -> None:
    case = act(opened(), end)

    change = amend(case, at(hours=1), kind="supervision")

    reopened = [said.event for said in change.said if isinstance(said.event, Reopened)]
    assert [event.reason for event in reopened] == ["supervision"]
    assert (change.case.state, change.case.round) == (CaseState.ASSIGNED, 2)
    assert (change.case.escalation_level, change.case.owner) == (3, "tang.wei")
    assert live(change.case, ClockKind.RESOLVE).round == 2


@pytest.mark.parametrize("ends", [[Action.RESOLVE], [Action.RESOLVE, Action.CLOSE]])
def test_who_says_that_a_settled_case_is_not_settled_opens_it_one_level_higher(
    ends: list[Action],
) -> None:
    case = opened()
    for end in ends:
        case = act(case, end)

    change = amend(case, at(hours=1), kind="objection")

    reopened = [said.event for said in change.said if isinstance(said.event, Reopened)]
    assert [event.reason for event in reopened] == ["customer"]
    (escalated,) = escalations(change)
    assert not escalated.asked_by_customer, "the new round is what the customer is told"
    assert (change.case.state, change.case.round, change.case.escalation_level) == (
        CaseState.ASSIGNED,
        2,
        1,
    )


def test_who_objects_to_a_rejection_is_heard_by_somebody_who_did_not_reject_it() -> None:
    rejected = act(opened(), Action.REJECT)

    change = amend(rejected, at(hours=1), kind="objection")
    again = amend(act(change.case, Action.REJECT), at(hours=2), kind="objection")

    (first,), (second,) = escalations(change), escalations(again)
    assert (first.level, first.asked_by_customer) == (3, True)
    assert first.owner != first.previous_owner
    assert (second.level, again.case.state) == (4, CaseState.ASSIGNED)


def test_an_objection_at_the_top_is_answered_by_the_new_round() -> None:
    case = opened()
    for _ in range(3):
        case = amend(act(case, Action.REJECT), at(hours=1), kind="objection").case

    change = amend(act(case, Action.REJECT), at(hours=2), kind="objection")

    reopened = [said.event for said in change.said if isinstance(said.event, Reopened)]
    assert escalations(change) == []
    assert [event.reason for event in reopened] == ["customer"], "told by `reopened`: nobody rose"


@pytest.mark.parametrize("kind", ["addition", "correction"])
def test_what_is_added_to_a_settled_case_opens_nothing(kind: str) -> None:
    settled = act(opened(), Action.RESOLVE)

    assert amend(settled, at(hours=1), kind=kind).case.state is CaseState.RESOLVED


@pytest.mark.parametrize(
    ("by", "kind", "told"),
    [
        ("customer", "addition", ["li.na"]),
        ("customer", "correction", ["li.na"]),
        ("customer", "objection", ["li.na"]),
        ("customer", "supervision", []),
        ("staff", "addition", []),
    ],
)
def test_the_owner_hears_of_what_the_customer_writes(by: str, kind: str, told: list[str]) -> None:
    case = replace(opened(), owner="li.na")

    change = amend(case, at(minutes=5), kind=kind, by=by)

    wrote = [said.event for said in change.said if isinstance(said.event, CustomerWrote)]
    assert [event.owner for event in wrote] == told


def test_an_objection_to_what_is_not_settled_is_an_addition() -> None:
    waiting = act(opened(), Action.REQUEST_INFORMATION)

    change = amend(waiting, at(minutes=5), kind="objection")

    assert change.case.state is not CaseState.AWAITING_CUSTOMER
    assert (change.case.round, change.case.escalation_level) == (1, 0)
