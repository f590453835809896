"""Time passes over a case: waits end, clocks warn and breach, a breach takes it up the ladder."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.workflow_service.cases.domain.draft import Draft
from services.workflow_service.cases.domain.ownership import escalate
from services.workflow_service.cases.domain.waiting import give_up_waiting
from services.workflow_service.clocks.domain import clock as clocks
from services.workflow_service.clocks.domain.clock import Clock
from services.workflow_service.escalation.domain.ladder import Cause
from shared.events import cases as events
from shared.events.words import ClockKind


def pass_time(draft: Draft, until: datetime) -> bool:
    """Do whatever is due by `until`, oldest first; tell whether there was anything."""
    fired = False
    while (at := draft.case.next_point()) is not None and at <= until:
        if at == draft.case.awaiting_until:
            give_up_waiting(draft, at)
        else:
            _fire(draft, next(c for c in draft.case.clocks if c.next_point() == at), at)
        fired = True
    return fired


def pass_time_before(draft: Draft, at: datetime) -> None:
    """Fire what was due before something happened at `at`, however late the timer is.

    What happens at the due time itself is in time.
    """
    pass_time(draft, at - timedelta(microseconds=1))


def _fire(draft: Draft, clock: Clock, at: datetime) -> None:
    if all(point.fired_at is not None for point in clock.warnings):
        _breach(draft, clock, at)
    else:
        _warn(draft, clock)


def _warn(draft: Draft, clock: Clock) -> None:
    warned, point = clocks.warn(clock, fired_at=draft.now)
    draft.put(clock, warned)
    draft.say(
        events.ClockWarned,
        draft.now,
        clock=clock.kind.value,
        due_at=clock.due_at,
        share=point.percent / 100,
        owner=draft.case.owner,
    )
    why = f"{clock.kind}: {point.percent}%"
    draft.system_entry(draft.now, "warn", why, draft.case.state)


def _breach(draft: Draft, clock: Clock, at: datetime) -> None:
    draft.put(clock, clocks.breach(clock))
    draft.say(
        events.ClockBreached,
        draft.now,
        clock=clock.kind.value,
        due_at=at,
        late_seconds=(draft.now - at).total_seconds(),
        owner=draft.case.owner,
    )
    draft.system_entry(draft.now, "breach", clock.kind.value, draft.case.state)
    # A late acknowledgement is a fault of the machine: no person above can mend it.
    if clock.kind is ClockKind.ACKNOWLEDGE:
        return
    before = draft.case.state
    if escalate(draft, Cause.BREACH, draft.now):
        draft.system_entry(draft.now, "escalate", Cause.BREACH.value, before)
