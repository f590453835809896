"""What a level of escalation means for the clocks of a case: docs/clocks.md, in code.

The same functions do it and replay it.
"""

from __future__ import annotations

from datetime import datetime
from math import ceil

from services.workflow_service.cases.domain.draft import ESCALATION, SYSTEM, Draft, new_clock
from services.workflow_service.cases.domain.milestones import HURRIED
from services.workflow_service.clocks.domain import clock as clocks
from services.workflow_service.clocks.domain.clock import Clock
from shared.events.words import ClockKind, ClockState
from shared.kernel.records import replace

_OWN_KINDS = frozenset(kind.value for kind in ClockKind)


def take_level(draft: Draft, since: datetime) -> None:
    """Fit the clocks to the level that the case has come to, from `since` on."""
    _hurry(draft, since)
    _follow_on(draft, since)
    draft.follow_state(since, ESCALATION)


def _hurry(draft: Draft, since: datetime) -> None:
    """Leave live clocks at most the level's share of the policy's target; never more than before.

    The new owner always has that much from `since` on, if the one before had.
    """
    share = draft.rules.share_of(draft.case)

    def hurried(clock: Clock) -> Clock:
        timing = draft.rules.timing(draft.case, ClockKind(clock.kind))
        if timing is None:
            return clock
        counted = clocks.counted(clock, since, timing.calendar)
        seconds = ceil(counted) + clocks.share_of(timing.seconds, share)
        if timing.calendar.name == clock.calendar and seconds >= clock.target_seconds:
            return clock
        left = replace(timing, seconds=seconds, rule=clock.rule)
        shorter = clocks.retarget(clock, left, at=since, why=ESCALATION, by=SYSTEM)
        return clocks.sooner(clock, shorter)

    draft.each(lambda clock: hurried(clock) if clock.is_live and clock.kind in HURRIED else clock)


def _follow_on(draft: Draft, since: datetime) -> None:
    """Give every milestone that is overdue a clock of the case's present level."""
    for clock in draft.case.clocks:
        overdue = clock.is_open and clock.state is ClockState.BREACHED
        if overdue and draft.rules.goes_up(clock) and not _goes_on(draft, clock):
            draft.add(_successor(draft, clock, since))


def _goes_on(draft: Draft, clock: Clock) -> bool:
    return any(other.is_live and _alike(clock, other) for other in draft.case.clocks)


def begin_again(draft: Draft, breached: Clock, at: datetime) -> None:
    """Go on counting a milestone that was missed on the level where the case stays.

    A clock that followed on another one begins again in its place: however long a case is left
    alone, its clocks do not become more.
    """
    again = _successor(draft, breached, at)
    if again is None:
        return
    others = (other for other in draft.case.clocks if other is not breached)
    follows = any(other.is_open and _alike(breached, other) for other in others)
    if follows and breached.level == draft.case.escalation_level:
        draft.put(breached, again)
    else:
        draft.add(again)
    draft.follow_state(at, ESCALATION)


def _successor(draft: Draft, clock: Clock, at: datetime) -> Clock | None:
    if clock.kind not in _OWN_KINDS:
        return None
    kind, share = ClockKind(clock.kind), draft.rules.share_of(draft.case)
    again = new_clock(draft.case, kind, at, draft.rules, subject=clock.subject, share=share)
    # A window that was missed is open.
    return again and replace(again, opens_at=None)


def _alike(one: Clock, other: Clock) -> bool:
    """Tell whether two clocks are of the same milestone."""
    return (one.kind, one.subject) == (other.kind, other.subject)
