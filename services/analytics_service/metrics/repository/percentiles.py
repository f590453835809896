# ruff: noqa: S608 (text is put together from closed enumerations; values are parameters)
"""Exact percentiles of any number of rows in a few megabytes.

`quantile_cont` keeps every value of a group in memory: 300 MB for ten million rows. Here a first
statement counts values by narrow classes, which tells the classes that the percentiles lie in; a
second one reads the values of only those. Two passes, about twice the time, and as exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

Run = Callable[[str, Sequence[object]], list[tuple[Any, ...]]]
"""Runs a statement over the selected facts with some parameters before those of the selection."""

# Spans reach from milliseconds to years: classes grow with their distance from zero, by 0.2 %.
# Negative ones occur, for some sources close complaints before they receive them.
_CLASS = "(sign({x}) * ln(abs({x}) * 1000 + 1) * 512)::INTEGER"


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many values a group has, their mean, and its percentiles."""

    key: tuple[Any, ...]
    count: int
    mean: float
    percentiles: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """One group's classes in order, and how many values lie in each and in all up to it."""

    key: tuple[Any, ...]
    classes: tuple[int, ...]
    counts: tuple[int, ...]
    upto: tuple[int, ...]
    total: float

    @property
    def count(self) -> int:
        return self.upto[-1]

    def holds(self, rank: int) -> tuple[int, int]:
        """Return the class that the value of a rank (from 0) lies in, and its rank within."""
        place = next(i for i, upto in enumerate(self.upto) if upto > rank)
        return self.classes[place], rank - self.upto[place] + self.counts[place]


@dataclass(frozen=True, slots=True)
class TwoPasses:
    """The question for one column's percentiles.

    `keys` are the expressions that rows are grouped by, `where` the selection's condition.
    """

    run: Run
    column: str
    keys: Sequence[str]
    where: str

    def distributions(self, shares: Sequence[float]) -> list[Distribution]:
        """Return exact, linearly interpolated percentiles of the column for each group."""
        groups = self._count()
        wanted = {
            (place, group.holds(rank)[0])
            for place, group in enumerate(groups)
            for share in shares
            for rank in _ranks(share, group.count)
        }
        values = self._read(groups, sorted(wanted)) if wanted else {}

        def value_at(place: int, rank: int) -> float:
            bucket, within = groups[place].holds(rank)
            return next(x for x, upto in values[place, bucket] if upto > within)

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
        bucket = _CLASS.format(x=self.column)
        rows = self.run(
            f"SELECT {', '.join([*names, f'{bucket} AS bucket'])}, count(*), sum({self.column}) "
            f"FROM facts{self.where} GROUP BY ALL ORDER BY bucket",
            [],
        )
        found: dict[tuple[Any, ...], list[tuple[int, int, float]]] = {}
        for *key, in_class, count, total in rows:
            if in_class is not None:
                found.setdefault(tuple(key), []).append((in_class, count, total))
        return [
            _Group(
                key,
                tuple(each[0] for each in classes),
                tuple(each[1] for each in classes),
                tuple(accumulate(each[1] for each in classes)),
                math.fsum(each[2] for each in classes),
            )
            for key, classes in found.items()
        ]

    def _read(
        self, groups: Sequence[_Group], wanted: Sequence[tuple[int, int]]
    ) -> dict[tuple[int, int], list[tuple[float, int]]]:
        """Return the values of the classes wanted, ascending, each with how many lie up to it."""
        parameters: list[object] = [[place for place, _ in wanted], [each for _, each in wanted]]
        lists = ["unnest(?::INTEGER[]) AS place", "unnest(?::INTEGER[]) AS class"]
        joins = [f"{_CLASS.format(x=self.column)} = wanted.class"]
        for number, key in enumerate(self.keys):
            texts = [groups[place].key[number] for place, _ in wanted]
            parameters.append([None if text is None else str(text) for text in texts])
            lists.append(f"unnest(?::VARCHAR[]) AS k{number}")
            joins.append(f"({key})::VARCHAR IS NOT DISTINCT FROM wanted.k{number}")
        rows = self.run(
            f"WITH wanted AS (SELECT {', '.join(lists)}) "
            f"SELECT place, class, {self.column}, count(*) FROM facts "
            f"JOIN wanted ON {' AND '.join(joins)}{self.where} "
            f"GROUP BY ALL ORDER BY {self.column}",
            parameters,
        )
        values: dict[tuple[int, int], list[tuple[float, int]]] = {}
        for place, bucket, value, count in rows:
            found = values.setdefault((place, bucket), [])
            found.append((value, count + (found[-1][1] if found else 0)))
        return values


def _ranks(share: float, count: int) -> tuple[int, int]:
    at = share * (count - 1)
    return math.floor(at), math.ceil(at)
