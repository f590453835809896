"""What a role may offer by itself, and offers that wait for somebody who may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.command import OptionText
from services.workflow_service.cases.domain.lifecycle import Action, ForbiddenTransition
from services.workflow_service.cases.domain.reactions import acknowledged
from services.workflow_service.organisation.domain.person import StaffRole
from services.workflow_service.remedies.domain.authority import Authority
from shared.events.base import Money
from shared.events.cases import (
    ApprovalGranted,
    ApprovalRefused,
    ApprovalRequested,
    ClockBreached,
    ClockWarned,
    SolutionProposed,
)
from shared.events.words import CaseState, ClockState
from shared.kernel.errors import Forbidden, InvalidInput
from tests.unit.workflow.rules import RULES, opened
from tests.unit.workflow.steps import act, at, change_of, pass_time

AGENT, LEAD, MANAGER = (frozenset({role}) for role in ("agent", "lead", "manager"))


def worth(amount: str, currency: str = "CNY") -> Money:
    return Money(amount=amount, currency=currency)


def offering(*amounts: str) -> tuple[OptionText, ...]:
    return tuple(OptionText("refund", "退款", worth(amount)) for amount in amounts)


def received() -> Case:
    """Return a case whose customer has the receipt."""
    change = acknowledged(opened(), at=at(seconds=1), sent=True, now=at(seconds=1), rules=RULES)
    assert change is not None
    return change.case


def waiting(*, minutes: float = 60, amount: str = "900.00") -> Case:
    """Return a case in which an agent's offer waits for a lead."""
    options = offering("50.00", amount)
    return act(received(), Action.PROPOSE, minutes=minutes, options=options, roles=AGENT)


def states_of(case: Case, kind: str) -> list[ClockState]:
    return [clock.state for clock in case.clocks if clock.kind == kind]


AUTHORITY = Authority.model_validate(
    {"agent": {"CNY": 200}, "lead": {"CNY": "999.50", "USD": 100}, "manager": {"CNY": 5000}}
)


@pytest.mark.parametrize(
    ("amounts", "role"),
    [
        ([], None),
        ([worth("0.00")], None),
        ([worth("200.00")], StaffRole.AGENT),
        ([worth("200.01")], StaffRole.LEAD),
        ([worth("10.00"), worth("999.51")], StaffRole.MANAGER),
        ([worth("100.00", "USD")], StaffRole.LEAD),
        ([worth("100.01", "USD")], StaffRole.EXECUTIVE),
        ([worth("1.00", "EUR")], StaffRole.EXECUTIVE),
        ([worth("5000.01")], StaffRole.EXECUTIVE),
    ],
)
def test_the_least_role_that_may_offer_everything_is_asked(
    amounts: list[Money], role: StaffRole | None
) -> None:
    assert AUTHORITY.least_for(amounts) is role


def test_without_limits_everybody_may_offer_anything() -> None:
    assert Authority({}).least_for([worth("1000000.00")]) is None


def test_a_role_may_be_without_limit() -> None:
    free = Authority.model_validate({"agent": {"CNY": 100}, "manager": "anything"})

    assert free.least_for([worth("100.01")]) is StaffRole.MANAGER


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"agent": {"CNY": 300}, "lead": {"CNY": 200}}, "lead may offer less CNY than agent"),
        ({"executive": {"CNY": 9000}}, "nobody is above them"),
        ({"agent": "anything", "lead": {"CNY": 200}}, "lead is limited, agent below"),
        ({"agent": {"CNY": -1}}, "is no amount"),
        ({"agent": {"CNY": True}}, "is no amount"),
        ({"agent": {"cny": 100}}, "pattern"),
        ({"agent": {}}, "at least 1"),
        ({"clerk": {"CNY": 100}}, "agent"),
    ],
)
def test_limits_that_cannot_be_meant_are_refused(limits: Mapping[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Authority.model_validate(limits)


def test_an_offer_within_authority_goes_to_the_customer_at_once() -> None:
    change = change_of(received(), Action.PROPOSE, options=offering("200.00"), roles=AGENT)

    assert (change.case.state, change.case.approval) == (CaseState.PROPOSED, None)
    assert [type(said.event) for said in change.said] == [SolutionProposed]


def test_an_offer_over_authority_waits_and_the_customer_hears_nothing() -> None:
    before = received()

    change = change_of(
        before, Action.PROPOSE, minutes=60, options=offering("50.00", "900.00"), roles=AGENT
    )

    case = change.case
    assert (case.state, case.options) == (before.state, ())
    assert case.approval is not None
    assert (case.approval.role, case.approval.amount) == (StaffRole.LEAD, worth("900.00"))
    assert states_of(case, "approve") == [ClockState.RUNNING]
    assert states_of(case, "propose") == [ClockState.RUNNING]
    assert states_of(case, "first_reply") == [ClockState.RUNNING]
    (asked,) = (said.event for said in change.said)
    assert isinstance(asked, ApprovalRequested)
    assert (asked.role, asked.amount, asked.due_at) == ("lead", worth("900.00"), at(hours=5))
    approver = RULES.organisation.person(asked.approver or "")
    assert approver is not None
    assert approver.role is StaffRole.LEAD
    assert {Action.APPROVE, Action.REFUSE} <= set(case.allowed_actions)
    assert [(entry.action, entry.to_state) for entry in change.entries] == [
        ("request-approval", before.state.value)
    ]


def test_an_approved_offer_is_put_to_the_customer_as_it_was_written() -> None:
    case = waiting()
    assert case.approval is not None

    change = change_of(case, Action.APPROVE, minutes=90, by="boss", roles=LEAD)

    granted, proposed = (said.event for said in change.said)
    assert isinstance(granted, ApprovalGranted)
    assert isinstance(proposed, SolutionProposed)
    assert (granted.by, granted.requested_by) == ("boss", "tester")
    assert proposed.words_id == case.approval.words_id
    assert [option.key for option in proposed.options] == ["A", "B"]
    assert (change.case.state, change.case.approval) == (CaseState.PROPOSED, None)
    for kind in ("approve", "propose", "first_reply"):
        assert states_of(change.case, kind) == [ClockState.MET], kind


def test_a_refused_offer_leaves_the_case_to_find_another_way() -> None:
    change = change_of(waiting(), Action.REFUSE, minutes=90, roles=MANAGER, text="先核实再说")

    case = change.case
    (refused,) = (said.event for said in change.said)
    assert isinstance(refused, ApprovalRefused)
    assert refused.owner == case.owner
    assert [(words.kind, words.text) for words in change.words] == [
        ("approval_refusal", "先核实再说")
    ]
    assert (case.state, case.approval) == (CaseState.ASSIGNED, None)
    assert states_of(case, "approve") == [ClockState.MET]
    assert states_of(case, "propose") == [ClockState.RUNNING]
    assert Action.APPROVE not in case.allowed_actions


@pytest.mark.parametrize("action", [Action.APPROVE, Action.REFUSE])
def test_nobody_decides_on_more_than_they_may_offer(action: Action) -> None:
    with pytest.raises(Forbidden, match="lead or above"):
        act(waiting(), action, minutes=90, roles=AGENT)


def test_an_administrator_decides_on_everything() -> None:
    case = waiting(amount="90000.00")

    approved = act(case, Action.APPROVE, minutes=90, roles=frozenset(), overrules=True)

    assert approved.state is CaseState.PROPOSED


@pytest.mark.parametrize("action", [Action.APPROVE, Action.REFUSE])
def test_where_nothing_waits_there_is_nothing_to_decide(action: Action) -> None:
    with pytest.raises(ForbiddenTransition, match="no proposal waits") as refused:
        act(received(), action, roles=LEAD)

    assert action not in refused.value.allowed_actions


def test_a_decision_does_not_lie_before_the_question() -> None:
    with pytest.raises(InvalidInput, match="only after that"):
        act(waiting(minutes=60), Action.APPROVE, minutes=30, roles=LEAD)


def test_another_offer_takes_the_place_of_the_one_that_waits() -> None:
    again = act(waiting(), Action.PROPOSE, minutes=70, options=offering("800.00"), roles=AGENT)
    within = act(again, Action.PROPOSE, minutes=80, options=offering("100.00"), roles=AGENT)

    assert again.approval is not None
    assert again.approval.amount == worth("800.00")
    assert states_of(again, "approve") == [ClockState.CANCELLED, ClockState.RUNNING]
    assert (within.state, within.approval) == (CaseState.PROPOSED, None)
    assert states_of(within, "approve") == [ClockState.CANCELLED, ClockState.CANCELLED]


@pytest.mark.parametrize("action", [Action.RESOLVE, Action.REJECT, Action.WITHDRAW])
def test_what_ends_the_case_ends_the_waiting(action: Action) -> None:
    case = act(waiting(), action, minutes=70)

    assert case.approval is None
    assert states_of(case, "approve") == [ClockState.CANCELLED]


def test_a_customer_who_takes_the_earlier_offer_ends_the_waiting_for_a_better_one() -> None:
    proposed = act(received(), Action.PROPOSE, minutes=10, options=offering("100.00"), roles=AGENT)
    better = act(proposed, Action.PROPOSE, minutes=60, options=offering("900.00"), roles=AGENT)

    accepted = act(better, Action.ACCEPT, minutes=70, option="A")

    assert better.state is CaseState.PROPOSED
    assert (accepted.state, accepted.approval) == (CaseState.EXECUTING, None)
    assert states_of(accepted, "approve") == [ClockState.CANCELLED]


def test_who_was_asked_is_reminded_and_a_missed_decision_takes_the_case_up() -> None:
    case = waiting(minutes=5, amount="900.00")
    assert case.approval is not None
    assert case.owner != case.approval.approver

    late = pass_time(act(case, Action.RECORD_CONTACT, minutes=6), at(hours=4, minutes=6))

    told = [
        (type(said.event).__name__, said.event.owner)
        for said in late.said
        if isinstance(said.event, ClockWarned | ClockBreached) and said.event.clock == "approve"
    ]
    approver = case.approval.approver
    assert told == [
        ("ClockWarned", approver),
        ("ClockWarned", approver),
        ("ClockBreached", approver),
    ]
    assert late.case.escalation_level == 1
    assert late.case.approval is not None
    assert states_of(late.case, "approve") == [ClockState.BREACHED, ClockState.RUNNING]
