"""More time for a clock: by whose authority, why, and until when (domain.md §3).

Clocks of ours are extended by the policy's `extensions`; deadlines of rules from outside as the
rule says, each step by the role that it asks for. A due time that has passed is not extended.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.workflow_service.cases.domain.case import Case, Entry, Words
from services.workflow_service.cases.domain.draft import Change, Draft
from services.workflow_service.cases.domain.passing import pass_time_before
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.clocks.domain import clock as clocks
from services.workflow_service.clocks.domain.clock import EXTENSION, Clock
from services.workflow_service.clocks.domain.pack import is_of_a_pack
from services.workflow_service.organisation.domain.person import StaffRole
from shared.events import cases as events
from shared.events.words import ClockKind, ClockState
from shared.kernel.errors import Conflict, FieldError, Forbidden, InvalidInput

_RANKS = tuple(StaffRole)


class NotExtendable(Conflict):
    """The clock is not running, or its time has passed."""

    code = "clock-not-extendable"
    title = "This clock cannot get more time"


@dataclass(frozen=True, slots=True)
class Extension:
    """What somebody asks for: `clock` is a kind; `reason` is kept encrypted under `reason_id`.

    `roles` are the caller's; `overrules`: an administrator, who has every authority.
    """

    clock: str
    until: datetime
    reason: str
    reason_id: str
    by: str
    roles: frozenset[str]
    overrules: bool = False


def extend_clock(case: Case, asked: Extension, *, now: datetime, rules: Rules) -> Change:
    """Give a clock more time.

    Raises InvalidInput for an unknown clock or a time that is no extension or goes too far,
    NotExtendable for one that does not run, and Forbidden without authority.
    """
    draft = Draft(case, rules, now)
    now = draft.now
    pass_time_before(draft, now)
    clock = _wanted(draft.case, asked.clock)
    _check_until(clock, asked, now)
    _check_authority(draft, clock, asked)
    before, place = clock.due_at, draft.case.clocks.index(clock)
    extended = prolong(draft, clock, asked.until, by=asked.by)
    if before is not None and extended.due_at is not None and extended.due_at <= before:
        detail = "no time that counts lies between the due time and until: it would change nothing"
        raise _wrong("/until", "no_gain", detail)
    draft.keep(Words(asked.reason_id, EXTENSION, asked.reason, asked.by, now))
    draft.say(
        events.ClockExtended,
        now,
        clock=clock.kind,
        policy=clock.policy,
        due_at=extended.due_at,
        previous_due_at=before,
        words_id=asked.reason_id,
    )
    state = draft.case.state.value
    data = {"place": place, "until": asked.until}
    draft.note(Entry(now, asked.by, EXTENSION, state, state, words_id=asked.reason_id, data=data))
    return draft.finish()


def prolong(draft: Draft, clock: Clock, until: datetime, *, by: str) -> Clock:
    """Let a clock's target end at an instant: what was counted by now, and what lies ahead."""
    calendar = draft.rules.calendar(clock.calendar)
    used = clocks.counted(clock, draft.now, calendar)
    seconds = round(used + calendar.between(draft.now, until))
    longer = clocks.extend(clock, seconds, at=draft.now, why=EXTENSION, by=by, calendar=calendar)
    draft.put(clock, longer)
    return longer


def _wanted(case: Case, kind: str) -> Clock:
    found = [clock for clock in case.clocks if clock.kind == kind]
    if not found:
        known = ", ".join(sorted({str(clock.kind) for clock in case.clocks}))
        raise _wrong("/clock", "unknown_clock", f"the case has no clock {kind!r}; it has: {known}")
    clock = found[-1]
    if kind == ClockKind.PROMISE:
        raise _wrong("/clock", "a_promise", "a promise is moved by its own path, …/delayed")
    if clock.state is not ClockState.RUNNING:
        raise NotExtendable(f"the clock {kind} is {clock.state}: only a running one gets more time")
    return clock


def _check_until(clock: Clock, asked: Extension, now: datetime) -> None:
    if asked.until <= now:
        raise _wrong("/until", "not_ahead", "until must lie ahead")
    if clock.due_at is not None and asked.until <= clock.due_at:
        detail = f"the clock is due {clock.due_at:%Y-%m-%dT%H:%M:%SZ} already; until must be later"
        raise _wrong("/until", "not_later", detail)


def _check_authority(draft: Draft, clock: Clock, asked: Extension) -> None:
    role, limit = _authority_for(draft, clock, asked.until)
    if role is None:
        raise _wrong("/until", "too_far", f"no rule allows more than until {limit:%Y-%m-%dT%H:%MZ}")
    if not asked.overrules and not _reaches(asked.roles, role):
        raise Forbidden(f"more time for {clock.kind} until then is granted by a {role} or above")


def _authority_for(
    draft: Draft, clock: Clock, until: datetime
) -> tuple[StaffRole | None, datetime]:
    """Return the least role that may grant so much, None where nobody may, and the furthest end."""
    furthest = draft.case.opened_at
    for role, limit in _limits(draft, clock):
        furthest = max(furthest, limit)
        if until <= limit:
            return role, limit
    return None, furthest


def _limits(draft: Draft, clock: Clock) -> Iterable[tuple[StaffRole, datetime]]:
    rules = draft.rules
    if is_of_a_pack(clock.kind):
        for more in rules.pack_of(clock).deadline(clock.kind).extensions:
            yield more.role, rules.limit_by_law(clock, more.up_to, draft.case.opened_at)
        return
    policy = rules.policy_of(draft.case.policy).extensions
    timing = rules.timing(draft.case, ClockKind(clock.kind))
    granted = clock.target_seconds if timing is None else timing.seconds
    calendar = rules.calendar(clock.calendar)
    most = granted + granted * policy.at_most // 100
    paused = sum(
        ((part.end or draft.now) - part.start for part in clock.segments if not part.counted),
        start=timedelta(),
    )
    yield policy.role, calendar.add(clock.started_at, most) + paused


def _reaches(roles: frozenset[str], wanted: StaffRole) -> bool:
    return any(_RANKS.index(role) >= _RANKS.index(wanted) for role in _RANKS if role in roles)


def _wrong(pointer: str, code: str, detail: str) -> InvalidInput:
    return InvalidInput(detail, (FieldError(pointer, code, detail),))
