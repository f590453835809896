"""Hours of the week in which somebody works or is on duty, in the clock of a place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_A_DAY = 24 * 60
_WINDOW = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")

Span = tuple[int, int]
"""Minutes after midnight: from, and up to but not including; 1440 is the end of the day."""


class Hours(BaseModel):
    """Windows by day of the week, as written: `{mon-fri: ["09:00-12:00", "13:30-18:00"]}`.

    A window lies within one day; a night is two of them. A day that is not named has none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    windows: Mapping[str, Sequence[str]]

    @model_validator(mode="before")
    @classmethod
    def _as_written(cls, found: Any) -> Any:
        return found if isinstance(found, dict) and "windows" in found else {"windows": found}

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if not any(self.by_day):
            raise ValueError("hours without a window: leave them out for somebody who always works")
        return self

    @cached_property
    def by_day(self) -> tuple[tuple[Span, ...], ...]:
        """The windows of each day from Monday on, in order; raises ValueError for wrong ones."""
        found: dict[int, tuple[Span, ...]] = {}
        for named, windows in self.windows.items():
            for day in _days(named):
                if day in found:
                    raise ValueError(f"{DAYS[day]} stands in hours twice")
                found[day] = _in_order(_span(window) for window in windows)
        return tuple(found.get(day, ()) for day in range(7))

    def holds(self, local: datetime) -> bool:
        """Tell whether a local time lies in a window."""
        minute = local.hour * 60 + local.minute
        return any(opens <= minute < closes for opens, closes in self.by_day[local.weekday()])


def first_gap(all_hours: Iterable[Hours]) -> str | None:
    """Return the first time of the week that none of these hours cover, such as `sat 18:00`."""
    together = [hours.by_day for hours in all_hours]
    for day, name in enumerate(DAYS):
        covered = 0
        for opens, closes in sorted(span for by_day in together for span in by_day[day]):
            if opens > covered:
                break
            covered = max(covered, closes)
        if covered < MINUTES_A_DAY:
            return f"{name} {covered // 60:02}:{covered % 60:02}"
    return None


def _days(named: str) -> range:
    first, _, last = named.partition("-")
    if first not in DAYS or (last or first) not in DAYS:
        raise ValueError(f"{named!r} names no days: write sat, or mon-fri")
    days = range(DAYS.index(first), DAYS.index(last or first) + 1)
    if not days:
        raise ValueError(f"{named!r} runs backward: a week goes from mon to sun")
    return days


def _span(window: str) -> Span:
    match = _WINDOW.fullmatch(window.replace(" ", ""))
    if match is None:
        raise ValueError(f"{window!r} is no window: write 09:00-18:00")
    hour, minute, end_hour, end_minute = map(int, match.groups())
    opens, closes = hour * 60 + minute, end_hour * 60 + end_minute
    if minute > 59 or end_minute > 59 or closes > MINUTES_A_DAY:
        raise ValueError(f"{window!r} lies outside of a day")
    if closes <= opens:
        raise ValueError(
            f"{window!r} runs backward: a night is 22:00-24:00 and 00:00-06:00 of the next day"
        )
    return opens, closes


def _in_order(spans: Iterable[Span]) -> tuple[Span, ...]:
    ordered = tuple(sorted(spans))
    for (_, closes), (opens, _) in pairwise(ordered):
        if opens < closes:
            raise ValueError("windows of one day overlap")
    return ordered
