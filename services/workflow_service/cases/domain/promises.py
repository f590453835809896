"""Make, keep, delay and break promises; each has a clock of its own (domain.md §2, step 10).

The owner is warned as the time nears. Where nobody has kept or delayed a promise when most of its
time is gone, the customer hears of it before the time has passed, with a new one: as often by
itself as the policy's `promises` say. After that, one that is not kept is broken and escalates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.workflow_service.cases.domain.case import Case, Entry, Words
from services.workflow_service.cases.domain.draft import Change, Draft
from services.workflow_service.cases.domain.listed import check_listed
from services.workflow_service.cases.domain.passing import check_moment, pass_time_before
from services.workflow_service.cases.domain.promise import Promise, PromiseState
from services.workflow_service.cases.domain.promise_clocks import (
    DELAY,
    clock_of,
    postpone,
    start_promise,
)
from services.workflow_service.cases.domain.rules import Rules
from shared.events import cases as events
from shared.kernel.errors import Conflict, FieldError, InvalidInput, NotFound
from shared.kernel.records import replace

LONGEST = timedelta(days=3 * 366)


class UnknownPromise(NotFound):
    """The case has no promise of this id."""

    code = "unknown-promise"
    title = "There is no such promise"


class PromiseOver(Conflict):
    """The promise was kept or has become void, or its time has passed."""

    code = "promise-over"
    title = "Not possible with this promise any more"


@dataclass(frozen=True, slots=True)
class Commitment:
    """What is promised: by whom, by when, who sees to it. `text` is kept encrypted."""

    id: str
    words_id: str
    text: str
    by: str
    at: datetime
    due_at: datetime
    owner: str | None = None


def make_promise(case: Case, made: Commitment, *, now: datetime, rules: Rules) -> Change:
    """Promise the customer something.

    Raises InvalidInput for a time that is not ahead, or an owner who does not exist.

    Without an owner of its own the promise is the case owner's.
    """
    _check_due(made.due_at, now)
    if case.is_settled:
        raise PromiseOver(f"the case is {case.state}: nothing more is promised in it")
    check_listed(rules.organisation, owner=made.owner)
    draft = Draft(case, rules, now)
    pass_time_before(draft, made.at)
    promise = Promise(
        id=made.id,
        words_id=made.words_id,
        by=made.by,
        made_at=made.at,
        due_at=made.due_at.replace(microsecond=0),
        owner=made.owner or draft.case.owner,
    )
    start_promise(draft, promise)
    draft.keep(Words(made.words_id, "promise", made.text, made.by, made.at))
    draft.say(
        events.PromiseMade,
        made.at,
        promise=promise.id,
        due_at=promise.due_at,
        owner=promise.owner,
        words_id=promise.words_id,
    )
    _note(draft, "promise", made.at, promise, by=made.by, words_id=made.words_id)
    return draft.finish()


def keep_promise(
    case: Case, promise_id: str, *, by: str, at: datetime, now: datetime, rules: Rules
) -> Change:
    """Note that a promise was kept, late where it was broken before.

    Raises InvalidInput for a time before the promise or in the future.
    """
    check_moment(case, at, now)
    draft = Draft(case, rules, now)
    pass_time_before(draft, at)
    promise = _found(draft.case, promise_id)
    if promise.state not in {PromiseState.OPEN, PromiseState.BROKEN}:
        raise PromiseOver(f"the promise is {promise.state} already")
    if at < promise.made_at.replace(microsecond=0):
        detail = (
            f"occurred_at lies before the promise was made, {promise.made_at:%Y-%m-%dT%H:%M:%SZ}"
        )
        raise _wrong("before_promise", detail, "/occurred_at")
    draft.put_promise(replace(promise, state=PromiseState.KEPT, kept_at=at))
    draft.meet_promise(promise_id, at)
    draft.say(
        events.PromiseKept,
        at,
        promise=promise.id,
        due_at=promise.due_at,
        words_id=promise.words_id,
    )
    _note(draft, "keep-promise", at, promise, by=by)
    return draft.finish()


@dataclass(frozen=True, slots=True)
class Delay:
    """A new time for a promise, and why; the reason's words are kept encrypted."""

    promise_id: str
    due_at: datetime
    reason: str
    reason_id: str
    by: str


def delay_promise(case: Case, delay: Delay, *, now: datetime, rules: Rules) -> Change:
    """Give the customer a new time before the promised one has passed.

    Raises PromiseOver afterwards, and InvalidInput for a time that is not later.
    """
    draft = Draft(case, rules, now)
    now = draft.now
    pass_time_before(draft, now)
    promise = _found(draft.case, delay.promise_id)
    if promise.state is not PromiseState.OPEN:
        raise PromiseOver(f"the promise is {promise.state}: make a new one instead of moving it")
    _check_due(delay.due_at, now)
    due_at = delay.due_at.replace(microsecond=0)
    if due_at <= promise.due_at:
        raise _wrong("not_later", f"the promise is due {promise.due_at:%Y-%m-%dT%H:%M:%SZ} already")
    postpone(draft, promise, due_at, by=delay.by)
    draft.keep(Words(delay.reason_id, "promise_delay", delay.reason, delay.by, now))
    draft.say(
        events.PromiseDelayed,
        now,
        promise=promise.id,
        due_at=promise.due_at,
        new_due_at=due_at,
        owner=promise.owner,
        words_id=promise.words_id,
        reason_id=delay.reason_id,
    )
    moved = _found(draft.case, promise.id)
    _note(draft, DELAY, now, moved, by=delay.by, words_id=delay.reason_id)
    return draft.finish()


def _note(
    draft: Draft,
    action: str,
    at: datetime,
    promise: Promise,
    *,
    by: str,
    words_id: str | None = None,
) -> None:
    state = draft.case.state.value
    data = {
        "promise": promise.id,
        "made_at": promise.made_at,
        "due_at": promise.due_at,
        "place": draft.case.clocks.index(clock_of(draft.case, promise.id)),
    }
    draft.note(Entry(at, by, action, state, state, words_id=words_id, data=data))


def _found(case: Case, promise_id: str) -> Promise:
    for promise in case.promises:
        if promise.id == promise_id:
            return promise
    raise UnknownPromise(f"case {case.number} has no promise {promise_id}")


def _check_due(due_at: datetime, now: datetime) -> None:
    if due_at <= now + timedelta(seconds=1):
        raise _wrong("not_ahead", "due_at must lie ahead: a promise is about the future")
    if due_at > now + LONGEST:
        raise _wrong("too_far", "due_at lies more than three years ahead")


def _wrong(code: str, detail: str, pointer: str = "/due_at") -> InvalidInput:
    return InvalidInput(detail, (FieldError(pointer, code, detail),))
