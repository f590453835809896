"""The words of the dashboard, through the catalogue."""

from __future__ import annotations

from collections.abc import Callable

from services.analytics_service.dashboard.domain.lists import Sort, Status
from services.analytics_service.metrics.domain.dimensions import Dimension, Measure, Stage

Gettext = Callable[[str], str]
Counted = Callable[[str, str, float], str]
"""Puts a counting sentence into its right number: singular, plural, count."""


class Words:
    """What the codes of a view are called in the reader's language."""

    def __init__(self, gettext: Gettext, counted: Counted) -> None:
        self._ = gettext
        self._counted = counted

    @property
    def periods(self) -> list[tuple[str, str]]:
        """The periods that can be chosen."""
        return [(name, self.period(name)) for name in ("7d", "30d", "90d", "365d", "all", "custom")]

    def period(self, name: str) -> str:
        """Return what a period is called."""
        _ = self._
        return {
            "7d": _("Last 7 days"),
            "30d": _("Last 30 days"),
            "90d": _("Last 90 days"),
            "365d": _("Last 365 days"),
            "all": _("All time"),
            "custom": _("From … to …"),
        }[name]

    @property
    def dimensions(self) -> list[tuple[str, str]]:
        """The dimensions that can be chosen."""
        return [(each.value, self.dimension(each)) for each in Dimension]

    def dimension(self, dimension: Dimension) -> str:
        """Return what a dimension is called."""
        _ = self._
        return {
            Dimension.CATEGORY: _("Category"),
            Dimension.PRODUCT: _("Product"),
            Dimension.REGION: _("Region"),
            Dimension.CHANNEL: _("Channel"),
            Dimension.DEPARTMENT: _("Department"),
            Dimension.SEVERITY: _("Severity"),
            Dimension.PRIORITY: _("Priority"),
            Dimension.TIER: _("Tier"),
            Dimension.WEEK: _("Week"),
            Dimension.DAY: _("Day"),
            Dimension.HOUR_OF_WEEK: _("Hour of the week"),
        }[dimension]

    @property
    def measures(self) -> list[tuple[str, str]]:
        """The measures that can be chosen."""
        return [(each.value, self.measure(each)) for each in Measure]

    def measure(self, measure: Measure) -> str:
        """Return what a measure is called."""
        _ = self._
        return {
            Measure.COUNT: _("Complaints"),
            Measure.BREACHED: _("With a missed deadline"),
            Measure.ESCALATED: _("Escalated"),
            Measure.RESOLVED: _("Resolved"),
        }[measure]

    def stage(self, stage: Stage) -> str:
        """Return what a stage is called."""
        _ = self._
        return {
            Stage.TO_ACKNOWLEDGE: _("To acknowledgement"),
            Stage.TO_ASSIGN: _("To assignment"),
            Stage.TO_FIRST_REPLY: _("To first reply"),
            Stage.TO_PROPOSE: _("To proposal"),
            Stage.TO_RESOLVE: _("To resolution"),
            Stage.TOTAL: _("Receipt to resolution"),
        }[stage]

    def status(self, status: Status) -> str:
        """Return what a status is called."""
        _ = self._
        return {
            Status.OPEN: _("Open"),
            Status.OVERDUE: _("Overdue"),
            Status.RESOLVED: _("Resolved"),
            Status.BREACHED: _("With a missed deadline"),
            Status.ESCALATED: _("Escalated"),
            Status.REOPENED: _("Reopened"),
        }[status]

    def sort(self, sort: Sort) -> str:
        """Return what an order is called."""
        _ = self._
        return {Sort.NEWEST: _("Newest first"), Sort.SLOWEST: _("Slowest first")}[sort]

    def trend(self, measure: Measure) -> str:
        """Return what the trend tells: all that came in, or how many of them there are that …."""
        _ = self._
        return {
            Measure.COUNT: _("How many come in"),
            Measure.BREACHED: _("How many of those received missed a deadline"),
            Measure.ESCALATED: _("How many of those received were escalated"),
            Measure.RESOLVED: _("How many of those received were resolved"),
        }[measure]

    def interval(self, interval: str) -> str:
        """Return how often the trend counts."""
        _ = self._
        return {"day": _("by day"), "week": _("by week"), "month": _("by month")}[interval]

    @property
    def received(self) -> str:
        """The first figure."""
        return self._("Received")

    @property
    def median(self) -> str:
        """The fourth figure."""
        return self._("Median time to resolve")

    @property
    def kept(self) -> str:
        """The fifth figure."""
        return self._("Deadlines kept")

    def judged(self, deadlines: int) -> str:
        """Return of how many deadlines the fifth figure is a share."""
        return self._counted("of %(num)s judged", "of %(num)s judged", deadlines)

    @property
    def everything(self) -> str:
        """No status at all."""
        return self._("All")

    def changed(self, change: str, before: str) -> str:
        """Return a change with the figure of the period before."""
        return self._("%(change)s · before: %(before)s") % {"change": change, "before": before}

    def before(self, before: str) -> str:
        """Return the figure of the period before."""
        return self._("before: %(before)s") % {"before": before}

    def points(self, points: str) -> str:
        """Return a difference of shares."""
        return self._("%(points)s points") % {"points": points}

    def left_out(self, rows: int, columns: int, *, earlier: tuple[bool, bool]) -> str:
        """Return how many rows and columns are not shown, "" where all are.

        `earlier` tells of each whether those not shown lie before the others in time.
        """
        counted = self._counted
        parts = []
        if rows and earlier[0]:
            parts.append(counted("%(num)s earlier row", "%(num)s earlier rows", rows))
        elif rows:
            parts.append(counted("%(num)s more row", "%(num)s more rows", rows))
        if columns and earlier[1]:
            parts.append(counted("%(num)s earlier column", "%(num)s earlier columns", columns))
        elif columns:
            parts.append(counted("%(num)s more column", "%(num)s more columns", columns))
        if not parts:
            return ""
        what = self._(" and ").join(parts)
        return self._("Not shown, but in the totals: %(what)s.") % {"what": what}

    @property
    def scrolls(self) -> str:
        """The hint under a heat map with more columns than any screen has room for."""
        return self._("The table goes on to the right: scroll it sideways.")

    def chip(self, dimension: str, value: str) -> str:
        """Return a filter in force: its dimension and its value."""
        return dimension + self._(": ") + value

    @property
    def percentiles(self) -> tuple[str, str, str]:
        """The names of p50, p90 and p99."""
        _ = self._
        return _("Half within"), _("9 of 10 within"), _("99 of 100 within")

    @property
    def ticks(self) -> dict[int, str]:
        """The words on the axis of time, by seconds."""
        _ = self._
        return {
            0: "0",
            1: _("1 s"),
            10: _("10 s"),
            60: _("1 min"),
            600: _("10 min"),
            3600: _("1 h"),
            6 * 3600: _("6 h"),
            86400: _("1 day"),
            7 * 86400: _("1 week"),
            30 * 86400: _("1 month"),
            182 * 86400: _("6 months"),
            730 * 86400: _("2 years"),
        }
