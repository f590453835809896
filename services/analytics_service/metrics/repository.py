"""The statements behind the figures.

Names of columns are put into the text from closed enumerations; values are always parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from services.analytics_service.metrics.domain.dimensions import (
    Dimension,
    Interval,
    Measure,
    Stage,
    Value,
)
from services.analytics_service.metrics.domain.selection import Selection
from services.analytics_service.metrics.domain.zones import offsets
from services.analytics_service.projections.domain.facts import CLOCK_KINDS, OPEN_STATES
from services.analytics_service.projections.repository.serving import Reading

_MEASURES = {
    Measure.COUNT: "count(*)",
    Measure.BREACHED: "count(*) FILTER (breached)",
    Measure.ESCALATED: "count(*) FILTER (escalation_level > 0)",
    Measure.RESOLVED: "count(*) FILTER (resolved_at IS NOT NULL)",
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
        f"({kind}_clock = 'breached' AND {column} IS NULL)" for kind, column in _MILESTONES.items()
    )
    + ")"
)


@dataclass(frozen=True, slots=True)
class Times:
    """The distribution of one stage in one group, in seconds; all None where nothing is in it."""

    key: tuple[Value, ...]
    count: int
    mean: float | None
    percentiles: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class ClockCounts:
    """What became of the clocks of one kind in one group."""

    met: int
    breached: int
    running: int


class Facts:
    """One consistent view of the facts, narrowed to a selection."""

    def __init__(self, reading: Reading, selection: Selection) -> None:
        self._cursor = reading.cursor
        self._selection = selection
        self._local: str | None = None
        self._where, self._parameters = self._conditions()

    def span(self) -> tuple[datetime, datetime] | None:
        """Return when the first and the last complaint of the selection were received."""
        row = self._one("SELECT min(received_at), max(received_at) FROM facts")
        return None if row[0] is None else (row[0], row[1])

    def cells(
        self, dimensions: Sequence[Dimension], measure: Measure
    ) -> list[tuple[tuple[Value, ...], int]]:
        """Count by the values of some dimensions."""
        columns = "".join(f"{self._value(each)}, " for each in dimensions)
        rows = self._all(f"SELECT {columns}{_MEASURES[measure]} FROM facts", dimensions)
        return [(_key(row[:-1]), row[-1]) for row in rows]

    def places(self, resolution: int) -> list[tuple[int | None, int]]:
        """Count by H3 cell of a resolution; None is the count of complaints without a place."""
        # The parent of a cell: its resolution's bits changed, the digits below filled with sevens.
        keep = ~(15 << 52) & 0xFFFFFFFFFFFFFFFF
        fill = resolution << 52 | (1 << 3 * (15 - resolution)) - 1
        parent = (
            f"CASE WHEN (h3 >> 52) & 15 > {resolution} "
            f"THEN (h3 & {keep}::UBIGINT) | {fill}::UBIGINT ELSE h3 END"
        )
        return self._all(f"SELECT {parent} AS cell, count(*) FROM facts", grouped=1)

    def times(
        self, stage: Stage, dimensions: Sequence[Dimension], percentiles: Sequence[float]
    ) -> list[Times]:
        """Return exact, linearly interpolated percentiles of a stage by group."""
        columns = "".join(f"{self._value(each)}, " for each in dimensions)
        quantiles = ", ".join(str(each) for each in percentiles)
        rows = self._all(
            f"SELECT {columns}count(*), avg({stage}), quantile_cont({stage}, [{quantiles}]) "
            "FROM facts",
            dimensions,
            also=f"{stage} IS NOT NULL",
        )
        empty = (None,) * len(percentiles)
        return [
            Times(_key(row[:-3]), row[-3], row[-2], tuple(row[-1]) if row[-1] else empty)
            for row in rows
        ]

    def clocks(
        self, dimensions: Sequence[Dimension]
    ) -> list[tuple[tuple[Value, ...], dict[str, ClockCounts]]]:
        """Count what became of every kind of clock, by group."""
        columns = [self._value(each) for each in dimensions]
        for kind in CLOCK_KINDS:
            for states in ("'met'", "'breached'", "'running', 'paused'"):
                columns.append(f"count(*) FILTER ({kind}_clock IN ({states}))")
        rows = self._all(f"SELECT {', '.join(columns)} FROM facts", dimensions)
        width = len(dimensions)
        return [
            (
                _key(row[:width]),
                {
                    kind: ClockCounts(*row[width + 3 * place : width + 3 * place + 3])
                    for place, kind in enumerate(CLOCK_KINDS)
                },
            )
            for row in rows
        ]

    def buckets(
        self, interval: Interval, measure: Measure, dimensions: Sequence[Dimension]
    ) -> list[tuple[date, tuple[Value, ...], int]]:
        """Count by local day, week or month of reception, and by group; holes are left out."""
        columns = "".join(f"{self._value(each)}, " for each in dimensions)
        bucket = f"date_trunc('{interval}', {self._local_time()})::DATE"
        rows = self._all(
            f"SELECT {bucket}, {columns}{_MEASURES[measure]} FROM facts",
            grouped=1 + len(dimensions),
        )
        return [(row[0], _key(row[1:-1]), row[-1]) for row in rows]

    def _value(self, dimension: Dimension) -> str:
        if dimension is Dimension.DAY:
            return f"{self._local_time()}::DATE"
        if dimension is Dimension.WEEK:
            return f"date_trunc('week', {self._local_time()})::DATE"
        if dimension is Dimension.HOUR_OF_WEEK:
            local = self._local_time()
            return f"((isodow({local}) - 1) * 24 + hour({local}))::INTEGER"
        return dimension.value

    def _local_time(self) -> str:
        """Return local time as an expression: the offsets of the zone over the selection."""
        if self._local is None:
            start, end = self._selection.start, self._selection.end
            if start is None or end is None:
                row = self._cursor.execute(
                    "SELECT min(received_at), max(received_at) FROM facts"
                ).fetchone()
                first, last = row if row and row[0] else (datetime(2000, 1, 1),) * 2
                start, end = start or first, end or last
            found = offsets(self._selection.zone, start, end + timedelta(days=1))
            seconds = str(found[0].seconds)
            for offset in found[1:]:
                seconds = (
                    f"CASE WHEN received_at >= TIMESTAMP '{offset.since}' "
                    f"THEN {offset.seconds} ELSE {seconds} END"
                )
            self._local = f"(received_at + to_seconds({seconds}))"
        return self._local

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
            column = self._value(dimension)
            either: list[str] = []
            if wanted:
                kind = "::DATE" if dimension in (Dimension.DAY, Dimension.WEEK) else ""
                either.append(f"{column} IN ({', '.join(['?' + kind] * len(wanted))})")
                parameters.extend(wanted)
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
        also: str | None = None,
    ) -> list[tuple[Any, ...]]:
        width = len(dimensions) if grouped is None else grouped
        conditions = [*self._where, *([also] if also else [])]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        places = ", ".join(str(place) for place in range(1, width + 1))
        group = f" GROUP BY {places}" if width else ""
        return self._cursor.execute(select + where + group, self._parameters).fetchall()

    def _one(self, select: str) -> tuple[Any, ...]:
        return self._all(select)[0]


def _key(values: Sequence[str | int | date | None]) -> tuple[Value, ...]:
    return tuple(each.isoformat() if isinstance(each, date) else each for each in values)
