"""Whatever is done to a case, in whatever order, it stays sound and its history explains it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.workflow_service.cases.domain.actions import decide
from services.workflow_service.cases.domain.call_back import CallResult
from services.workflow_service.cases.domain.case import Case, Entry
from services.workflow_service.cases.domain.command import OptionText
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
from services.workflow_service.cases.domain.satisfaction import (
    Call,
    CallBackOver,
    UnknownCallBack,
    note_call,
    survey_not_sent,
    surveyed,
)
from services.workflow_service.cases.repository.rows import clocks_of, clocks_text, data_text
from services.workflow_service.clocks.domain.pack import is_of_a_pack
from services.workflow_service.escalation.domain.ladder import Cause, Rise
from shared.events.base import Money
from shared.events.complaints import ComplaintAmended
from shared.events.surveys import SurveyAnswered
from shared.events.words import CaseState, ClockKind, ClockState
from shared.kernel.errors import InvalidInput
from shared.kernel.ids import new_id
from tests.unit.workflow.rules import (
    EVERY_CLOCK,
    MONDAY_NOON,
    command,
    complaint,
    opened,
    regrading,
)

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
                *("news", "promise", "kept", "delay", "extend", "survey", "unsent", "call", "call"),
            ]
        ),
        st.integers(min_value=0, max_value=30),
        st.integers(min_value=0, max_value=2 * 86400),
        st.sampled_from(["P1", "P2", "P3", "P4"]),
    ),
    max_size=25,
)


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


def random_survey(case: Case, step: Step, now: datetime) -> Change | None:
    _, pick, seconds, _ = step
    said = SurveyAnswered(
        complaint_id=case.id,
        number=case.number,
        survey="s",
        round=max(1, case.round - (pick % 7 == 0)),
        score=1 + seconds % 5,
        wants_call=pick % 3 == 0,
    )
    # Some are heard of late, as events are when the machine was down.
    heard_at = now + timedelta(hours=pick if pick % 4 == 0 else 0)
    return surveyed(case, said, at=now, now=heard_at, rules=EVERY_CLOCK)


def random_unsent(case: Case, step: Step, now: datetime) -> Change | None:
    reason = "no_consent" if step[1] % 5 == 0 else "no_address"
    return survey_not_sent(case, reason, at=now, now=now, rules=EVERY_CLOCK)


def random_call(case: Case, step: Step, now: datetime) -> Change | None:
    _, pick, seconds, _ = step
    result = list(CallResult)[pick % len(CallResult)]
    again = now + timedelta(hours=30) if result is CallResult.LATER else None
    made = Call(
        call_back=case.call_backs[-1].id if case.call_backs else "none",
        by="tester",
        at=now,
        result=result,
        words_id="words",
        note_id="note",
        score=1 + seconds % 5 if result is CallResult.REACHED and pick % 2 else None,
        call_again_at=again,
    )
    try:
        return note_call(case, made, now=now, rules=EVERY_CLOCK)
    except (CallBackOver, UnknownCallBack, InvalidInput):
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
    "survey": random_survey,
    "unsent": random_unsent,
    "call": random_call,
}


def decided(case: Case, action: Action, now: datetime, *, told_at: datetime) -> Change | None:
    owner = ("li.na", "sun.yue", "wang.min")[now.second % 3]
    amount = (None, "100.00", "900.00", "6000.00")[now.second % 4]
    worth = Money(amount=amount, currency="CNY") if amount else None
    options = (OptionText("refund", "money back", worth),) if action is Action.PROPOSE else ()
    roles = frozenset({"agent" if action is Action.PROPOSE else "executive"})
    try:
        said = command(
            action, now, owner=owner, final=now.second % 2 == 0, options=options, roles=roles
        )
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
        kind="supervision" if pick % 7 == 0 else "objection" if pick % 5 == 0 else "addition",
        by="customer",
        signals=("outward-threat",) if pick % 3 == 0 else (),
    )


@settings(max_examples=150, deadline=None)
# The machine's clock was set back after the last change: a promise is moved at that change's time.
@example({}, [("act", 27, 0, "P1"), ("promise", 0, 0, "P1"), ("delay", 0, 1, "P1")])
@given(arrivals, steps)
def test_whatever_happens_a_case_stays_sound(arrival: dict[str, object], path: list[Step]) -> None:
    opening = open_case(complaint(**arrival), now=MONDAY_NOON, rules=EVERY_CLOCK)
    history = stored(opening.entries)
    assert replayed_clocks(opening.case, history, EVERY_CLOCK) == opening.case.clocks

    walk(opening.case, history, path, MONDAY_NOON)


@untimed
@given(steps)
def test_whatever_is_answered_after_a_resolution_the_case_stays_sound(path: list[Step]) -> None:
    opening = open_case(complaint(), now=MONDAY_NOON, rules=EVERY_CLOCK)
    resolved = decided(opening.case, Action.RESOLVE, MONDAY_NOON, told_at=MONDAY_NOON)
    assert resolved is not None
    to_call = MONDAY_NOON + timedelta(hours=40)
    asked = fire_due(resolved.case, now=to_call, rules=EVERY_CLOCK)
    assert asked is not None
    assert asked.case.open_call_back is not None
    history = [entry for change in (opening, resolved, asked) for entry in stored(change.entries)]

    walk(asked.case, history, path, to_call)


def walk(case: Case, history: list[Entry], path: Iterable[Step], now: datetime) -> None:
    """Do one step after another, and look at the case and its history after each."""
    sequence = case.sequence
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
        assert case.next_point() == case.call_again_at
    assert sum(task.is_open for task in case.call_backs) <= 1
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
    decisions = [clock for clock in case.clocks if clock.kind == ClockKind.APPROVE]
    assert (case.approval is not None) == any(clock.is_open for clock in decisions)
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
