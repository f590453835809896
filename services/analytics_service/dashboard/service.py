"""Gathers what the dashboard shows, all of one moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import h3

from services.analytics_service.dashboard.domain.heat import Axis, HeatTable, Order, heat_table
from services.analytics_service.dashboard.domain.periods import ALL, CUSTOM, Period, period
from services.analytics_service.dashboard.repository import Board, Line, Summary
from services.analytics_service.dashboard.schemas import BAR, ListView, View
from services.analytics_service.metrics import schemas as metrics
from services.analytics_service.metrics.domain.dimensions import (
    Dimension,
    Interval,
    Stage,
    Value,
    sort_values,
)
from services.analytics_service.metrics.domain.selection import Selection
from services.analytics_service.metrics.domain.zones import midnight
from services.analytics_service.metrics.repository import Facts, Times
from services.analytics_service.metrics.service import geo, trend
from services.analytics_service.projections.repository.serving import Reading, Serving
from shared.kernel.errors import FieldError, InvalidInput

PAGE = 50
_DEFAULT_PERIOD = "90d"
_MOST_ROWS, _MOST_COLUMNS = 15, 12
_MOST_TIME_ROWS, _MOST_TIME_COLUMNS = 31, 13
"""A month of days, one under another; side by side a quarter of weeks, as many as a desk shows."""
_HOURS_OF_WEEK = 168
_SLOWEST = 10
FEWEST_RANKED = 5
_PERCENTILES = (0.5, 0.9, 0.99)
_FINEST = ((0.8, 7), (2, 6), (5, 5), (14, 4), (60, 3))  # degrees across → H3 resolution


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the dashboard."""

    as_of: datetime | None
    period: Period
    choices: dict[str, list[str | None]]
    now: Summary
    before: Summary | None
    heat: HeatTable
    trend: metrics.Trend
    stages: list[Times]
    slowest: list[Times]
    places: metrics.Geo
    known: int


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the complaints behind a figure."""

    as_of: datetime | None
    period: Period
    lines: list[Line]
    total: int


class BackwardsPeriod(InvalidInput):
    """A period that ends before it begins."""

    TEXT = "The end lies before the beginning."

    def __init__(self) -> None:
        super().__init__(self.TEXT, (FieldError("/query/to", "backwards", self.TEXT),))


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filter bar has to choose from, whatever is chosen."""

    as_of: datetime | None
    values: dict[str, list[str | None]]


class Dashboard:
    """Answers the dashboard's questions."""

    def __init__(
        self,
        serving: Serving,
        zone: ZoneInfo,
        now: Callable[[], datetime],
        uncounted_since: Callable[[], datetime | None],
    ) -> None:
        self._serving = serving
        self._zone = zone
        self._now = now
        self.uncounted_since = uncounted_since
        """Tells from when on events are not in the figures yet, None where all recent are."""

    async def overview(self, view: View) -> Overview:
        """Gather the dashboard for a view; raises BackwardsPeriod."""
        return await self._serving.read(lambda reading: self._overview(reading, view))

    async def listing(self, view: ListView) -> Listing:
        """Gather a page of the list for a view; raises BackwardsPeriod."""
        return await self._serving.read(lambda reading: self._listing(reading, view))

    async def choices(self) -> Choices:
        """Gather what the filter bar offers."""
        return await self._serving.read(
            lambda reading: Choices(reading.as_of, self._all(reading).choices(BAR))
        )

    def today(self) -> date:
        """Return the company's local day."""
        return self._now().astimezone(self._zone).date()

    def _overview(self, reading: Reading, view: View) -> Overview:
        chosen = self._period(reading, view)
        selection = self._selection(view, chosen)
        board = Board(reading, selection)
        before = None
        if chosen.previous is not None:
            before = Board(reading, self._selection(view, chosen.previous)).summary()
        stages = board.times(list(Stage), [], _PERCENTILES)
        interval = Interval(chosen.interval)
        return Overview(
            as_of=reading.as_of,
            period=chosen,
            choices=self._all(reading).choices(BAR),
            now=board.summary(),
            before=before,
            heat=_heat(board, view),
            trend=trend(reading, self._until_now(selection, chosen), interval, view.measure),
            stages=[each for each in stages if each.count],
            slowest=_slowest(board),
            places=_places(reading, selection),
            known=self._all(reading).count(),
        )

    def _all(self, reading: Reading) -> Board:
        return Board(reading, Selection(self._zone))

    def _listing(self, reading: Reading, view: ListView) -> Listing:
        chosen = self._period(reading, view)
        board = Board(
            reading,
            self._selection(view, chosen),
            status=view.status or None,
            cell=int(view.cell, 16) if view.cell else None,
        )
        lines = board.listing(view.sort, limit=PAGE, offset=(view.page - 1) * PAGE)
        return Listing(reading.as_of, chosen, lines, board.count())

    def _period(self, reading: Reading, view: View) -> Period:
        today = self.today()
        if view.period or any(view.days()):
            chosen = period(view.period or CUSTOM, today, *view.days())
            if chosen.start and chosen.end and chosen.end < chosen.start:
                raise BackwardsPeriod
            return chosen
        usual = period(_DEFAULT_PERIOD, today)
        # After an import of old records the last months are empty: show what there is.
        start = midnight(usual.start, self._zone) if usual.start else None
        recent = Board(reading, Selection(self._zone, start))
        return usual if recent.count() else period(ALL, today)

    def _selection(self, view: View, chosen: Period) -> Selection:
        filters = replace_range(view).selection(self._zone).filters
        return Selection(
            self._zone,
            midnight(chosen.start, self._zone) if chosen.start else None,
            midnight(chosen.end, self._zone) if chosen.end else None,
            filters,
        )

    def _until_now(self, selection: Selection, chosen: Period) -> Selection:
        """End an open-ended trend with today, not with the last complaint."""
        if chosen.start is None or chosen.end is not None:
            return selection
        return replace(selection, end=midnight(self.today() + timedelta(days=1), self._zone))


def replace_range(view: View) -> View:
    """Return the view without the days typed, which the period has taken in."""
    return view.model_copy(update={"from_": None, "to": None})


def _heat(board: Facts, view: View) -> HeatTable:
    counts = {
        (row, column): n
        for (row, column), n in board.cells((view.rows, view.columns), view.measure)
    }
    return heat_table(
        counts,
        _axis(view.rows, {row for row, _ in counts}, _MOST_ROWS, _MOST_TIME_ROWS),
        _axis(view.columns, {column for _, column in counts}, _MOST_COLUMNS, _MOST_TIME_COLUMNS),
    )


def _axis(dimension: Dimension, found: set[Value], most: int, most_times: int) -> Axis:
    values = sort_values(dimension, found)
    if dimension is Dimension.HOUR_OF_WEEK:
        return Axis(values, _HOURS_OF_WEEK, Order.IN_TIME)
    if dimension.is_time:
        step = 7 if dimension is Dimension.WEEK else 1
        return Axis(values, most_times, Order.IN_TIME, step_days=step)
    return Axis(values, most, Order.RANKED if dimension.is_ranked else Order.LARGEST)


def _slowest(board: Facts) -> list[Times]:
    found = board.times([Stage.TOTAL], [Dimension.CATEGORY], _PERCENTILES)
    # Ninety per cent of two complaints say nothing about a category.
    enough: Sequence[Times] = [each for each in found if each.count >= FEWEST_RANKED]
    return sorted(enough, key=lambda each: -(each.percentiles[1] or 0))[:_SLOWEST]


def _places(reading: Reading, selection: Selection) -> metrics.Geo:
    coarse = [cell for cell, _ in Facts(reading, selection).places(4) if cell is not None]
    return geo(reading, selection, _fitting(coarse))


def _fitting(cells: Sequence[int]) -> int:
    """Return a resolution at which cells are neither a blot nor dust when all are on the map."""
    points = [h3.cell_to_latlng(h3.int_to_str(cell)) for cell in cells]
    if not points:
        return 7
    height = max(p[0] for p in points) - min(p[0] for p in points)
    width = max(p[1] for p in points) - min(p[1] for p in points)
    degrees = max(height, width / 2)
    return next((r for most, r in _FINEST if degrees < most), 2)
