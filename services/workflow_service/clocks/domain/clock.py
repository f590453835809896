"""One clock of a case: a target, the spans that counted or did not, and what became of it.

Due and warning times are never moved by hand: they follow from the segments (`_instant_after`),
so that the same segments always explain and give the same due time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from services.workflow_service.calendars.domain.calendar import Calendar
from shared.events.words import ClockKind, ClockState

RUNNING, PAUSED = ClockState.RUNNING, ClockState.PAUSED
STARTED = "started"
"""Why a clock's first segment counts."""

MET, BREACHED, CANCELLED = ClockState.MET, ClockState.BREACHED, ClockState.CANCELLED


@dataclass(frozen=True, slots=True)
class Segment:
    """A span of a clock's life that counted or did not; the last one is open (`end` None)."""

    start: datetime
    end: datetime | None
    counted: bool
    why: str


@dataclass(frozen=True, slots=True)
class WarningPoint:
    """A share of the target, in percent; `at` is unknown while the clock is paused before it."""

    percent: int
    at: datetime | None
    fired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """One milestone's clock. `rule` names the line of the policy, `calendar` whose time counts.

    A breached clock keeps running in spirit until `ended_at`: `met_at` then says how late it was.
    """

    kind: ClockKind
    round: int
    rule: str
    calendar: str
    target_seconds: int
    state: ClockState
    started_at: datetime
    due_at: datetime | None
    warnings: tuple[WarningPoint, ...] = ()
    segments: tuple[Segment, ...] = ()
    met_at: datetime | None = None
    breached_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        """Whether the clock can still warn or breach, now or after a pause."""
        return self.state is RUNNING or self.state is PAUSED

    @property
    def is_open(self) -> bool:
        """Whether the milestone has not been reached nor become void: also after a breach."""
        return self.ended_at is None

    def next_point(self) -> datetime | None:
        """Return when the clock will warn or breach next; None where it will not."""
        if self.state is not RUNNING:
            return None
        for warning in self.warnings:
            if warning.fired_at is None and warning.at is not None:
                return warning.at
        return self.due_at


def start(
    kind: ClockKind,
    *,
    at: datetime,
    target_seconds: int,
    warnings: Iterable[int],
    calendar: Calendar,
    rule: str,
    case_round: int = 1,
) -> Clock:
    """Start a clock at `at` with warning points in percent of its target, earliest first."""
    return Clock(
        kind=kind,
        round=case_round,
        rule=rule,
        calendar=calendar.name,
        target_seconds=target_seconds,
        state=RUNNING,
        started_at=at,
        due_at=calendar.add(at, target_seconds),
        warnings=tuple(
            WarningPoint(percent, calendar.add(at, target_seconds * percent / 100))
            for percent in warnings
        ),
        segments=(Segment(at, None, True, STARTED),),
    )


def concluded(
    kind: ClockKind,
    *,
    at: datetime,
    target_seconds: int,
    calendar: Calendar,
    rule: str,
    met_at: datetime | None,
    ended_at: datetime | None,
) -> Clock:
    """Return a clock of the past, started at `at`, as it ended: nobody was warned.

    Met or breached by `met_at`; without it cancelled at `ended_at`; without both breached and
    still open.
    """
    due_at = calendar.add(at, target_seconds)
    if met_at is not None:
        state = MET if met_at <= due_at else BREACHED
    else:
        state = BREACHED if ended_at is None else CANCELLED
    ended_at = met_at or ended_at
    return Clock(
        kind=kind,
        round=1,
        rule=rule,
        calendar=calendar.name,
        target_seconds=target_seconds,
        state=state,
        started_at=at,
        due_at=due_at,
        segments=(Segment(at, ended_at, True, STARTED),),
        met_at=met_at,
        breached_at=due_at if state is BREACHED else None,
        ended_at=ended_at,
    )


def pause(clock: Clock, *, at: datetime, why: str, calendar: Calendar) -> Clock:
    """Stop counting; a clock that is not running stays as it is."""
    if clock.state is not RUNNING:
        return clock
    return _recomputed(replace(_turned(clock, at, counted=False, why=why), state=PAUSED), calendar)


def resume(clock: Clock, *, at: datetime, why: str, calendar: Calendar) -> Clock:
    """Count again; a clock that is not paused stays as it is."""
    if clock.state is not PAUSED:
        return clock
    return _recomputed(replace(_turned(clock, at, counted=True, why=why), state=RUNNING), calendar)


def meet(clock: Clock, *, at: datetime) -> Clock:
    """Note that the milestone was reached; a breached clock stays breached and says how late.

    Something told late may lie before the clock's start, as before a reopening: it counts as then.
    """
    if not clock.is_open:
        return clock
    at = max(at, clock.started_at)
    state = BREACHED if clock.state is BREACHED else MET
    return replace(_ended(clock, at), state=state, met_at=at)


def cancel(clock: Clock, *, at: datetime) -> Clock:
    """Note that the milestone no longer matters; a breach stays a breach."""
    if not clock.is_open:
        return clock
    state = BREACHED if clock.state is BREACHED else CANCELLED
    return replace(_ended(clock, at), state=state)


def breach(clock: Clock) -> Clock:
    """Note that a running clock passed its due time."""
    return replace(clock, state=BREACHED, breached_at=clock.due_at)


def warn(clock: Clock, *, fired_at: datetime) -> tuple[Clock, WarningPoint]:
    """Fire the clock's next warning point; raises LookupError where there is none."""
    for place, point in enumerate(clock.warnings):
        if point.fired_at is None and point.at is not None:
            fired = replace(point, fired_at=fired_at)
            warnings = (*clock.warnings[:place], fired, *clock.warnings[place + 1 :])
            return replace(clock, warnings=warnings), fired
    raise LookupError(f"the clock {clock.kind} has no warning left")


def retarget(clock: Clock, *, target_seconds: int, rule: str, calendar: Calendar) -> Clock:
    """Give a live clock another target, counted from its original start."""
    if not clock.is_live:
        return clock
    changed = replace(clock, target_seconds=target_seconds, rule=rule, calendar=calendar.name)
    return _recomputed(changed, calendar)


def _turned(clock: Clock, at: datetime, *, counted: bool, why: str) -> Clock:
    # An action told late may lie before the last turn; time never runs backwards in a clock.
    last = clock.segments[-1]
    at = max(at, last.start)
    closed = replace(last, end=at)
    return replace(clock, segments=(*clock.segments[:-1], closed, Segment(at, None, counted, why)))


def _ended(clock: Clock, at: datetime) -> Clock:
    at = max(at, clock.started_at)
    if not clock.segments:
        return replace(clock, ended_at=at)
    last = clock.segments[-1]
    closed = replace(last, end=max(at, last.start))
    return replace(clock, segments=(*clock.segments[:-1], closed), ended_at=at)


def _recomputed(clock: Clock, calendar: Calendar) -> Clock:
    warnings = tuple(
        point
        if point.fired_at is not None
        else replace(
            point,
            at=_instant_after(clock.segments, clock.target_seconds * point.percent / 100, calendar),
        )
        for point in clock.warnings
    )
    due = _instant_after(clock.segments, clock.target_seconds, calendar)
    return replace(clock, due_at=due, warnings=warnings)


def _instant_after(
    segments: Iterable[Segment], seconds: float, calendar: Calendar
) -> datetime | None:
    """Return when `seconds` had been counted; None where the last segment is a pause before it."""
    left = seconds
    for segment in segments:
        if not segment.counted:
            continue
        if segment.end is None:
            return calendar.add(segment.start, left)
        counted = calendar.between(segment.start, segment.end)
        if counted >= left:
            return calendar.add(segment.start, left)
        left -= counted
    return None
