"""Stretches of time that a reader can choose, and the one before to compare with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

DAYS = {"7d": 7, "30d": 30, "90d": 90, "365d": 365}
ALL = "all"
CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Period:
    """Local days [start, end); both None for all time."""

    name: str
    start: date | None = None
    end: date | None = None

    @property
    def previous(self) -> Period | None:
        """The stretch of the same length just before; none before all time."""
        if self.start is None or self.end is None:
            return None
        return Period("previous", self.start - (self.end - self.start), self.start)

    @property
    def interval(self) -> str:
        """The width of a bucket that gives a trend of some dozens of buckets."""
        if self.start is None or self.end is None:
            return "month"
        days = (self.end - self.start).days
        return "day" if days <= 92 else "week" if days <= 800 else "month"


def period(name: str, today: date, start: date | None = None, end: date | None = None) -> Period:
    """Return a period that ends with today, all time, or the days given (`end` not included)."""
    if name == ALL:
        return Period(ALL)
    if name == CUSTOM:
        return Period(CUSTOM, start, end) if start or end else Period(ALL)
    after = today + timedelta(days=1)
    return Period(name, after - timedelta(days=DAYS[name]), after)
