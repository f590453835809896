"""Two complaints about one matter: which case goes on, and when both do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.workflow_service.cases.domain.lifecycle import Action, ForbiddenTransition
from services.workflow_service.cases.domain.merging import (
    add_repeat,
    merge_late,
    merged_case,
    rise_of_root,
)
from services.workflow_service.cases.domain.opening import open_case
from services.workflow_service.cases.domain.promises import Commitment, make_promise
from services.workflow_service.escalation.domain.ladder import Cause, Rise
from shared.events.cases import CaseMerged, InformationReceived
from shared.events.words import CaseState, ClockKind, ClockState
from tests.unit.workflow.rules import MONDAY_NOON, RULES, complaint, opened
from tests.unit.workflow.steps import (
    act,
    at,
    causes,
    escalations,
    live,
    merged,
)


def test_a_repeat_is_merged_into_the_open_case_which_goes_up() -> None:
    root = replace(opened(), id="root", number="ROOT")
    now = at(seconds=30)
    received = complaint(repeat_of="root", received_at=now)

    record = merged(received, root, now)
    rise = rise_of_root(received, record.case)
    target = add_repeat(root, received.number, rise, now=now, rules=RULES)

    (said,) = record.said
    assert isinstance(said.event, CaseMerged)
    assert (said.event.into, said.event.into_number, said.event.owner) == ("root", "ROOT", "li.na")
    case = record.case
    assert (case.state, case.outcome, case.merged_into) == (CaseState.CLOSED, "merged", "root")
    assert (case.clocks, case.allowed_actions, case.version, case.sequence) == ((), (), 1, 1)
    assert causes(target) == [("repeat", 1)]
    assert [(entry.action, entry.why) for entry in target.entries] == [
        ("repeat", received.number),
        ("escalate", "repeat"),
    ]
    assert live(target.case, ClockKind.FIRST_REPLY).due_at == at(hours=4)


def test_a_merged_case_refuses_every_action() -> None:
    root = replace(opened(), id="root")
    case = merged(complaint(), root, MONDAY_NOON).case

    with pytest.raises(ForbiddenTransition, match="added to that of complaint root"):
        act(case, Action.REOPEN)


def test_a_repeat_of_a_settled_complaint_starts_with_the_team_leader() -> None:
    settled = replace(act(opened(), Action.RESOLVE), id="settled")

    change = open_case(
        complaint(repeat_of="settled"), now=MONDAY_NOON, rules=RULES, earlier=settled
    )

    (event,) = escalations(change)
    assert (event.level, event.cause, event.earlier_complaint) == (1, "repeat", "settled")
    assert merged_case(complaint(), settled, now=MONDAY_NOON, rules=RULES) is None


def test_a_regulators_complaint_keeps_its_own_case_and_owner_with_the_open_one() -> None:
    root = replace(opened(), id="root")
    received = complaint(channel="regulator", repeat_of="root")

    change = open_case(received, now=MONDAY_NOON, rules=RULES, earlier=root)
    rise = rise_of_root(received, change.case)
    target = add_repeat(root, received.number, rise, now=MONDAY_NOON, rules=RULES)

    assert merged_case(received, root, now=MONDAY_NOON, rules=RULES) is None
    assert (target.case.escalation_level, target.case.owner) == (3, change.case.owner)


def test_an_emergency_is_not_merged_into_a_case_that_is_none() -> None:
    root = replace(opened(), id="root")
    alarming = complaint(severity="critical", repeat_of="root")

    change = open_case(alarming, now=MONDAY_NOON, rules=RULES, earlier=root)

    assert merged_case(alarming, root, now=MONDAY_NOON, rules=RULES) is None
    assert merge_late(change.case, root, now=MONDAY_NOON, rules=RULES) is None
    assert [(e.cause, e.earlier_complaint) for e in escalations(change)] == [("emergency", "root")]
    emergency = replace(change.case, id="root")
    assert merged(alarming, emergency, MONDAY_NOON).case.merged_into == "root"


def test_a_case_opened_before_its_earlier_complaint_came_is_merged_while_it_is_untouched() -> None:
    root = replace(opened(), id="root", number="ROOT")
    case, begun = opened(), act(opened(), Action.START_INVESTIGATION)

    change = merge_late(case, root, now=at(minutes=5), rules=RULES)

    assert change is not None
    assert change.case.merged_into == "root"
    assert not any(clock.is_open for clock in change.case.clocks)
    assert merge_late(begun, root, now=at(minutes=5), rules=RULES) is None


def test_a_case_with_a_promise_is_not_merged_away() -> None:
    root = replace(opened(), id="root", number="ROOT")
    made = Commitment("p", "w", "明天补发", "li.na", MONDAY_NOON, at(days=1))
    promised = make_promise(opened(), made, now=MONDAY_NOON, rules=RULES).case

    assert merge_late(promised, root, now=at(minutes=5), rules=RULES) is None


def test_a_further_repeat_is_told_even_at_the_top() -> None:
    top = replace(opened(), escalation_level=4, owner="han.mei")

    change = add_repeat(top, "N-2", Rise(Cause.REPEAT), now=at(minutes=5), rules=RULES)

    assert [(e.action, e.why) for e in change.entries] == [
        ("breach", "acknowledge"),
        ("repeat", "N-2"),
    ]
    assert causes(change) == []


@pytest.mark.parametrize(
    ("cause", "state", "resolve"),
    [
        (Cause.REPEAT, CaseState.ASSIGNED, ClockState.RUNNING),
        (Cause.REGULATOR, CaseState.AWAITING_CUSTOMER, ClockState.PAUSED),
    ],
)
def test_a_customer_who_complains_again_is_not_waited_for_any_more(
    cause: Cause, state: CaseState, resolve: ClockState
) -> None:
    waiting = act(opened(), Action.REQUEST_INFORMATION, minutes=5)

    change = add_repeat(waiting, "7K3F", Rise(cause), now=at(minutes=9), rules=RULES)

    clock = next(one for one in change.case.clocks if one.kind == ClockKind.RESOLVE)
    assert (change.case.state, clock.state) == (state, resolve)
    assert (InformationReceived in {type(said.event) for said in change.said}) == (
        cause is Cause.REPEAT
    )
