"""Why a due time is what it is: every span that counted or did not, and the whole in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from services.workflow_service.calendars.domain.calendar import Calendar
from services.workflow_service.clocks.domain import clock as clocks
from services.workflow_service.clocks.domain.clock import (
    SHORTEST_SHARE_SECONDS,
    Clock,
    Segment,
    TargetChange,
)
from services.workflow_service.clocks.domain.target import WHOLE
from services.workflow_service.clocks.domain.wording import (
    CHANGES,
    HALVED,
    PAUSES,
    Both,
    elapsed,
    instant,
    reason_of,
    span,
    span_in_hours,
    span_reason,
    working_span,
)
from shared.events.words import ClockState

PAUSED = "paused: "
"""Before the reason of a span in which the clock stood still."""

_MOST_TOLD = 3
"""So many pauses are told one by one; of more, only how long they were in all."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of a clock's life as it is shown: what the calendar and the pauses make of it."""

    start: datetime
    end: datetime
    counted: bool
    why: str

    @property
    def words(self) -> Both:
        """Why it counted or did not, in both languages."""
        if self.why.startswith(PAUSED):
            why = reason_of(PAUSES, self.why.removeprefix(PAUSED))
            return Both(f"暂停：{why.zh}", f"stood still: {why.en}")
        return span_reason(self.why)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A clock laid open. The counted spans up to its due time add up to its target.

    `counted_seconds` and `paused_seconds` are up to now, or to the clock's end; a pause is measured
    in time of the clock's own calendar, since no other time would have counted.
    """

    spans: Sequence[Span]
    counted_seconds: float
    paused_seconds: float
    words: Both


@dataclass(frozen=True, slots=True)
class Reader:
    """What an explanation is given with: the clock's calendar, the time, and whose zone is read.

    `name` is what the clock is called, `rule` the rule from outside that it keeps.
    """

    calendar: Calendar
    business: bool
    now: datetime
    zone: tzinfo
    name: Both
    rule: Both | None = None


def explain(clock: Clock, reader: Reader) -> Explanation:
    """Lay a clock open."""
    until = clock.ended_at or reader.now
    return Explanation(
        spans=tuple(_spans(clock, reader)),
        counted_seconds=clocks.counted(clock, until, reader.calendar),
        paused_seconds=_paused(clock, until, reader.calendar),
        words=_joined(_sentences(clock, reader)),
    )


def _spans(clock: Clock, reader: Reader) -> Iterable[Span]:
    # Up to the due time where that lies ahead: only so the counted ones add up to the target.
    horizon = clock.ended_at or max(reader.now, clock.due_at or reader.now)
    for segment in clock.segments:
        end = min(segment.end or horizon, horizon)
        if end <= segment.start:
            continue
        if not segment.counted:
            yield Span(segment.start, end, False, PAUSED + segment.why)
            continue
        for part in reader.calendar.segments(segment.start, end):
            yield Span(part.start, part.end, part.counted, part.why)


def _paused(clock: Clock, until: datetime, calendar: Calendar) -> float:
    return sum(
        calendar.between(segment.start, min(segment.end or until, until))
        for segment in clock.segments
        if not segment.counted
    )


def _joined(sentences: Iterable[Both]) -> Both:
    told = tuple(sentences)
    return Both("".join(one.zh for one in told), " ".join(one.en for one in told))


def _sentences(clock: Clock, reader: Reader) -> Iterable[Both]:
    yield _target(clock, reader)
    began = instant(clock.started_at, reader.zone)
    yield Both(f"从{began.zh}起算。", f"It began on {began.en}.")
    yield from (_change(change, reader) for change in clock.changes)
    yield from _standstills(clock, reader)
    yield from _days_off(clock, reader)
    yield _state(clock, reader)


def _length(seconds: float, reader: Reader) -> Both:
    return working_span(seconds, reader.calendar.day_seconds) if reader.business else span(seconds)


def _target(clock: Clock, reader: Reader) -> Both:
    name = reader.name
    if reader.rule is not None:
        return Both(f"{name.zh}。{reader.rule.zh}", f"{name.en}. {reader.rule.en}")
    length = _length(clock.target_seconds, reader)
    policy, _, version = clock.policy.partition("@")
    rule = clock.rule.split("/", 1)[0]
    half = clock.rule.partition("/half for ")[2].partition("/")[0]
    zh = f"{name.zh}：时限 {length.zh}（{policy} 第 {version} 版，规则 {rule}）。"
    en = f"{name.en}: {length.en} (rule {rule} of {policy}, version {version})."
    if half:
        whom = reason_of(HALVED, half)
        zh += f"因客户是{whom.zh}，按一半计。"
        en += f" Half the usual time, as the customer is {whom.en}."
    if clock.share != WHOLE:
        zh += f"升级到第 {clock.level} 级，只取通常时限的 {clock.share}%。"
        en += f" Level {clock.level} leaves {clock.share}% of the usual target."
        if clock.target_seconds <= SHORTEST_SHARE_SECONDS:
            zh += "但不会缩短到 1 分钟以内。"
            en += " Nothing is made shorter than a minute."
    if reader.business:
        zh += f"只计 {reader.calendar.name} 日历的工作时间。"
        en += f" Only the working time of the calendar {reader.calendar.name} counts."
    return Both(zh, en)


def _change(change: TargetChange, reader: Reader) -> Both:
    at, why = instant(change.at, reader.zone), reason_of(CHANGES, change.why)
    before = _length(change.from_seconds, reader)
    return Both(
        f"{at.zh}，{why.zh}，时限有变（原为 {before.zh}）。",
        f"On {at.en} the target changed (it was {before.en}): {why.en}.",
    )


def _standstills(clock: Clock, reader: Reader) -> Iterable[Both]:
    pauses = [segment for segment in clock.segments if not segment.counted]
    if len(pauses) <= _MOST_TOLD:
        yield from (_standstill(pause, reader) for pause in pauses)
        return
    until = clock.ended_at or reader.now
    whole = sum(((p.end or until) - p.start).total_seconds() for p in pauses)
    length = elapsed(whole)
    yield Both(
        f"期间暂停 {len(pauses)} 次，共 {length.zh}。",
        f"It stood still {len(pauses)} times, for {length.en} in all.",
    )


def _standstill(pause: Segment, reader: Reader) -> Both:
    why = reason_of(PAUSES, pause.why)
    begun = instant(pause.start, reader.zone)
    if pause.end is None:
        return Both(
            f"自{begun.zh}起暂停：{why.zh}。", f"It has stood still since {begun.en}: {why.en}."
        )
    over = instant(pause.end, reader.zone)
    return Both(
        f"{begun.zh}至{over.zh}暂停：{why.zh}。",
        f"It stood still from {begun.en} to {over.en}: {why.en}.",
    )


def _days_off(clock: Clock, reader: Reader) -> Iterable[Both]:
    if not reader.business:
        return
    names = dict.fromkeys(
        span.why.partition(": ")[2]
        for span in _spans(clock, reader)
        if not span.counted and span.why.startswith("holiday: ")
    )
    if names:
        listed = "、".join(names), ", ".join(names)
        yield Both(f"其间的节假日不计：{listed[0]}。", f"Holidays on the way: {listed[1]}.")


def _state(clock: Clock, reader: Reader) -> Both:
    match clock.state:
        case ClockState.RUNNING:
            return _running(clock, reader)
        case ClockState.PAUSED:
            left = _length(_left(clock, reader), reader)
            return Both(
                f"恢复计时后还有 {left.zh}。",
                f"When it goes on, {left.en} will be left.",
            )
        case ClockState.MET:
            return _met(clock, reader)
        case ClockState.BREACHED:
            return _missed(clock, reader)
        case ClockState.CANCELLED:
            ended = instant(clock.ended_at or reader.now, reader.zone)
            return Both(f"{ended.zh}起不再需要。", f"No longer needed since {ended.en}.")


def _left(clock: Clock, reader: Reader) -> float:
    used = clocks.counted(clock, reader.now, reader.calendar)
    return max(0.0, clock.target_seconds - used)


def _running(clock: Clock, reader: Reader) -> Both:
    due = instant(clock.due_at or reader.now, reader.zone)
    seconds = _left(clock, reader)
    left = span_in_hours(seconds) if reader.business else span(seconds)
    working = Both("工作时间", " of working time") if reader.business else Both("", "")
    return Both(
        f"应在{due.zh}前完成，还剩 {left.zh}{working.zh}。",
        f"Due on {due.en}; {left.en}{working.en} left.",
    )


def _met(clock: Clock, reader: Reader) -> Both:
    met_at = clock.met_at or reader.now
    met = instant(met_at, reader.zone)
    if clock.due_at is None:
        return Both(f"已于{met.zh}完成。", f"Reached on {met.en}.")
    early = elapsed((clock.due_at - met_at).total_seconds())
    return Both(f"已于{met.zh}完成，提前 {early.zh}。", f"Reached on {met.en}, {early.en} early.")


def _missed(clock: Clock, reader: Reader) -> Both:
    due_at = clock.breached_at or clock.due_at or reader.now
    due = instant(due_at, reader.zone)
    late = elapsed(((clock.met_at or clock.ended_at or reader.now) - due_at).total_seconds())
    if clock.met_at is not None:
        met = instant(clock.met_at, reader.zone)
        if clock.met_at <= due_at:
            # Told late: by then the case had gone up and people had been warned.
            return Both(
                f"已按超时处理：应在{due.zh}前完成；其实{met.zh}已完成，但到期后才登记。",
                f"Missed on record: due on {due.en}. It was reached on {met.en}, in time, but that "
                "was told only afterwards.",
            )
        return Both(
            f"已超时：应在{due.zh}前完成，实际{met.zh}完成，晚了 {late.zh}。",
            f"Missed: due on {due.en}, reached on {met.en}, {late.en} late.",
        )
    if clock.ended_at is not None:
        return Both(
            f"已超时：应在{due.zh}前完成，后来不再需要。",
            f"Missed: it was due on {due.en}, and later no longer needed.",
        )
    return Both(
        f"已超时：应在{due.zh}前完成，已晚 {late.zh}。",
        f"Missed: due on {due.en}, {late.en} late by now.",
    )
