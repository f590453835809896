"""Take over a complaint from another system: its past is recorded, not lived through again.

Settled ones get their final state, and clocks met or breached by the recorded times. Open ones
get clocks from their original date: a due time that has passed is a breach on record, without
warning, escalation or event; only what lies ahead gets a timer. Nobody is told anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from services.workflow_service.cases.domain.case import Case, Entry
from services.workflow_service.cases.domain.draft import SYSTEM, Change, Said, new_clock
from services.workflow_service.cases.domain.opening import AT_OPENING, routed_case
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.clocks.domain import clock as clocks
from services.workflow_service.clocks.domain.clock import Clock
from shared.events.cases import CaseImported, ClockResult
from shared.events.complaints import ComplaintReceived, Recorded
from shared.events.words import CaseState, ClockKind, Outcome

_NOTHING = Recorded()


def import_case(received: ComplaintReceived, *, now: datetime, rules: Rules) -> Change:
    """Open the case of an imported complaint in the state that its record ends with."""
    recorded = received.recorded or _NOTHING
    case = _in_final_state(routed_case(received, rules), recorded)
    judge = _judge(case, recorded, now)
    case = replace(
        case,
        clocks=tuple(judge(new_clock(case, kind, case.opened_at, rules)) for kind in AT_OPENING),
        sequence=1,
    )
    entry = Entry(now, SYSTEM, "import", None, case.state.value, why=case.facts.source_system)
    return Change(case, (Said(_imported(case, recorded), 1, now),), (entry,), ())


def _in_final_state(case: Case, recorded: Recorded) -> Case:
    outcome = recorded.outcome
    if recorded.closed_at is not None:
        return replace(case, state=CaseState.CLOSED, outcome=outcome)
    if recorded.resolved_at is None:
        return case
    if outcome == Outcome.REJECTED:
        return replace(case, state=CaseState.REJECTED, outcome=outcome)
    if outcome == Outcome.WITHDRAWN:
        return replace(case, state=CaseState.WITHDRAWN, outcome=outcome)
    return replace(case, state=CaseState.RESOLVED, outcome=outcome)


def _judge(case: Case, recorded: Recorded, now: datetime) -> Callable[[Clock], Clock]:
    reached = _reached(case, recorded, now)
    settled_at = recorded.closed_at or recorded.resolved_at

    def judged(clock: Clock) -> Clock:
        met_at = reached.get(clock.kind)
        if met_at is not None:
            return _met(clock, max(met_at, clock.started_at))
        if clock.kind is ClockKind.ACKNOWLEDGE:
            return _without_warnings(clocks.cancel(clock, at=now))
        if settled_at is not None:
            return _without_warnings(clocks.cancel(clock, at=max(settled_at, clock.started_at)))
        return _still_running(clock, now)

    return judged


def _reached(case: Case, recorded: Recorded, now: datetime) -> dict[ClockKind, datetime | None]:
    settled_at = recorded.resolved_at or recorded.closed_at
    return {
        ClockKind.FIRST_REPLY: recorded.answered_at,
        ClockKind.RESOLVE: settled_at,
        ClockKind.ASSIGN: now if case.is_open and case.owner else None,
    }


def _met(clock: Clock, at: datetime) -> Clock:
    late = clock.due_at is not None and at > clock.due_at
    return _without_warnings(clocks.meet(clocks.breach(clock) if late else clock, at=at))


def _still_running(clock: Clock, now: datetime) -> Clock:
    if clock.due_at is not None and clock.due_at <= now:
        return _without_warnings(clocks.breach(clock))
    ahead = tuple(point for point in clock.warnings if point.at is not None and point.at > now)
    return replace(clock, warnings=ahead)


def _without_warnings(clock: Clock) -> Clock:
    # None was given, and none of the past will be.
    return replace(clock, warnings=())


def _imported(case: Case, recorded: Recorded) -> CaseImported:
    step, due_at = case.next_step()
    return CaseImported(
        complaint_id=case.id,
        number=case.number,
        state=case.state.value,
        version=case.version,
        next_step=step,
        next_due_at=due_at,
        department=case.department,
        owner=case.owner,
        priority=case.priority,
        policy=case.policy,
        received_at=case.opened_at,
        first_reply_at=recorded.answered_at,
        resolved_at=recorded.resolved_at or recorded.closed_at,
        closed_at=recorded.closed_at,
        outcome=case.outcome,
        clocks=tuple(
            ClockResult(
                kind=clock.kind.value,
                state=clock.state.value,
                due_at=clock.due_at,
                met_at=clock.met_at,
            )
            for clock in case.clocks
        ),
    )
