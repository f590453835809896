"""The clocks of promises: what firing them and replaying them share."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import SYSTEM, Draft
from services.workflow_service.cases.domain.promise import Promise, PromiseState
from services.workflow_service.clocks.domain import clock as clocks
from services.workflow_service.clocks.domain.clock import Clock, Timing, WarningPoint
from shared.events import cases as events
from shared.events.words import ClockKind
from shared.kernel.records import replace

DELAY = "delay-promise"
"""How the history and a clock's explanation name a new time."""

_LEAST_DELAY = timedelta(hours=1)


def start_promise(draft: Draft, promise: Promise) -> None:
    """Add a promise with its clock, from the whole second in which it was made to its due time."""
    policy = draft.rules.policy_of(draft.case.policy)
    begins = promise.made_at.replace(microsecond=0)
    marks = dict.fromkeys(
        (*policy.warnings_of(ClockKind.PROMISE), policy.promises.customer_told_at)
    )
    clock = clocks.start(
        ClockKind.PROMISE,
        at=begins,
        timing=Timing(
            seconds=(promise.due_at - begins) // timedelta(seconds=1),
            calendar=draft.rules.always,
            policy=policy.label,
            rule="promise",
            marks=tuple(marks),
        ),
        case_round=draft.case.round,
        subject=promise.id,
        level=draft.case.escalation_level,
    )
    draft.case = replace(
        draft.case,
        clocks=(*draft.case.clocks, clock),
        promises=(*draft.case.promises, promise),
    )


def clock_of(case: Case, promise_id: str) -> Clock:
    """Return the clock of a promise."""
    return next(clock for clock in case.clocks if clock.subject == promise_id)


def postpone(draft: Draft, promise: Promise, due_at: datetime, *, by: str) -> None:
    """Move a promise to a later time; its clock warns anew."""
    clock = clock_of(draft.case, promise.id)
    seconds = (due_at - clock.started_at) // timedelta(seconds=1)
    always = draft.rules.always
    later = clocks.extend(clock, seconds, at=draft.now, why=DELAY, by=by, calendar=always)
    draft.put(clock, later)
    by_itself = promise.delays_by_itself + (by == SYSTEM)
    delays = promise.delays + 1
    draft.put_promise(replace(promise, due_at=due_at, delays=delays, delays_by_itself=by_itself))


def tells_customer(draft: Draft, clock: Clock, point: WarningPoint) -> bool:
    """Tell whether at this point the customer is given a new time by itself.

    Only while that is still before the promised time: afterwards it is broken, whoever slept.
    """
    policy = draft.rules.policy_of(draft.case.policy).promises
    if clock.kind != ClockKind.PROMISE or point.mark != policy.customer_told_at:
        return False
    promise = draft.promise(clock.subject or "")
    return draft.now < promise.due_at and promise.delays_by_itself < policy.delays_by_itself


def delay_by_itself(draft: Draft, clock: Clock) -> Promise:
    """Give the customer a new time before the promised one has passed; return the promise."""
    policy = draft.rules.policy_of(draft.case.policy).promises
    promise = draft.promise(clock.subject or "")
    longer = max(_LEAST_DELAY, timedelta(seconds=clock.target_seconds * policy.delayed_by // 100))
    due_at = max(promise.due_at, draft.now.replace(microsecond=0)) + longer
    postpone(draft, promise, due_at, by=SYSTEM)
    draft.say(
        events.PromiseDelayed,
        draft.now,
        promise=promise.id,
        due_at=promise.due_at,
        new_due_at=due_at,
        owner=promise.owner,
        by_itself=True,
        words_id=promise.words_id,
    )
    return draft.promise(promise.id)


def break_promise(draft: Draft, clock: Clock) -> None:
    """Note that the time of a promise passed without a word."""
    promise = draft.promise(clock.subject or "")
    draft.put_promise(replace(promise, state=PromiseState.BROKEN, broken_at=draft.now))
    draft.say(
        events.PromiseBroken,
        draft.now,
        promise=promise.id,
        due_at=promise.due_at,
        owner=promise.owner,
        words_id=promise.words_id,
    )
