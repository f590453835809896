# ruff: noqa: S608 (text is put together from closed enumerations; values are parameters)
"""The statements behind the six figures and the lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.analytics_service.dashboard.domain.lists import Sort, Status
from services.analytics_service.metrics.domain.dimensions import Stage
from services.analytics_service.metrics.domain.selection import Selection
from services.analytics_service.metrics.repository import OPEN, OVERDUE, RESOLVED, Facts
from services.analytics_service.projections.domain.facts import CLOCK_KINDS
from services.analytics_service.projections.repository.serving import Reading

_STATUS = {
    Status.OPEN: OPEN,
    Status.OVERDUE: OVERDUE,
    Status.RESOLVED: RESOLVED,
    Status.BREACHED: "breached",
    Status.ESCALATED: "escalation_level > 0",
    Status.REOPENED: "reopened > 0",
}
_ORDER = {
    Sort.NEWEST: "received_at DESC, complaint_id DESC",
    Sort.SLOWEST: "total DESC NULLS LAST, complaint_id DESC",
}
_MET = " + ".join(f"count(*) FILTER ({kind}_clock = 'met')" for kind in CLOCK_KINDS)
_BREACHED = " + ".join(f"count(*) FILTER ({kind}_clock = 'breached')" for kind in CLOCK_KINDS)


@dataclass(frozen=True, slots=True)
class Summary:
    """The six figures of a selection; `median_seconds` is of those that are resolved."""

    received: int
    open: int
    overdue: int
    clocks_met: int
    clocks_breached: int
    reopened: int
    median_seconds: float | None

    @property
    def clocks_judged(self) -> int:
        """The clocks that have ended one way or the other; not those of imported, settled cases."""
        return self.clocks_met + self.clocks_breached

    @property
    def kept_in_time(self) -> float | None:
        """The share of judged clocks that were met."""
        return self.clocks_met / self.clocks_judged if self.clocks_judged else None


@dataclass(frozen=True, slots=True)
class Line:
    """One complaint in a list."""

    complaint_id: str
    number: str
    received_at: datetime
    category: str
    product: str | None
    region: str | None
    channel: str
    department: str | None
    priority: str
    state: str
    escalation_level: int
    breached: bool
    resolved_at: datetime | None
    total: float | None


class Board(Facts):
    """What the dashboard asks of the facts beside the metrics."""

    def __init__(
        self,
        reading: Reading,
        selection: Selection,
        *,
        status: Status | None = None,
        cell: int | None = None,
    ) -> None:
        super().__init__(reading, selection)
        if status is not None:
            self._where.append(_STATUS[status])
        if cell is not None:
            self._where.append(f"{self._columns.parent((cell >> 52) & 15)} = {cell}::UBIGINT")

    def summary(self) -> Summary:
        """Count the six figures."""
        [times] = self.times([Stage.TOTAL], (), (0.5,))
        row = self._one(
            f"SELECT count(*), count(*) FILTER ({OPEN}), count(*) FILTER ({OVERDUE}), "
            f"{_MET}, {_BREACHED}, count(*) FILTER (reopened > 0) FROM facts"
        )
        return Summary(*(*row, times.percentiles[0]))

    def listing(self, sort: Sort, *, limit: int, offset: int) -> list[Line]:
        """Return a page of the complaints selected."""
        columns = (
            "complaint_id::VARCHAR, number, received_at, category, product, region, channel, "
            "department, priority, state, escalation_level, breached, resolved_at, total"
        )
        rows = self._run(
            f"SELECT {columns} FROM facts{self._condition()} "
            f"ORDER BY {_ORDER[sort]} LIMIT {int(limit)} OFFSET {int(offset)}"
        )
        return [Line(*row) for row in rows]

    def choices(self, dimensions: Sequence[str]) -> dict[str, list[str | None]]:
        """Return the values that the filters can choose from, the most frequent first."""
        found: dict[str, list[str | None]] = {}
        for dimension in dimensions:
            rows = self._run(
                f"SELECT {dimension}, count(*) FROM facts{self._condition()} "
                "GROUP BY 1 ORDER BY 2 DESC LIMIT 200"
            )
            found[dimension] = [row[0] for row in rows]
        return found
