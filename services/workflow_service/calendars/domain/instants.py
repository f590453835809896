"""Local times as integer microseconds since 1970, also on days on which the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(instant: datetime) -> int:
    """Return an aware instant as microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return microseconds since 1970 as an instant in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def local_micros(day: date, minutes: int, zone: ZoneInfo) -> int:
    """Return when the wall clock of `zone` shows `minutes` after the midnight that begins `day`.

    A time that it shows twice is the first of both; one that it leaves out is the instant at which
    the clock was moved. So a later wall time is never an earlier instant, and windows that touch
    on the wall touch in time.
    """
    # Adding to a local time moves its hands: the wall clock's, whatever DST does that day.
    wall = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minutes)
    before, after = wall.utcoffset(), wall.replace(fold=1).utcoffset()
    if before is None or after is None or before >= after:
        return to_micros(wall)
    return _moved_at(to_micros(wall.replace(fold=1)), to_micros(wall), zone)


def _moved_at(low: int, high: int, zone: ZoneInfo) -> int:
    """Return the first microsecond in (low, high] with the offset that `high` has."""
    offset = from_micros(high).astimezone(zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if from_micros(middle).astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high
