"""What stands along the axes of charts: whole numbers each once, days and months each once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date

_MOST_DAYS, _MOST_MONTHS = 10, 13
_EVERY_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
_SECONDS = (0, 1, 10, 60)
_LONGER = (600, 3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400, 182 * 86400, 730 * 86400)


def whole_numbers(highest: int, most: int) -> list[int]:
    """Return whole numbers at round steps, `most` at most, from 0 to the highest or just beyond."""
    steps = (factor * 10**power for power in itertools.count() for factor in (1, 2, 5))
    step = next(each for each in steps if highest <= each * most)
    return list(range(0, -(-max(highest, 1) // step) * step + 1, step))


def days(starts: Sequence[date], interval: str) -> list[date]:
    """Return the days to write under buckets that start on these days.

    Under weeks of more than a year these are the first days of months: two weeks of a month would
    bear the same name.
    """
    if interval == "month" or (interval == "week" and of_many_years(starts)):
        return _months(starts)
    every = max(1, -(-len(starts) // _MOST_DAYS))
    return list(starts[::every])


def of_many_years(starts: Sequence[date]) -> bool:
    """Tell whether days have to be told with their year."""
    return bool(starts) and starts[0].year != starts[-1].year


def _months(starts: Sequence[date]) -> list[date]:
    if not starts:
        return []
    first = starts[0].year * 12 + starts[0].month - 1 + (starts[0].day > 1)
    last = starts[-1].year * 12 + starts[-1].month - 1
    every = next(
        (n for n in _EVERY_MONTHS if (last - first) // n < _MOST_MONTHS), _EVERY_MONTHS[-1]
    )
    return [
        date(month // 12, month % 12 + 1, 1)
        for month in range(first, last + 1)
        if not month % every
    ] or [starts[0]]


def spans(longest: float) -> list[int]:
    """Return the seconds to write under times of up to `longest`; below a minute finer ones."""
    if longest <= _SECONDS[-1]:
        end = next(place for place, tick in enumerate(_SECONDS) if tick >= longest)
        return list(_SECONDS[: max(end, 1) + 1])
    return [0, 60, *(tick for tick in _LONGER if tick <= longest * 1.6)]
