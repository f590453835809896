# ruff: noqa: S608 (text is put together from closed enumerations; values are parameters)
"""Exact percentiles of any number of rows in a few megabytes.

`quantile_cont` keeps every value of a group in memory: 300 MB for ten million rows, and a question
that takes all the memory leaves none to the folding. Here a first statement counts the bands that
stand in the fact rows, which tells the bands that the percentiles lie in; a second one reads the
values of only those.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

Run = Callable[[str, Sequence[object]], list[tuple[Any, ...]]]
"""Runs a statement over the selected facts with some parameters before those of the selection."""

_MOST_BANDS = 100_000
"""Of all groups together: more are too many to be counted one by one in Python."""


class TooManyGroups(Exception):
    """So many groups that none of them can be large."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many values a group has, their mean, and its percentiles."""

    key: tuple[Any, ...]
    count: int
    mean: float
    percentiles: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """One group's bands in order, and how many values lie in each and in all up to it."""

    key: tuple[Any, ...]
    bands: tuple[int, ...]
    counts: tuple[int, ...]
    upto: tuple[int, ...]
    total: float

    @property
    def count(self) -> int:
        return self.upto[-1]

    def holds(self, rank: int) -> tuple[int, int]:
        """Return the band that the value of a rank (from 0) lies in, and its rank within."""
        place = next(i for i, upto in enumerate(self.upto) if upto > rank)
        return self.bands[place], rank - self.upto[place] + self.counts[place]


@dataclass(frozen=True, slots=True)
class TwoPasses:
    """The question for one column's percentiles; `<column>_band` stands beside it.

    `keys` are the expressions that rows are grouped by, `where` the selection's condition.
    """

    run: Run
    column: str
    keys: Sequence[str]
    conditions: Sequence[str]

    def distributions(self, shares: Sequence[float]) -> list[Distribution]:
        """Return exact, linearly interpolated percentiles of the column for each group.

        Raises TooManyGroups.
        """
        groups = self._count()
        wanted = {
            (place, group.holds(rank)[0])
            for place, group in enumerate(groups)
            for share in shares
            for rank in _ranks(share, group.count)
        }
        values = self._read(groups, sorted(wanted)) if wanted else {}

        def value_at(place: int, rank: int) -> float:
            band, within = groups[place].holds(rank)
            return next(x for x, upto in values[place, band] if upto > within)

        def percentile(place: int, share: float) -> float:
            low, high = _ranks(share, groups[place].count)
            lower, upper = value_at(place, low), value_at(place, high)
            return lower + (upper - lower) * (share * (groups[place].count - 1) - low)

        return [
            Distribution(
                group.key,
                group.count,
                group.total / group.count,
                tuple(percentile(place, share) for share in shares),
            )
            for place, group in enumerate(groups)
        ]

    def _count(self) -> list[_Group]:
        names = [f"{key} AS k{place}" for place, key in enumerate(self.keys)]
        rows = self.run(
            f"SELECT {', '.join([*names, f'{self.column}_band AS band'])}, "
            f"count(*), sum({self.column}) FROM facts{self._where()} GROUP BY ALL "
            f"LIMIT {_MOST_BANDS + 1}",
            [],
        )
        if len(rows) > _MOST_BANDS:
            raise TooManyGroups
        found: dict[tuple[Any, ...], list[tuple[int, int, float]]] = {}
        for *key, band, count, total in rows:
            if band is not None:
                found.setdefault(tuple(key), []).append((band, count, total))
        return [
            _Group(
                key,
                tuple(each[0] for each in bands),
                tuple(each[1] for each in bands),
                tuple(accumulate(each[1] for each in bands)),
                math.fsum(each[2] for each in bands),
            )
            for key, bands in ((key, sorted(each)) for key, each in found.items())
        ]

    def _read(
        self, groups: Sequence[_Group], wanted: Sequence[tuple[int, int]]
    ) -> dict[tuple[int, int], list[tuple[float, int]]]:
        """Return the values of the bands wanted, ascending, each with how many lie up to it."""
        parameters: list[object] = [[place for place, _ in wanted], [each for _, each in wanted]]
        lists = ["unnest(?::INTEGER[]) AS place", "unnest(?::SMALLINT[]) AS band"]
        joins = [f"{self.column}_band = wanted.band"]
        for number, key in enumerate(self.keys):
            texts = [groups[place].key[number] for place, _ in wanted]
            parameters.append([None if text is None else str(text) for text in texts])
            lists.append(f"unnest(?::VARCHAR[]) AS k{number}")
            joins.append(f"({key})::VARCHAR IS NOT DISTINCT FROM wanted.k{number}")
        # The bands once more as a plain list: the scan leaves the other rows out before the join.
        bands = ", ".join(str(band) for band in sorted({band for _, band in wanted}))
        rows = self.run(
            f"WITH wanted AS (SELECT {', '.join(lists)}) "
            f"SELECT place, band, {self.column}, count(*) FROM facts "
            f"JOIN wanted ON {' AND '.join(joins)}{self._where(f'{self.column}_band IN ({bands})')}"
            f" GROUP BY ALL ORDER BY {self.column}",
            parameters,
        )
        values: dict[tuple[int, int], list[tuple[float, int]]] = {}
        for place, band, value, count in rows:
            found = values.setdefault((place, band), [])
            found.append((value, count + (found[-1][1] if found else 0)))
        return values

    def _where(self, *more: str) -> str:
        conditions = [*more, *self.conditions]
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _ranks(share: float, count: int) -> tuple[int, int]:
    at = share * (count - 1)
    return math.floor(at), math.ceil(at)
