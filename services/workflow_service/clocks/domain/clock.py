"""One clock of a case: a target, the spans that counted or did not, and what became of it.

Due and warning times are never moved by hand: they follow from the segments and the target
(`_instant_after`), so that the same segments always explain and give the same due time. Every
change of target is kept with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.workflow_service.calendars.domain.calendar import Calendar
from services.workflow_service.clocks.domain.target import WHOLE, Mark
from shared.events.words import ClockState
from shared.kernel.records import replace

RUNNING, PAUSED = ClockState.RUNNING, ClockState.PAUSED
EXTENSION = "extension"
"""Why a clock has more time: somebody granted it."""
STARTED = "started"
"""Why a clock's first segment counts."""

MET, BREACHED, CANCELLED = ClockState.MET, ClockState.BREACHED, ClockState.CANCELLED
SHORTEST_SHARE_SECONDS = 60
"""Whoever gets a case must be able to act and be warned before they are late.

At the top a missed clock begins again each time: one of a second would breach every second.
"""
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Segment:
    """A span of a clock's life that counted or did not; the last one is open (`end` None)."""

    start: datetime
    end: datetime | None
    counted: bool
    why: str


@dataclass(frozen=True, slots=True)
class WarningPoint:
    """A point before the target; `at` is unknown while the clock is paused before it.

    A point that a shorter target has made impossible never comes: it has neither time.
    """

    mark: Mark
    at: datetime | None
    fired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TargetChange:
    """Another target, given at `at` by `by`: what it was before, and why it changed."""

    at: datetime
    from_seconds: int
    why: str
    by: str


def share_of(seconds: int, share: int) -> int:
    """Return `share` percent of a target; nothing is made shorter than a minute."""
    return max(min(seconds, SHORTEST_SHARE_SECONDS), seconds * share // WHOLE)


@dataclass(frozen=True, slots=True)
class Timing:
    """What a clock is started by: a target worked out for one case, and where it stands.

    `seconds` are those of `calendar`; `policy` is the label of the policy or pack, `rule` the line.
    `opens_seconds` is how long after the start a window opens; None: from the start. `reached_by`
    is the milestone that ends a clock whose kind is none. `urgent` is the limit of an emergency.
    """

    seconds: int
    calendar: Calendar
    policy: str
    rule: str
    marks: Sequence[Mark] = ()
    opens_seconds: int | None = None
    reached_by: str | None = None
    urgent: bool = False

    def at_share(self, share: int) -> Timing:
        """Return the timing with `share` percent of its target, which its rule then says."""
        if share == WHOLE:
            return self
        seconds = share_of(self.seconds, share)
        return replace(self, seconds=seconds, rule=f"{self.rule}/{share}%")


@dataclass(frozen=True, slots=True)
class Clock:
    """One milestone's clock.

    `kind` is a ClockKind, or the name of a deadline of a regulatory pack; such a one is
    `reached_by` a milestone of ours. `subject` tells clocks of one kind apart: the department of an
    OLA, the id of a promise. `level` is the escalation level that it was started at, `share` how
    much of its policy's target that left, in percent. `opens_at` is when a window opens, told once
    at `opened_at`. A breached clock keeps running in spirit until `ended_at`: `met_at` then says
    how late it was.
    """

    kind: str
    round: int
    policy: str
    rule: str
    calendar: str
    target_seconds: int
    state: ClockState
    started_at: datetime
    due_at: datetime | None
    warnings: tuple[WarningPoint, ...] = ()
    segments: tuple[Segment, ...] = ()
    changes: tuple[TargetChange, ...] = ()
    subject: str | None = None
    level: int = 0
    reached_by: str | None = None
    share: int = WHOLE
    opens_at: datetime | None = None
    opened_at: datetime | None = None
    met_at: datetime | None = None
    breached_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def milestone(self) -> str:
        """What ends the clock."""
        return self.reached_by or self.kind

    @property
    def is_live(self) -> bool:
        """Whether the clock can still warn or breach, now or after a pause."""
        return self.state is RUNNING or self.state is PAUSED

    @property
    def is_open(self) -> bool:
        """Whether the milestone has not been reached nor become void: also after a breach."""
        return self.ended_at is None

    def next_point(self) -> datetime | None:
        """Return when the clock will open, warn or breach next; None where it will not."""
        if self.state is not RUNNING:
            return None
        points = [w.at for w in self.warnings if w.fired_at is None and w.at is not None]
        if self.opens_at is not None and self.opened_at is None:
            points.append(self.opens_at)
        if self.due_at is not None:
            points.append(self.due_at)
        return min(points, default=None)


def start(
    kind: str,
    *,
    at: datetime,
    timing: Timing,
    case_round: int = 1,
    subject: str | None = None,
    level: int = 0,
    share: int = WHOLE,
) -> Clock:
    """Start a clock at `at`, with `share` percent of the timing's target."""
    timing = timing.at_share(share)
    calendar, seconds = timing.calendar, timing.seconds
    opens = timing.opens_seconds
    clock = Clock(
        kind=kind,
        round=case_round,
        policy=timing.policy,
        rule=timing.rule,
        calendar=calendar.name,
        target_seconds=seconds,
        state=RUNNING,
        started_at=at,
        due_at=calendar.add(at, seconds),
        warnings=_in_order(
            WarningPoint(mark, calendar.add(at, offset))
            for mark in timing.marks
            if (offset := mark.offset(seconds)) > 0
        ),
        segments=(Segment(at, None, True, STARTED),),
        subject=subject,
        level=level,
        reached_by=timing.reached_by,
        share=share,
    )
    if opens is None or opens >= seconds:
        return clock
    return replace(clock, opens_at=calendar.add(at, opens))


def concluded(
    kind: str,
    *,
    at: datetime,
    timing: Timing,
    met_at: datetime | None,
    ended_at: datetime | None,
) -> Clock:
    """Return a clock of the past, started at `at`, as it ended: nobody was warned.

    Met or breached by `met_at`; without it cancelled at `ended_at`; without both breached and
    still open.
    """
    due_at = timing.calendar.add(at, timing.seconds)
    if met_at is not None:
        state = MET if met_at <= due_at else BREACHED
    else:
        state = BREACHED if ended_at is None else CANCELLED
    ended_at = met_at or ended_at
    return Clock(
        kind=kind,
        round=1,
        policy=timing.policy,
        rule=timing.rule,
        calendar=timing.calendar.name,
        target_seconds=timing.seconds,
        state=state,
        started_at=at,
        due_at=due_at,
        segments=(Segment(at, ended_at, True, STARTED),),
        reached_by=timing.reached_by,
        met_at=met_at,
        breached_at=due_at if state is BREACHED else None,
        ended_at=ended_at,
    )


def pause(clock: Clock, *, at: datetime, why: str, calendar: Calendar) -> Clock:
    """Stop counting; a clock that is not running stays as it is."""
    if clock.state is not RUNNING:
        return clock
    return recomputed(replace(_turned(clock, at, counted=False, why=why), state=PAUSED), calendar)


def resume(clock: Clock, *, at: datetime, why: str, calendar: Calendar) -> Clock:
    """Count again; a clock that is not paused stays as it is."""
    if clock.state is not PAUSED:
        return clock
    return recomputed(replace(_turned(clock, at, counted=True, why=why), state=RUNNING), calendar)


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


def warn(clock: Clock, *, at: datetime, fired_at: datetime) -> tuple[Clock, WarningPoint]:
    """Fire the warning point that lies at `at`; raises LookupError where there is none."""
    for place, point in enumerate(clock.warnings):
        if point.fired_at is None and point.at == at:
            fired = replace(point, fired_at=fired_at)
            warnings = (*clock.warnings[:place], fired, *clock.warnings[place + 1 :])
            return replace(clock, warnings=warnings), fired
    raise LookupError(f"the clock {clock.kind} has no warning at {at}")


def open_window(clock: Clock, *, at: datetime) -> Clock:
    """Note that the window has opened."""
    return replace(clock, opened_at=at)


def retarget(clock: Clock, timing: Timing, *, at: datetime, why: str, by: str) -> Clock:
    """Give a live clock another target, counted from its original start.

    Warning points that were fired stay fired; the others move, or go where they cannot come.
    """
    if not clock.is_live:
        return clock
    change = TargetChange(at, clock.target_seconds, why, by)
    marks = [point.mark for point in clock.warnings]
    changed = replace(
        clock,
        target_seconds=timing.seconds,
        policy=timing.policy,
        rule=timing.rule,
        calendar=timing.calendar.name,
        changes=(*clock.changes, change),
        warnings=(
            *clock.warnings,
            *(WarningPoint(mark, None) for mark in timing.marks if mark not in marks),
        ),
    )
    return recomputed(changed, timing.calendar)


def sooner(clock: Clock, changed: Clock) -> Clock:
    """Return the one of a live clock's two targets that leaves less time.

    While it is paused no due time is known: then targets of different calendars cannot be
    compared, and the clock keeps its own.
    """
    if clock.calendar == changed.calendar:
        return changed if changed.target_seconds < clock.target_seconds else clock
    if clock.due_at is None or changed.due_at is None:
        return clock
    return changed if changed.due_at < clock.due_at else clock


def extend(
    clock: Clock, seconds: int, *, at: datetime, why: str, by: str, calendar: Calendar
) -> Clock:
    """Give a live clock a longer target; points already fired that now lie ahead warn again."""
    if not clock.is_live:
        return clock
    change = TargetChange(at, clock.target_seconds, why, by)
    longer = replace(clock, target_seconds=seconds, changes=(*clock.changes, change))
    warnings = []
    for point in longer.warnings:
        again = _point_after(longer, point.mark, calendar)
        ahead = again is None or again > at
        warnings.append(WarningPoint(point.mark, again) if ahead else point)
    return recomputed(replace(longer, warnings=tuple(warnings)), calendar)


def counted(clock: Clock, until: datetime, calendar: Calendar) -> float:
    """Return how many seconds of the target were used up by `until`, or by the clock's end."""
    return sum(
        calendar.between(segment.start, min(segment.end or until, until))
        for segment in clock.segments
        if segment.counted
    )


def recomputed(clock: Clock, calendar: Calendar) -> Clock:
    """Return the clock with due and warning times as its segments and target give them."""
    warnings = _in_order(
        point
        if point.fired_at is not None
        else WarningPoint(point.mark, _point_after(clock, point.mark, calendar))
        for point in clock.warnings
    )
    due = _instant_after(clock.segments, clock.target_seconds, calendar)
    return replace(clock, due_at=due, warnings=warnings)


def _point_after(clock: Clock, mark: Mark, calendar: Calendar) -> datetime | None:
    offset = mark.offset(clock.target_seconds)
    return _instant_after(clock.segments, offset, calendar) if offset > 0 else None


def _in_order(points: Iterable[WarningPoint]) -> tuple[WarningPoint, ...]:
    return tuple(sorted(points, key=lambda point: (point.at or _NEVER, str(point.mark))))


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
        spent = calendar.between(segment.start, segment.end)
        if spent >= left:
            return calendar.add(segment.start, left)
        left -= spent
    return None
