"""The life of a case, decided without any database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.workflow_service.cases.domain.actions import decide
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.lifecycle import (
    Action,
    ForbiddenTransition,
)
from services.workflow_service.cases.domain.reactions import (
    acknowledged,
    fire_due,
    regraded,
    told,
)
from services.workflow_service.clocks.domain.clock import Clock
from shared.events.cases import FollowUpDue, UpdateDue, WaitingEnded
from shared.events.words import CaseState, ClockKind, ClockState
from shared.kernel.errors import InvalidInput
from tests.unit.workflow.rules import EVERY_CLOCK, MONDAY_NOON, RULES, command, opened, regrading


def act(case: Case, action: Action, *, minutes: int = 1, **changes: object) -> Case:
    at = MONDAY_NOON + timedelta(minutes=minutes)
    return decide(case, command(action, at, **changes), now=at, rules=RULES).case


def clock_states(case: Case) -> dict[str, str]:
    return {clock.kind: clock.state.value for clock in case.clocks}


def clock_of(case: Case, kind: ClockKind) -> Clock:
    return next(clock for clock in case.clocks if clock.kind == kind)


def test_the_usual_way_meets_every_clock() -> None:
    change = acknowledged(opened(), at=MONDAY_NOON, sent=True, now=MONDAY_NOON, rules=RULES)
    assert change is not None
    case = change.case
    for minutes, action in enumerate(
        (Action.START_INVESTIGATION, Action.PROPOSE, Action.ACCEPT, Action.CARRY_OUT), start=1
    ):
        case = act(case, action, minutes=minutes)
    case = act(case, Action.RESOLVE, minutes=5)
    case = act(case, Action.RECORD_CONTACT, minutes=6)
    case = act(case, Action.CLOSE, minutes=7)

    assert case.state is CaseState.CLOSED
    assert case.outcome == "solved"
    assert clock_states(case) == {
        "acknowledge": "met",
        "assign": "met",
        "first_reply": "met",
        "propose": "met",
        "resolve": "met",
        "follow_up": "met",
        "next_update": "cancelled",
    }


def test_escalation_rejects_a_closed_case() -> None:
    closed = act(act(opened(), Action.RESOLVE), Action.CLOSE)

    with pytest.raises(ForbiddenTransition) as refused:
        act(closed, Action.ESCALATE)

    assert refused.value.allowed_actions == (Action.REOPEN,)


def test_escalation_stops_at_the_top() -> None:
    case = opened()
    for _ in range(4):
        case = act(case, Action.ESCALATE)

    with pytest.raises(ForbiddenTransition):
        act(case, Action.ESCALATE)

    assert case.escalation_level == 4
    assert case.owner == "han.mei"
    assert Action.ESCALATE not in case.allowed_actions


def test_asking_the_customer_pauses_only_what_waits_for_them() -> None:
    case = act(opened(), Action.REQUEST_INFORMATION)

    states = clock_states(case)
    assert states["first_reply"] == "met"
    assert states["propose"] == states["resolve"] == "paused"
    waiting_ends = MONDAY_NOON + timedelta(days=7, minutes=1)
    assert case.next_step() == ("receive-information", waiting_ends)


def test_an_answer_returns_the_case_to_where_it_was() -> None:
    case = act(opened(), Action.START_INVESTIGATION)
    case = act(case, Action.REQUEST_INFORMATION, minutes=2)

    case = act(case, Action.RECEIVE_INFORMATION, minutes=62)

    assert case.state is CaseState.INVESTIGATING
    propose = clock_of(case, ClockKind.PROPOSE)
    assert propose.due_at == MONDAY_NOON + timedelta(hours=25)


def test_a_wait_that_nobody_answers_ends_by_itself_and_clocks_go_on_from_then() -> None:
    case = act(opened(tier="vip"), Action.START_INVESTIGATION)  # propose: 12 hours
    case = act(case, Action.REQUEST_INFORMATION, minutes=60)
    over = MONDAY_NOON + timedelta(days=7, hours=1)

    change = fire_due(case, now=over + timedelta(hours=1), rules=RULES)

    assert change is not None
    told = [said.event for said in change.said if isinstance(said.event, WaitingEnded)]
    assert [waited.due_at for waited in told] == [over]
    assert (change.case.state, change.case.escalation_level) == (CaseState.INVESTIGATING, 0)
    propose = clock_of(change.case, ClockKind.PROPOSE)
    assert propose.due_at == over + timedelta(hours=11)
    assert [line.action for line in change.entries][-1] == "stop-waiting"


def test_an_answer_in_time_leaves_no_wait_behind() -> None:
    case = act(opened(), Action.REQUEST_INFORMATION)

    answered = act(case, Action.RECEIVE_INFORMATION, minutes=2)
    proposed = act(case, Action.PROPOSE, minutes=2)

    assert (answered.awaiting_until, proposed.awaiting_until) == (None, None)


def test_reopening_starts_another_round_with_new_clocks() -> None:
    closed = act(act(opened(), Action.RESOLVE), Action.CLOSE)

    case = act(closed, Action.REOPEN, minutes=60)

    running = [clock for clock in case.clocks if clock.is_live]
    assert case.round == 2
    assert case.state is CaseState.ASSIGNED
    assert {(clock.kind, clock.round) for clock in running} == {
        ("propose", 2),
        ("resolve", 2),
        ("next_update", 2),
    }


def test_a_breach_escalates_one_level_to_a_new_owner() -> None:
    change = fire_due(opened(), now=MONDAY_NOON + timedelta(hours=4), rules=RULES)

    assert change is not None
    assert [type(said.event).__name__ for said in change.said] == [
        "ClockBreached",  # acknowledge: alerts operators, escalates nobody
        "ClockWarned",
        "ClockWarned",
        "ClockBreached",  # first reply
        "Escalated",
    ]
    assert change.case.escalation_level == 1
    assert change.case.owner == "zheng.hao"


def test_a_breach_that_the_timer_has_not_seen_yet_comes_before_a_late_action() -> None:
    late = MONDAY_NOON + timedelta(hours=5)

    change = decide(opened(), command(Action.RECORD_CONTACT, late), now=late, rules=RULES)

    names = [type(said.event).__name__ for said in change.said]
    assert names.index("ClockBreached") < names.index("CustomerContacted")
    assert clock_of(change.case, ClockKind.FIRST_REPLY).state is ClockState.BREACHED


def test_a_reply_told_late_counts_from_when_it_was_given() -> None:
    told_at, given_at = MONDAY_NOON + timedelta(hours=5), MONDAY_NOON + timedelta(hours=1)

    change = decide(opened(), command(Action.RECORD_CONTACT, given_at), now=told_at, rules=RULES)

    assert clock_states(change.case)["first_reply"] == "met"


@pytest.mark.parametrize(
    ("minutes", "code"), [(-1, "before_case"), (10, "in_the_future")], ids=["before", "future"]
)
def test_an_action_must_lie_between_the_case_and_now(minutes: int, code: str) -> None:
    at = MONDAY_NOON + timedelta(minutes=minutes)

    with pytest.raises(InvalidInput) as refused:
        decide(opened(), command(Action.CLOSE, at), now=MONDAY_NOON, rules=RULES)

    assert [error.code for error in refused.value.errors] == [code]


def test_vip_customers_get_half_of_every_target() -> None:
    usual, vip = opened(), opened(tier="vip")

    seconds = [(a.target_seconds, b.target_seconds) for a, b in zip(usual.clocks, vip.clocks)]  # noqa: B905 - equal by construction
    assert all(half == whole // 2 for whole, half in seconds)


def test_a_higher_priority_counts_from_the_original_start() -> None:
    change = regraded(
        opened(),
        regrading(opened(), "P1"),
        at=MONDAY_NOON + timedelta(minutes=30),
        now=MONDAY_NOON + timedelta(minutes=30),
        rules=RULES,
    )

    assert change is not None
    first_reply = clock_of(change.case, ClockKind.FIRST_REPLY)
    assert first_reply.due_at == MONDAY_NOON + timedelta(hours=1)
    assert change.case.department == "product"


def test_giving_a_case_to_its_owner_is_no_hand_over() -> None:
    case = opened()
    at = MONDAY_NOON + timedelta(minutes=1)

    change = decide(case, command(Action.ASSIGN, at, owner=case.owner), now=at, rules=RULES)

    assert change.case.handovers == 0
    assert change.said == ()


def test_another_grade_of_the_same_matter_leaves_the_case_with_whom_it_was_given_to() -> None:
    case = act(opened(), Action.ASSIGN, owner="wang.min", department="service")
    at = MONDAY_NOON + timedelta(minutes=5)
    regrade = regrading(case, "P2")

    change = regraded(case, regrade, at=at, now=at, rules=RULES)

    assert change is not None
    assert (change.case.owner, change.case.department) == ("wang.min", "service")
    assert change.case.handovers == case.handovers


def test_reopening_by_hand_keeps_the_level_and_its_owner() -> None:
    case = act(act(opened(), Action.ESCALATE), Action.RESOLVE)

    again = act(case, Action.REOPEN, minutes=2)

    assert (again.escalation_level, again.owner) == (1, case.owner)


def test_a_step_told_late_that_lay_before_a_reopening_is_met_no_earlier_than_its_clock() -> None:
    closed = act(act(opened(), Action.RESOLVE), Action.CLOSE)
    reopened = act(closed, Action.REOPEN, minutes=60)
    told_at = MONDAY_NOON + timedelta(minutes=90)

    resolve = command(Action.RESOLVE, MONDAY_NOON + timedelta(minutes=30))
    change = decide(reopened, resolve, now=told_at, rules=RULES)

    for clock in change.case.clocks:
        assert clock.ended_at is None or clock.ended_at >= clock.started_at
        assert clock.met_at is None or clock.met_at >= clock.started_at


def test_a_breach_at_the_top_is_told_but_goes_no_higher() -> None:
    case = replace(opened(), escalation_level=4, owner="han.mei")

    change = fire_due(case, now=MONDAY_NOON + timedelta(days=30), rules=RULES)

    assert change is not None
    names = [type(said.event).__name__ for said in change.said]
    assert names.count("ClockBreached") == 4
    assert "Escalated" not in names
    assert (change.case.escalation_level, change.case.owner) == (4, "han.mei")


def test_a_receipt_heard_of_after_the_breach_leaves_the_breach_and_says_when_it_went_out() -> None:
    late = fire_due(opened(), now=MONDAY_NOON + timedelta(minutes=2), rules=RULES)
    assert late is not None
    sent_at = MONDAY_NOON + timedelta(seconds=90)

    change = acknowledged(
        late.case, at=sent_at, sent=True, now=sent_at + timedelta(minutes=1), rules=RULES
    )

    assert change is not None
    clock = clock_of(change.case, ClockKind.ACKNOWLEDGE)
    assert (clock.state, clock.met_at, clock.is_open) == (ClockState.BREACHED, sent_at, False)
    assert change.said == ()


def test_an_option_that_was_not_offered_cannot_be_accepted() -> None:
    case = act(opened(), Action.PROPOSE)

    with pytest.raises(InvalidInput, match="option 'B' was not offered; offered: A"):
        act(case, Action.ACCEPT, option="B")


def test_a_departments_clocks_run_while_the_case_lies_with_it() -> None:
    def act(case: Case, action: Action, minutes: int, **changes: object) -> Case:
        at = MONDAY_NOON + timedelta(minutes=minutes)
        return decide(case, command(action, at, **changes), now=at, rules=EVERY_CLOCK).case

    case = opened(rules=EVERY_CLOCK)
    spoken = act(case, Action.RECORD_CONTACT, 5)
    moved = act(spoken, Action.ASSIGN, 30, owner="sun.yue", department="product")
    back = act(moved, Action.ASSIGN, 60, owner="wang.min", department="service")

    departments = [
        (clock.subject, clock.kind, clock.state.value)
        for clock in back.clocks
        if clock.subject is not None
    ]
    assert departments == [
        ("logistics", "department_contact", "met"),
        ("logistics", "department_answer", "met"),
        ("product", "department_contact", "cancelled"),
        ("product", "department_answer", "met"),
    ]


def test_the_next_update_starts_anew_with_everything_the_customer_hears() -> None:
    case = act(opened(), Action.PROPOSE, minutes=90)

    heard = clock_of(case, ClockKind.NEXT_UPDATE)
    later = fire_due(case, now=MONDAY_NOON + timedelta(hours=25, minutes=30), rules=RULES)

    assert heard.due_at == MONDAY_NOON + timedelta(hours=25, minutes=30)
    assert later is not None
    assert [said.event.due_at for said in later.said if isinstance(said.event, UpdateDue)] == [
        heard.due_at
    ]
    again = clock_of(later.case, ClockKind.NEXT_UPDATE)
    assert again.due_at == MONDAY_NOON + timedelta(hours=49, minutes=30)


def test_the_follow_up_is_a_window() -> None:
    receipt = acknowledged(opened(), at=MONDAY_NOON, sent=True, now=MONDAY_NOON, rules=RULES)
    assert receipt is not None
    case = act(receipt.case, Action.RESOLVE)
    opens = MONDAY_NOON + timedelta(hours=24, minutes=1)

    before = fire_due(case, now=opens - timedelta(seconds=1), rules=RULES)
    told = fire_due(case, now=opens, rules=RULES)

    assert before is None
    assert told is not None
    assert FollowUpDue in {type(said.event) for said in told.said}
    follow_up = clock_of(told.case, ClockKind.FOLLOW_UP)
    assert (follow_up.opened_at, follow_up.due_at) == (opens, opens + timedelta(hours=24))


def test_a_message_while_we_wait_leaves_a_clock_that_stands_still_standing() -> None:
    asked_at = MONDAY_NOON + timedelta(minutes=5)
    told_at = MONDAY_NOON + timedelta(minutes=9)
    asked = command(Action.REQUEST_INFORMATION, asked_at)
    case = decide(opened(rules=EVERY_CLOCK), asked, now=asked_at, rules=EVERY_CLOCK).case

    news = told(case, "progress", at=told_at, now=told_at, rules=EVERY_CLOCK)

    assert news is not None
    update = clock_of(news.case, ClockKind.NEXT_UPDATE)
    assert (update.state, update.started_at) == (ClockState.PAUSED, told_at)
