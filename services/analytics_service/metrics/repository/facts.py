# ruff: noqa: S608 (text is put together from closed enumerations; values are parameters)
"""The statements behind the figures.

Names of columns are put into the text from closed enumerations; values are always parameters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from services.analytics_service.metrics.domain.dimensions import (
    Dimension,
    Interval,
    Measure,
    Stage,
    Value,
)
from services.analytics_service.metrics.domain.selection import Selection
from services.analytics_service.metrics.repository.columns import Columns, key_of, stored
from services.analytics_service.metrics.repository.percentiles import TooManyGroups, TwoPasses
from services.analytics_service.projections.domain.facts import CLOCK_KINDS, OPEN_STATES
from services.analytics_service.projections.repository.serving import Reading
from shared.kernel.errors import Unavailable

# Imports bring cases that were settled at a time nobody recorded: resolved, but in no known time.
RESOLVED = (
    "(resolved_at IS NOT NULL"
    " OR (state = 'closed' AND outcome IN ('solved', 'workaround', 'answered')))"
)
_MEASURES = {
    Measure.COUNT: "count(*)",
    Measure.BREACHED: "count(*) FILTER (breached)",
    Measure.ESCALATED: "count(*) FILTER (escalation_level > 0)",
    Measure.RESOLVED: f"count(*) FILTER {RESOLVED}",
}
_MILESTONES = {
    "acknowledge": "acknowledged_at",
    "assign": "assigned_at",
    "first_reply": "first_reply_at",
    "propose": "proposed_at",
    "resolve": "resolved_at",
}
OPEN = "state IN (" + ", ".join(f"'{state.value}'" for state in sorted(OPEN_STATES)) + ")"
# Late and still not done: a breached clock whose milestone came after all is late no more.
OVERDUE = (
    f"{OPEN} AND ("
    + " OR ".join(
        f"({kind}_clock = 'breached' AND {column} IS NULL AND {kind}_due_at IS NOT NULL)"
        for kind, column in _MILESTONES.items()
    )
    + ")"
)


_AT_ONCE = 1_000_000
"""Values that DuckDB may hold in memory for one question: sixteen megabytes."""


@dataclass(frozen=True, slots=True)
class Times:
    """The distribution of one stage in one group, in seconds; all None where nothing is in it."""

    stage: Stage
    key: tuple[Value, ...]
    count: int
    mean: float | None
    percentiles: Sequence[float | None]


@dataclass(slots=True)
class ClockCounts:
    """What became of the clocks of one kind; paused ones run, cancelled ones do not count."""

    met: int = 0
    breached: int = 0
    running: int = 0

    def add(self, state: str | None, count: int) -> None:
        """Count clocks in a state."""
        match state:
            case "met":
                self.met += count
            case "breached":
                self.breached += count
            case "running" | "paused":
                self.running += count


class OutOfMemory(Unavailable):
    """A question that DuckDB cannot answer within its memory."""


class Facts:
    """One consistent view of the facts, narrowed to a selection."""

    def __init__(self, reading: Reading, selection: Selection) -> None:
        self._reading = reading
        self._cursor = reading.cursor
        self._selection = selection
        self._columns = Columns(selection, self._whole_span)
        self._where, self._parameters = self._conditions()

    def span(self) -> tuple[datetime, datetime] | None:
        """Return when the first and the last complaint of the selection were received."""
        row = self._one("SELECT min(received_at), max(received_at) FROM facts")
        return None if row[0] is None else (row[0], row[1])

    def _whole_span(self) -> tuple[datetime, datetime] | None:
        row = self._cursor.execute(
            "SELECT min(received_at), max(received_at) FROM facts"
        ).fetchone()
        return None if row is None or row[0] is None else (row[0], row[1])

    def cells(
        self, dimensions: Sequence[Dimension], measure: Measure
    ) -> list[tuple[tuple[Value, ...], int]]:
        """Count by the values of some dimensions."""
        columns = "".join(f"{self._columns.value(each)}, " for each in dimensions)
        rows = self._all(f"SELECT {columns}{_MEASURES[measure]} FROM facts", dimensions)
        return [(key_of(dimensions, row[:-1]), row[-1]) for row in rows]

    def count(self) -> int:
        """Return how many complaints are selected."""
        return int(self._one("SELECT count(*) FROM facts")[0])

    def places(self, resolution: int) -> list[tuple[int | None, int]]:
        """Count by H3 cell of a resolution; None is the count of complaints without a place."""
        return self._all(
            f"SELECT {self._columns.parent(resolution)}, count(*) FROM facts", grouped=1
        )

    def times(
        self,
        stages: Sequence[Stage],
        dimensions: Sequence[Dimension],
        percentiles: Sequence[float],
    ) -> list[Times]:
        """Return exact, linearly interpolated percentiles of stages by group."""
        parts = math.ceil(self.count() * len(stages) / _AT_ONCE)
        if parts <= 1:
            return self._times_at_once(stages, dimensions, percentiles)
        try:
            return [
                each
                for stage in stages
                for each in self._times_in_passes(stage, dimensions, percentiles)
            ]
        except TooManyGroups:
            key = f"hash({', '.join(self._columns.value(each) for each in dimensions)})"
            return [
                each
                for part in range(parts)
                for each in self._times_at_once(
                    stages, dimensions, percentiles, f"{key} % {parts} = {part}"
                )
            ]

    def _times_at_once(
        self,
        stages: Sequence[Stage],
        dimensions: Sequence[Dimension],
        shares: Sequence[float],
        *only: str,
    ) -> list[Times]:
        columns = [self._columns.value(each) for each in dimensions]
        columns += [
            f"{{'count': count({stage}), 'mean': avg({stage}), "
            f"'percentiles': quantile_cont({stage}, [{', '.join(map(str, shares))}])}}"
            for stage in stages
        ]
        width, empty = len(dimensions), (None,) * len(shares)
        return [
            Times(
                stage,
                key_of(dimensions, row[:width]),
                found["count"],
                found["mean"],
                found["percentiles"] or empty,
            )
            for row in self._all(f"SELECT {', '.join(columns)} FROM facts", dimensions, only=only)
            for stage, found in zip(stages, row[width:], strict=True)
        ]

    def _times_in_passes(
        self, stage: Stage, dimensions: Sequence[Dimension], shares: Sequence[float]
    ) -> list[Times]:
        columns = [self._columns.value(each) for each in dimensions]
        question = TwoPasses(self._run, stage.value, columns, self._where)
        found = question.distributions(shares)
        if not found and not dimensions:
            return [Times(stage, (), 0, None, (None,) * len(shares))]
        return [
            Times(stage, key_of(dimensions, each.key), each.count, each.mean, each.percentiles)
            for each in found
        ]

    def clocks(
        self, dimensions: Sequence[Dimension]
    ) -> dict[tuple[Value, ...], dict[str, ClockCounts]]:
        """Count what became of every kind of clock, by group.

        Grouping by the states of all clocks at once gives a few dozen rows to add up, in half the
        time of a filtered count for each kind and state.
        """
        columns = [self._columns.value(each) for each in dimensions]
        columns += [f"{kind}_clock" for kind in CLOCK_KINDS]
        rows = self._all(f"SELECT {', '.join(columns)}, count(*) FROM facts", grouped=len(columns))
        width = len(dimensions)
        found: dict[tuple[Value, ...], dict[str, ClockCounts]] = {}
        for row in rows:
            counts = found.setdefault(
                key_of(dimensions, row[:width]), {kind: ClockCounts() for kind in CLOCK_KINDS}
            )
            for kind, state in zip(CLOCK_KINDS, row[width:-1], strict=True):
                counts[kind].add(state, row[-1])
        return found

    def scores(self, dimensions: Sequence[Dimension]) -> dict[tuple[Value, ...], dict[int, int]]:
        """Count each score that customers gave, by group; who gave none is left out."""
        columns = [self._columns.value(each) for each in dimensions]
        rows = self._all(
            f"SELECT {', '.join([*columns, 'score'])}, count(*) FROM facts",
            grouped=len(columns) + 1,
        )
        width = len(dimensions)
        found: dict[tuple[Value, ...], dict[int, int]] = {}
        for row in rows:
            if row[width] is not None:
                found.setdefault(key_of(dimensions, row[:width]), {})[row[width]] = row[-1]
        return found

    def buckets(
        self, interval: Interval, measure: Measure, dimensions: Sequence[Dimension]
    ) -> list[tuple[date, tuple[Value, ...], int]]:
        """Count by local day, week or month of reception, and by group; holes are left out."""
        columns = "".join(f"{self._columns.value(each)}, " for each in dimensions)
        rows = self._all(
            f"SELECT {self._columns.bucket(interval)}, {columns}{_MEASURES[measure]} FROM facts",
            grouped=1 + len(dimensions),
        )
        days = 7 if interval is Interval.WEEK else 1
        return [
            (date.fromordinal(days * row[0] + 1), key_of(dimensions, row[1:-1]), row[-1])
            for row in rows
        ]

    def copy_to(self, path: Path, *, without: Sequence[str]) -> None:
        """Write the selected rows to a Parquet file, except some columns."""
        excluded = ", ".join(without)
        # The path is our own temporary file's; COPY takes no parameter for it.
        target = str(path).replace("'", "''")
        select = f"SELECT * EXCLUDE ({excluded}) FROM facts{self._condition()}"
        self._run(f"COPY ({select}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")

    def _conditions(self) -> tuple[list[str], list[object]]:
        conditions: list[str] = []
        parameters: list[object] = []
        if self._selection.start is not None:
            conditions.append("received_at >= ?::TIMESTAMP")
            parameters.append(self._selection.start)
        if self._selection.end is not None:
            conditions.append("received_at < ?::TIMESTAMP")
            parameters.append(self._selection.end)
        for dimension, values in self._selection.filters.items():
            wanted = [value for value in values if value is not None]
            column = self._columns.value(dimension)
            either: list[str] = []
            if wanted:
                either.append(f"{column} IN ({', '.join(['?'] * len(wanted))})")
                parameters.extend(stored(dimension, value) for value in wanted)
            if None in values:
                either.append(f"{column} IS NULL")
            conditions.append(f"({' OR '.join(either)})")
        return conditions, parameters

    def _all(
        self,
        select: str,
        dimensions: Sequence[Dimension] = (),
        *,
        grouped: int | None = None,
        only: Sequence[str] = (),
    ) -> list[tuple[Any, ...]]:
        width = len(dimensions) if grouped is None else grouped
        places = ", ".join(str(place) for place in range(1, width + 1))
        group = f" GROUP BY {places}" if width else ""
        return self._run(select + self._condition(*only) + group)

    def _condition(self, *more: str) -> str:
        conditions = [*self._where, *more]
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""

    def _run(self, statement: str, before: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._cursor.execute(statement, [*before, *self._parameters]).fetchall()
        except duckdb.OutOfMemoryException:
            raise OutOfMemory(
                "this question needs more memory than REDRESS_ANALYTICS_MEMORY_MB allows;"
                " narrow it, or raise the setting"
            ) from None

    def _one(self, select: str) -> tuple[Any, ...]:
        return self._all(select)[0]
