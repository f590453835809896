"""The life of a case, decided without any database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.workflow_service.cases.domain.actions import decide
from services.workflow_service.cases.domain.case import Case, Entry
from services.workflow_service.cases.domain.draft import Change
from services.workflow_service.cases.domain.extensions import (
    Extension,
    NotExtendable,
    extend_clock,
)
from services.workflow_service.cases.domain.lifecycle import (
    SETTLED_STATES,
    Action,
    ForbiddenTransition,
    allowed_from,
    target_of,
)
from services.workflow_service.cases.domain.merging import add_repeat, merge_late
from services.workflow_service.cases.domain.opening import open_case
from services.workflow_service.cases.domain.promise import PromiseState
from services.workflow_service.cases.domain.promises import (
    Commitment,
    Delay,
    PromiseOver,
    UnknownPromise,
    delay_promise,
    keep_promise,
    make_promise,
)
from services.workflow_service.cases.domain.reactions import (
    acknowledged,
    amended,
    fire_due,
    regraded,
    told,
)
from services.workflow_service.cases.domain.replay import replayed_clocks
from services.workflow_service.cases.repository.rows import clocks_of, clocks_text, data_text
from services.workflow_service.clocks.domain.clock import Clock
from services.workflow_service.clocks.domain.pack import is_of_a_pack
from services.workflow_service.escalation.domain.ladder import Cause, Rise
from shared.events.cases import FollowUpDue, UpdateDue, WaitingEnded
from shared.events.complaints import ComplaintAmended, ComplaintRegraded
from shared.events.words import CaseState, ClockKind, ClockState
from shared.kernel.errors import InvalidInput
from shared.kernel.ids import new_id
from tests.unit.workflow.rules import EVERY_CLOCK, MONDAY_NOON, RULES, command, complaint, opened

Step = tuple[str, int, int, str]

untimed = settings(deadline=None)

arrivals = st.sampled_from(
    [
        {},
        {},
        {"channel": "supervision_hotline"},
        {"severity": "critical"},
        {"signals": ["outward-threat"]},
        {"category": "nobody.there", "tier": "vip"},
    ]
)
steps = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("act", "act", "act", "time", "regrade", "amend", "receipt", "repeat", "merge"),
                *("news", "promise", "kept", "delay", "extend"),
            ]
        ),
        st.integers(min_value=0, max_value=30),
        st.integers(min_value=0, max_value=2 * 86400),
        st.sampled_from(["P1", "P2", "P3", "P4"]),
    ),
    max_size=25,
)


def act(case: Case, action: Action, *, minutes: int = 1, **changes: object) -> Case:
    at = MONDAY_NOON + timedelta(minutes=minutes)
    return decide(case, command(action, at, **changes), now=at, rules=RULES).case


def clock_states(case: Case) -> dict[str, str]:
    return {clock.kind: clock.state.value for clock in case.clocks}


def clock_of(case: Case, kind: ClockKind) -> Clock:
    return next(clock for clock in case.clocks if clock.kind == kind)


def promised(case: Case, step: Step, now: datetime) -> Change | None:
    what, pick, seconds, _ = step
    ahead = now + timedelta(minutes=10 + pick, seconds=seconds)
    one = case.promises[pick % len(case.promises)].id if case.promises else "none"
    try:
        if what == "promise":
            made = Commitment(new_id(), "words", "明天补发", "tester", now, ahead)
            return make_promise(case, made, now=now, rules=EVERY_CLOCK)
        if what == "kept":
            return keep_promise(case, one, by="tester", at=now, now=now, rules=EVERY_CLOCK)
        later = Delay(one, ahead + timedelta(days=pick), "缺货", "reason", "tester")
        return delay_promise(case, later, now=now, rules=EVERY_CLOCK)
    except (UnknownPromise, PromiseOver, InvalidInput):
        return None


def extended(case: Case, step: Step, now: datetime) -> Change | None:
    _, pick, seconds, _ = step
    asked = Extension(
        clock=case.clocks[pick % len(case.clocks)].kind,
        until=now + timedelta(days=1, seconds=seconds),
        reason="第三方鉴定",
        reason_id="reason",
        by="tester",
        roles=frozenset({"executive"}),
    )
    try:
        return extend_clock(case, asked, now=now, rules=EVERY_CLOCK)
    except (InvalidInput, NotExtendable):
        return None


def random_step(case: Case, step: Step, now: datetime) -> Change | None:
    return STEPS[step[0]](case, step, now)


def random_action(case: Case, step: Step, now: datetime) -> Change | None:
    pick = step[1]
    if not case.allowed_actions:
        return None
    action = case.allowed_actions[pick % len(case.allowed_actions)]
    # Every third one is told late: it happened before what the case has seen meanwhile.
    return decided(case, action, now, told_at=now + timedelta(hours=pick if pick % 3 == 0 else 0))


def random_time(case: Case, _step: Step, now: datetime) -> Change | None:
    change = fire_due(case, now=now, rules=EVERY_CLOCK)
    level = change.case.escalation_level if change else case.escalation_level
    assert level <= case.escalation_level + 1
    return change


def random_regrade(case: Case, step: Step, now: datetime) -> Change | None:
    _, pick, _, priority = step
    said = regrading(case, priority, severity="critical" if pick % 5 == 0 else "major")
    # Every fourth one is heard of late, as events are when the machine was down.
    heard_at = now + timedelta(hours=pick if pick % 4 == 0 else 0)
    return regraded(case, said, at=now, now=heard_at, rules=EVERY_CLOCK)


def random_repeat(case: Case, _step: Step, now: datetime) -> Change | None:
    if not case.is_open:
        return None
    return add_repeat(case, "0000-0000-0", Rise(Cause.REPEAT), now=now, rules=EVERY_CLOCK)


def random_merge(case: Case, step: Step, now: datetime) -> Change | None:
    if step[1] or case.merged_into:
        return None
    another = replace(opened(rules=EVERY_CLOCK), id="another")
    return merge_late(case, another, now=now, rules=EVERY_CLOCK)


STEPS: Mapping[str, Callable[[Case, Step, datetime], Change | None]] = {
    "act": random_action,
    "time": random_time,
    "regrade": random_regrade,
    "amend": lambda case, step, now: amended(
        case, amending(case, step[1]), at=now, now=now, rules=EVERY_CLOCK
    ),
    "receipt": lambda case, step, now: acknowledged(
        case, at=now, sent=step[1] % 2 == 0, now=now, rules=EVERY_CLOCK
    ),
    "repeat": random_repeat,
    "merge": random_merge,
    "news": lambda case, _step, now: told(case, "proposal", at=now, now=now, rules=EVERY_CLOCK),
    "promise": promised,
    "kept": promised,
    "delay": promised,
    "extend": extended,
}


def decided(case: Case, action: Action, now: datetime, *, told_at: datetime) -> Change | None:
    owner = ("li.na", "sun.yue", "wang.min")[now.second % 3]
    try:
        said = command(action, now, owner=owner, final=now.second % 2 == 0)
        return decide(case, said, now=told_at, rules=EVERY_CLOCK)
    except ForbiddenTransition:
        # What nobody has seen yet came before the action: a breach took the case to the top, or
        # the time was over for which we wait.
        waited = case.awaiting_until is not None and case.awaiting_until < now
        assert action is Action.ESCALATE or waited
        return None


def amending(case: Case, pick: int) -> ComplaintAmended:
    return ComplaintAmended(
        complaint_id=case.id,
        number=case.number,
        kind="supervision" if pick % 7 == 0 else "addition",
        by="customer",
        signals=("outward-threat",) if pick % 3 == 0 else (),
    )


def regrading(case: Case, priority: str, *, severity: str = "major") -> ComplaintRegraded:
    return ComplaintRegraded(
        complaint_id=case.id,
        number=case.number,
        old_category=case.category,
        category="product.quality" if priority == "P1" else case.category,
        old_severity="moderate",
        severity=severity,
        old_urgency="high",
        urgency="high",
        old_priority=case.priority,
        priority=priority,
        decided_by="staff",
    )


@settings(max_examples=150, deadline=None)
# The machine's clock was set back after the last change: a promise is moved at that change's time.
@example({}, [("act", 27, 0, "P1"), ("promise", 0, 0, "P1"), ("delay", 0, 1, "P1")])
@given(arrivals, steps)
def test_whatever_happens_a_case_stays_sound(arrival: dict[str, object], path: list[Step]) -> None:
    opening = open_case(complaint(**arrival), now=MONDAY_NOON, rules=EVERY_CLOCK)
    case, now, history = opening.case, MONDAY_NOON, stored(opening.entries)
    sequence = case.sequence
    assert replayed_clocks(case, history, EVERY_CLOCK) == case.clocks

    for step in path:
        now += timedelta(seconds=step[2])
        change = random_step(case, step, now)
        if change is None:
            continue
        assert change.case.version == case.version + 1
        assert [said.sequence for said in change.said] == list(
            range(sequence + 1, change.case.sequence + 1)
        )
        assert all(said.event.state == change.case.state for said in change.said)
        case, sequence = change.case, change.case.sequence
        history += stored(change.entries)

        assert_sound(case)
        assert replayed_clocks(case, history, EVERY_CLOCK) == case.clocks


def stored(entries: Iterable[Entry]) -> list[Entry]:
    """Return lines of the history as they come back from a database."""
    return [replace(entry, data=orjson.loads(data_text(entry.data) or "null")) for entry in entries]


def assert_sound(case: Case) -> None:
    assert clocks_of(orjson.loads(clocks_text(case)), policy=case.policy) == case.clocks
    if case.state in SETTLED_STATES:
        assert not any(clock.is_open for clock in case.clocks)
        assert case.next_point() is None
    assert (case.state is CaseState.AWAITING_CUSTOMER) == (case.state_before is not None)
    assert (case.state is CaseState.AWAITING_CUSTOMER) == (case.awaiting_until is not None)
    paused = [clock for clock in case.clocks if clock.state is ClockState.PAUSED]
    assert not paused or case.state is CaseState.AWAITING_CUSTOMER
    assert (
        case.state is CaseState.RECEIVED
        or case.owner is not None
        or case.is_settled
        or (case.state in {CaseState.AWAITING_CUSTOMER, CaseState.RESOLVED})
    )
    assert 0 <= case.escalation_level <= 4
    for promise in case.promises:
        clock = next(clock for clock in case.clocks if clock.subject == promise.id)
        assert (promise.state is PromiseState.OPEN) == clock.is_live
        assert clock.due_at == promise.due_at
    for clock in case.clocks:
        # A broken promise and a missed deadline of the law are facts: nothing begins again.
        if clock.kind == ClockKind.PROMISE or is_of_a_pack(clock.kind):
            continue
        if clock.is_open and clock.state is ClockState.BREACHED and EVERY_CLOCK.goes_up(clock):
            alike = [c for c in case.clocks if (c.kind, c.subject) == (clock.kind, clock.subject)]
            assert any(other.is_live for other in alike), "an overdue milestone is never forgotten"
            assert sum(other.is_open for other in alike) <= 2 + 2 * len(case.causes)


@untimed
@given(st.sampled_from(list(Action)), st.sampled_from(list(CaseState)))
def test_an_action_is_either_allowed_or_refused_with_what_is(
    action: Action, state: CaseState
) -> None:
    case = replace(opened(), state=state)

    if action in allowed_from(case.state):
        target_of(case.state, action)
    else:
        with pytest.raises(ForbiddenTransition) as refused:
            target_of(case.state, action)
        assert refused.value.allowed_actions == allowed_from(case.state)


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
    ("minutes", "code"), [(-1, "before_case"), (10, "in_future")], ids=["before", "future"]
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
