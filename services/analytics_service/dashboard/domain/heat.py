"""Arrange counts as a heat table for the eye: the largest rows and columns, ramp, totals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Value = str | int | None

_LEVELS = 10


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


def heat_table(
    counts: Mapping[tuple[Value, Value], int],
    rows: Sequence[Value],
    columns: Sequence[Value],
    *,
    most_rows: int,
    most_columns: int,
    in_time: bool,
) -> HeatTable:
    """Keep the rows and columns with the most, of columns in time the latest.

    Totals count what was left out too, so that they are the truth and not the sum of what is seen.
    """
    row_totals = dict.fromkeys(rows, 0)
    column_totals = dict.fromkeys(columns, 0)
    for (row, column), count in counts.items():
        row_totals[row] += count
        column_totals[column] += count
    kept_rows = sorted(rows, key=lambda row: -row_totals[row])[:most_rows]
    if in_time:
        kept_columns = list(columns)[-most_columns:]
    else:
        kept_columns = sorted(columns, key=lambda column: -column_totals[column])[:most_columns]
    found = [[counts.get((row, column), 0) for column in kept_columns] for row in kept_rows]
    highest = max((count for line in found for count in line), default=0)
    return HeatTable(
        rows=kept_rows,
        columns=kept_columns,
        cells=[[HeatCell(count, level(count, highest)) for count in line] for line in found],
        row_totals=[row_totals[row] for row in kept_rows],
        column_totals=[column_totals[column] for column in kept_columns],
        total=sum(counts.values()),
        other_rows=len(rows) - len(kept_rows),
        other_columns=len(columns) - len(kept_columns),
    )


def level(count: int, highest: int) -> int:
    """Return the step of the ramp. The root keeps small counts apart beside a very large one."""
    if count <= 0 or highest <= 0:
        return 0
    return max(1, math.ceil((_LEVELS - 1) * math.sqrt(count / highest)))
