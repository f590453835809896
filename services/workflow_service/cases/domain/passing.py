"""Time passes over a case: waits end, clocks open, warn and breach, a breach takes it up."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.workflow_service.cases.domain.call_back import CallReason
from services.workflow_service.cases.domain.calling import (
    CALL_BACK,
    is_call_point,
    open_call_back,
    remind_of_call,
)
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Draft
from services.workflow_service.cases.domain.levels import begin_again
from services.workflow_service.cases.domain.promise_clocks import (
    DELAY,
    break_promise,
    delay_by_itself,
    tells_customer,
)
from services.workflow_service.cases.domain.rising import escalate_by_itself
from services.workflow_service.cases.domain.waiting import give_up_waiting
from services.workflow_service.clocks.domain import clock as clocks
from services.workflow_service.clocks.domain.clock import Clock, WarningPoint
from services.workflow_service.escalation.domain.ladder import Cause, Rise, may_rise
from shared.events import cases as events
from shared.events.words import ClockKind
from shared.kernel.errors import FieldError, InvalidInput


def pass_time(draft: Draft, until: datetime) -> bool:
    """Do whatever is due by `until`, oldest first; tell whether there was anything."""
    fired = False
    while (at := draft.case.next_point()) is not None and at <= until:
        task = draft.case.open_call_back
        if at == draft.case.awaiting_until:
            give_up_waiting(draft, at)
        elif task is not None and at == task.call_again_at:
            remind_of_call(draft, task, at)
        else:
            _fire(draft, next(c for c in draft.case.clocks if c.next_point() == at), at)
        fired = True
    return fired


def pass_time_before(draft: Draft, at: datetime) -> None:
    """Fire what was due before something happened at `at`, however late the timer is.

    What happens at the due time itself is in time.
    """
    pass_time(draft, at - timedelta(microseconds=1))


def check_moment(case: Case, at: datetime, now: datetime) -> None:
    """Raise InvalidInput for a time before the case or in the future."""
    if at > now:
        raise _wrong("in_the_future", "occurred_at lies in the future")
    if at < case.opened_at:
        raise _wrong("before_case", "occurred_at lies before the case was opened")


def _wrong(code: str, detail: str) -> InvalidInput:
    return InvalidInput(detail, (FieldError("/occurred_at", code, detail),))


def _fire(draft: Draft, clock: Clock, at: datetime) -> None:
    if any(point.at == at and point.fired_at is None for point in clock.warnings):
        _reach(draft, clock, at)
    elif clock.opens_at == at and clock.opened_at is None:
        _open_window(draft, clock, at)
    elif clock.kind == ClockKind.NEXT_UPDATE:
        _update(draft, clock, at)
    else:
        _breach(draft, clock, at)


def _reach(draft: Draft, clock: Clock, at: datetime) -> None:
    warned, point = clocks.warn(clock, at=at, fired_at=draft.now)
    if tells_customer(draft, clock, point):
        place = draft.case.clocks.index(clock)
        draft.put(clock, warned)
        promise = delay_by_itself(draft, warned)
        state, data = draft.case.state, {"promise": promise.id, "due_at": promise.due_at}
        draft.system_entry(draft.now, DELAY, "by-itself", state, place=place, point=at, **data)
    elif is_call_point(draft, clock, point):
        _note(draft, CALL_BACK, clock, at, CallReason.UNANSWERED)
        draft.put(clock, warned)
        open_call_back(draft, CallReason.UNANSWERED)
    else:
        _warn(draft, clock, warned, point)


def _warn(draft: Draft, clock: Clock, warned: Clock, point: WarningPoint) -> None:
    _note(draft, "warn", clock, point.at or draft.now, f"{clock.kind}: {point.mark}")
    draft.put(clock, warned)
    draft.say(
        events.ClockWarned,
        draft.now,
        clock=clock.kind,
        due_at=clock.due_at,
        share=point.mark.share(clock.target_seconds),
        owner=draft.case.answerable(clock),
    )


def _open_window(draft: Draft, clock: Clock, at: datetime) -> None:
    _note(draft, "open-window", clock, at)
    draft.put(clock, clocks.open_window(clock, at=draft.now))
    draft.say(
        events.FollowUpDue,
        draft.now,
        due_at=clock.due_at,
        owner=draft.case.owner,
        round=draft.case.round,
    )


def _update(draft: Draft, clock: Clock, at: datetime) -> None:
    """Let the customer hear from us: the message goes out by itself, and the clock begins anew."""
    _note(draft, "update", clock, at)
    draft.heard(draft.now)
    draft.say(events.UpdateDue, draft.now, due_at=at, owner=draft.case.owner)


def _breach(draft: Draft, clock: Clock, at: datetime) -> None:
    goes_up = draft.rules.goes_up(clock)
    rises = goes_up and _may_rise_for(draft, at)
    again = goes_up and not rises
    _note(draft, "breach", clock, at, again=again)
    breached = clocks.breach(clock)
    draft.put(clock, breached)
    if clock.kind == ClockKind.PROMISE:
        break_promise(draft, clock)
    else:
        _say_breached(draft, clock, at)
    if rises:
        escalate_by_itself(draft, Rise(Cause.BREACH), draft.now)
    elif again:
        begin_again(draft, breached, draft.now)


def _say_breached(draft: Draft, clock: Clock, at: datetime) -> None:
    draft.say(
        events.ClockBreached,
        draft.now,
        clock=clock.kind,
        due_at=at,
        late_seconds=(draft.now - at).total_seconds(),
        owner=draft.case.answerable(clock),
        alert=draft.rules.alerts(clock),
    )


def _may_rise_for(draft: Draft, due_at: datetime) -> bool:
    """Tell whether a breach takes the case up.

    One that was due before the case last went up is no failure of those who have it now: a machine
    that was down for days must not carry every case to the top when it comes back (ADR 9).
    """
    case = draft.case
    is_new = case.escalated_at is None or due_at > case.escalated_at
    return is_new and may_rise(case.escalation_level)


def _note(
    draft: Draft,
    action: str,
    clock: Clock,
    at: datetime,
    why: str | None = None,
    **data: object,
) -> None:
    """Add a line that names the clock by its place, and the point of it that was due at `at`."""
    state, place = draft.case.state, draft.case.clocks.index(clock)
    draft.system_entry(draft.now, action, why or clock.kind, state, place=place, point=at, **data)
