"""Business time: which seconds count, how many lie between two instants, when enough have passed.

Everything is integer microseconds since 1970 inside, so that adding and measuring are exact
inverses. A working calendar keeps one sorted index of its working windows in UTC: each question
is two binary searches, however far apart its instants lie (imports reach back to 1999).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from services.workflow_service.calendars.domain.instants import (
    from_micros,
    local_micros,
    to_micros,
)

_SECOND = 1_000_000
_MINUTES_A_DAY = 24 * 60
_LONGEST_SEARCH_YEARS = 50


class DayKind(StrEnum):
    """What a day is to those who work."""

    WORKING = "working"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MADE_UP = "made_up"


class SpecialDay(NamedTuple):
    """A day that is something else than its weekday says, and what it is called."""

    kind: DayKind
    name: str = ""


SpecialDays = Callable[[int], Mapping[date, SpecialDay]]
"""The special days of a year."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span of working time within one day, in local minutes after midnight (1440 = its end)."""

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= _MINUTES_A_DAY:
            raise ValueError("a working window must end after it begins, within one day")


@dataclass(frozen=True, slots=True)
class CalendarSegment:
    """A span of time that counts or does not, and why."""

    start: datetime
    end: datetime
    counted: bool
    why: str


class Calendar(Protocol):
    """Which seconds count."""

    @property
    def name(self) -> str:
        """The name that explanations give."""
        ...

    @property
    def day_seconds(self) -> int:
        """How many seconds of counted time one working day is."""
        ...

    def add(self, start: datetime, seconds: float) -> datetime:
        """Return the instant at which `seconds` of counted time have passed since `start`."""
        ...

    def between(self, start: datetime, end: datetime) -> float:
        """Return the counted seconds from `start` to `end`; 0 where `end` is not later."""
        ...

    def segments(self, start: datetime, end: datetime) -> Sequence[CalendarSegment]:
        """Return what counts and what does not from `start` to `end`, without holes, and why."""
        ...


@dataclass(frozen=True, slots=True)
class RoundTheClock:
    """Every second counts."""

    name: str = "calendar-hours"
    day_seconds: int = 24 * 3600

    def add(self, start: datetime, seconds: float) -> datetime:
        """Return the instant `seconds` after `start`."""
        return start + timedelta(seconds=seconds)

    def between(self, start: datetime, end: datetime) -> float:
        """Return the seconds from `start` to `end`; 0 where `end` is not later."""
        return max(0.0, (end - start) / timedelta(seconds=1))

    def segments(self, start: datetime, end: datetime) -> Sequence[CalendarSegment]:
        """Return the whole as one span that counts."""
        return (CalendarSegment(start, end, True, "every hour counts"),) if start < end else ()


@dataclass(slots=True)
class WorkingCalendar:
    """Working windows by weekday (0 = Monday) in one time zone, and the days that are special.

    `name` is the label of the calendar's version. A made-up working day has the windows of Monday.
    The index grows by whole years on demand and is never thrown away.
    """

    name: str
    zone: ZoneInfo
    windows: Mapping[int, tuple[Window, ...]]
    special_days: SpecialDays
    _first_year: int = field(default=0, init=False)
    _last_year: int = field(default=-1, init=False)
    _opens: list[int] = field(default_factory=list, init=False)
    _closes: list[int] = field(default_factory=list, init=False)
    _before: list[int] = field(default_factory=list, init=False)
    _total: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if not any(self.windows.values()):
            raise ValueError("a working calendar needs at least one working window")

    @property
    def day_seconds(self) -> int:
        """The length of Monday, or of the first weekday that has windows."""
        return sum(window.closes - window.opens for window in self._usual_windows()) * 60

    def day(self, day: date) -> SpecialDay:
        """Return what a day is, and what it is called where it has a name."""
        special = self.special_days(day.year).get(day)
        if special is not None:
            return special
        works = bool(self.windows.get(day.weekday()))
        return SpecialDay(DayKind.WORKING if works else DayKind.WEEKEND)

    def add(self, start: datetime, seconds: float) -> datetime:
        """Return the instant at which `seconds` of working time have passed since `start`."""
        if seconds <= 0:
            return start
        begin = to_micros(start)
        self._cover(start.year)
        target = self._worked(begin) + round(seconds * _SECOND)
        while target > self._total:
            self._cover(self._last_year + 1)
            if self._last_year - start.year > _LONGEST_SEARCH_YEARS:
                raise OverflowError(f"{seconds} s of working time do not fit into fifty years")
        place = bisect_left(self._before, target) - 1
        return from_micros(self._opens[place] + target - self._before[place])

    def between(self, start: datetime, end: datetime) -> float:
        """Return the working seconds from `start` to `end`; 0 where `end` is not later."""
        if end <= start:
            return 0.0
        self._cover(start.year)
        self._cover(end.year)
        return (self._worked(to_micros(end)) - self._worked(to_micros(start))) / _SECOND

    def segments(self, start: datetime, end: datetime) -> Sequence[CalendarSegment]:
        """Return what counts and what does not from `start` to `end`, without holes, and why."""
        if end <= start:
            return ()
        self._cover(start.year)
        self._cover(end.year)
        found: list[CalendarSegment] = []
        at, place = start, max(0, bisect_right(self._opens, to_micros(start)) - 1)
        while at < end:
            opens, closes = from_micros(self._opens[place]), from_micros(self._closes[place])
            place += 1
            if at < opens:
                self._idle(found, at, min(opens, end))
                at = min(opens, end)
            if at < min(closes, end):
                _join(found, CalendarSegment(at, min(closes, end), True, self._reason(at, True)))
                at = min(closes, end)
        return found

    def _idle(self, found: list[CalendarSegment], start: datetime, end: datetime) -> None:
        at = start
        while at < end:
            midnight = self._midnight(at.astimezone(self.zone).date() + timedelta(days=1))
            until = min(midnight, end)
            _join(found, CalendarSegment(at, until, False, self._reason(at, False)))
            at = until

    def _reason(self, at: datetime, counted: bool) -> str:
        kind, name = self.day(at.astimezone(self.zone).date())
        match kind:
            case DayKind.MADE_UP if counted:
                return "made-up working day"
            case DayKind.HOLIDAY:
                return f"holiday: {name}" if name else "holiday"
            case DayKind.WEEKEND:
                return "weekend"
            case _:
                return "working hours" if counted else "outside working hours"

    def _worked(self, at: int) -> int:
        place = bisect_right(self._opens, at) - 1
        if place < 0:
            return 0
        return self._before[place] + min(at, self._closes[place]) - self._opens[place]

    def _cover(self, year: int) -> None:
        # A zone's local year begins up to 14 hours beside the UTC year: one year more each side.
        if self._first_year < year < self._last_year:
            return
        if self._last_year < self._first_year:
            self._rebuild(year - 1, year + 2)
        else:
            self._rebuild(min(self._first_year, year - 2), max(self._last_year, year + 2))

    def _rebuild(self, first: int, last: int) -> None:
        spans = [span for year in range(first, last + 1) for span in self._spans(year)]
        self._first_year, self._last_year = first, last
        self._opens = [opens for opens, _ in spans]
        self._closes = [closes for _, closes in spans]
        self._before = []
        self._total = 0
        for opens, closes in spans:
            self._before.append(self._total)
            self._total += closes - opens

    def _spans(self, year: int) -> list[tuple[int, int]]:
        special = self.special_days(year)
        day = date(year, 1, 1)
        spans: list[tuple[int, int]] = []
        while day.year == year:
            for window in self._windows_on(day, special):
                opens, closes = self._at(day, window.opens), self._at(day, window.closes)
                # A window that lies within the hour that DST leaves out has no time in it.
                if opens < closes:
                    spans.append((opens, closes))
            day += timedelta(days=1)
        return spans

    def _windows_on(self, day: date, special: Mapping[date, SpecialDay]) -> tuple[Window, ...]:
        found = special.get(day)
        if found is None or found.kind is DayKind.WORKING:
            return self.windows.get(day.weekday(), ())
        return self._usual_windows() if found.kind is DayKind.MADE_UP else ()

    def _usual_windows(self) -> tuple[Window, ...]:
        return next(self.windows[d] for d in range(7) if self.windows.get(d))

    def _at(self, day: date, minutes: int) -> int:
        return local_micros(day, minutes, self.zone)

    def _midnight(self, day: date) -> datetime:
        return from_micros(self._at(day, 0))


def _join(found: list[CalendarSegment], next_one: CalendarSegment) -> None:
    """Add a segment, as one with the last where they say the same."""
    if found and found[-1].end == next_one.start:
        last = found[-1]
        if (last.counted, last.why) == (next_one.counted, next_one.why):
            found[-1] = CalendarSegment(last.start, next_one.end, last.counted, last.why)
            return
    found.append(next_one)
