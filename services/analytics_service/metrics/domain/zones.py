"""Local time without the database's help: the offsets of a zone over a stretch of time.

DuckDB's own conversion costs a second for ten million rows; adding an offset costs nothing, and
a stretch of years has only a few of them.
"""

# ruff: noqa: DTZ001 (instants are naive UTC here, as DuckDB's TIMESTAMP is)

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

# The shortest rule there is, Morocco's pause of summer time in Ramadan, lasts about thirty days.
_STRIDE = timedelta(days=10)
_EARLIEST = datetime(1900, 1, 1)
_LATEST = datetime(2200, 1, 1)


class Offset(NamedTuple):
    """From `since` (naive UTC) on, local time is UTC plus `seconds`."""

    since: datetime
    seconds: int


def offsets(zone: ZoneInfo, start: datetime, end: datetime) -> tuple[Offset, ...]:
    """Return the offsets that hold between two naive UTC instants, at least one."""
    start, end = max(start, _EARLIEST), min(max(start, end), _LATEST)
    # Whole years, so that the cache is met by every range of the same years.
    return _offsets(zone.key, start.year, end.year)


@lru_cache(maxsize=256)
def _offsets(key: str, first_year: int, last_year: int) -> tuple[Offset, ...]:
    zone = ZoneInfo(key)
    at = datetime(first_year, 1, 1)
    end = datetime(last_year + 1, 1, 1)
    found = [Offset(at, _seconds(zone, at))]
    while at < end:
        after = at + _STRIDE
        if _seconds(zone, after) != found[-1].seconds:
            found.append(_change_between(zone, at, after))
        at = after
    return tuple(found)


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> Offset:
    old = _seconds(zone, before)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle in (before, after):
            break
        if _seconds(zone, middle) == old:
            before = middle
        else:
            after = middle
    return Offset(after, _seconds(zone, after))


def _seconds(zone: ZoneInfo, at: datetime) -> int:
    offset = at.replace(tzinfo=UTC).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


YEARS = range(1900, 3000)
"""Years that can be asked about: at the edges of the calendar a zone's midnight is no date."""


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the beginning of a local day as naive UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC).replace(tzinfo=None)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """Return the local day of a naive UTC instant."""
    return instant.replace(tzinfo=UTC).astimezone(zone).date()
