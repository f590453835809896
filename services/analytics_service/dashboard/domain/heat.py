"""Arrange counts as a heat table for the eye: which rows and columns, ramp, totals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

Value = str | int | None

_LEVELS = 10


class Order(Enum):
    """In which order an axis shows its values, and so which of them where they are too many."""

    LARGEST = "largest"
    """The one with the most first; the largest are kept."""
    RANKED = "ranked"
    """As people rank them, such as P1 to P4; the largest are kept."""
    IN_TIME = "in time"
    """One after another; the latest are kept."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The values found for one side, sorted, and how many of them it has room for.

    `step_days` is how far one date lies from the next: dates on which nothing came are shown too.
    """

    values: Sequence[Value]
    most: int
    order: Order
    step_days: int = 0

    def kept(self, totals: Mapping[Value, int]) -> list[Value]:
        """Return what is shown, in its order."""
        if self.order is Order.IN_TIME:
            return self._without_holes() if self.step_days else list(self.values)[-self.most :]
        largest = sorted(self.values, key=lambda value: -totals[value])[: self.most]
        if self.order is Order.LARGEST:
            return largest
        return [value for value in self.values if value in largest]

    def left_out(self, kept: Sequence[Value]) -> int:
        """Return how many of the values found are not shown."""
        return len(set(self.values) - set(kept))

    def _without_holes(self) -> list[Value]:
        days = [date.fromisoformat(str(value)) for value in self.values[-self.most :]]
        if not days:
            return []
        steps = min((days[-1] - days[0]).days // self.step_days, self.most - 1)
        back = (timedelta(days=self.step_days * step) for step in range(steps, -1, -1))
        return [(days[-1] - span).isoformat() for span in back]


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A count and its level on the ramp, 0 to 9."""

    count: int
    level: int


@dataclass(frozen=True, slots=True)
class HeatTable:
    """Rows and columns with totals. `other_rows` and `other_columns` count what was left out."""

    rows: list[Value]
    columns: list[Value]
    cells: list[list[HeatCell]]
    row_totals: list[int]
    column_totals: list[int]
    total: int
    other_rows: int
    other_columns: int


def heat_table(counts: Mapping[tuple[Value, Value], int], rows: Axis, columns: Axis) -> HeatTable:
    """Arrange counts by two axes.

    Totals count what was left out too, so that they are the truth and not the sum of what is seen.
    """
    row_totals: Counter[Value] = Counter()
    column_totals: Counter[Value] = Counter()
    for (row, column), count in counts.items():
        row_totals[row] += count
        column_totals[column] += count
    kept_rows = rows.kept(row_totals)
    kept_columns = columns.kept(column_totals)
    found = [[counts.get((row, column), 0) for column in kept_columns] for row in kept_rows]
    highest = max((count for line in found for count in line), default=0)
    return HeatTable(
        rows=kept_rows,
        columns=kept_columns,
        cells=[[HeatCell(count, level(count, highest)) for count in line] for line in found],
        row_totals=[row_totals[row] for row in kept_rows],
        column_totals=[column_totals[column] for column in kept_columns],
        total=sum(counts.values()),
        other_rows=rows.left_out(kept_rows),
        other_columns=columns.left_out(kept_columns),
    )


def level(count: int, highest: int) -> int:
    """Return the step of the ramp. The root keeps small counts apart beside a very large one."""
    if count <= 0 or highest <= 0:
        return 0
    return max(1, math.ceil((_LEVELS - 1) * math.sqrt(count / highest)))
