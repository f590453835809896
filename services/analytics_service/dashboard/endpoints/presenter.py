"""Puts figures into words, links and charts for one reader."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, timedelta
from typing import Any

import h3
from starlette.requests import HTTPConnection

from services.analytics_service.dashboard.domain import charts
from services.analytics_service.dashboard.domain.labels import LabelFile, Labels
from services.analytics_service.dashboard.domain.lists import Sort, Status
from services.analytics_service.dashboard.domain.periods import Period
from services.analytics_service.dashboard.endpoints import addresses
from services.analytics_service.dashboard.endpoints.words import Words
from services.analytics_service.dashboard.repository import Summary
from services.analytics_service.dashboard.schemas import BAR, ListView, View
from services.analytics_service.dashboard.service import PAGE, Choices, Listing, Overview
from services.analytics_service.metrics.domain.dimensions import Dimension, Measure
from services.analytics_service.metrics.domain.tables import to_csv
from services.analytics_service.metrics.repository import Times
from shared.kernel.errors import InvalidInput, NotFound
from shared.web.pages import Pages

Context = dict[str, Any]
"""What a template is given."""
Table = tuple[Sequence[str], Iterable[Sequence[object]]]
_TOLD_AS_SHARE = 10
"""From ten times on a change in percent says nothing any more."""
_PERCENTILES = ("p50", "p90", "p99")
_MOST_SIDE_BY_SIDE = 13
"""More hours of the week fit on no screen."""


class UnknownFigure(NotFound):
    """The dashboard has no figure of this name."""


class Presenter:
    """The dashboard in one reader's language, for one view."""

    def __init__(
        self,
        pages: Pages,
        labels: LabelFile,
        request: HTTPConnection,
        view: View,
        period: Period,
    ) -> None:
        language = pages.language(request)
        self._chinese = language.tag == "zh-CN"
        self._formats = pages.formats(language)
        self._labels = Labels(labels, chinese=self._chinese)
        self._tell: Callable[[str], str] = lambda text: pages.gettext(language, text)
        self._words = Words(self._tell, self._formats.counted)
        self._view = view
        self._period = period

    def overview(self, found: Overview) -> Context:
        """Return the context of the dashboard."""
        return {
            **self._bar(found.choices),
            "errors": {},
            "as_of": found.as_of,
            "known": found.known,
            "received": found.now.received,
            "figures": self._figures(found.now, found.before),
            "heat": self._heat(found),
            "dimensions": self._words.dimensions,
            "measures": self._words.measures,
            "bars": self._bars(found),
            "trend_title": self._words.trend(self._view.measure),
            "interval": self._words.interval(found.trend.interval),
            "trend_spec": self._trend_spec(found),
            "stages": [self._times(each, self._words.stage(each.stage)) for each in found.stages],
            "stages_spec": self._stages_spec(found.stages),
            "slowest": self._slowest(found.slowest),
            "places": found.places,
            "place_rows": self._place_rows(found),
            "places_spec": self._places_spec(found),
            "csv": lambda name: addresses.figure(self._view, name),
            "everything": f"{addresses.BOARD}?period=all",
            "filtered": any(getattr(self._view, each.value) for each in Dimension),
            "list_all": addresses.complaints(self._view),
        }

    def refused(self, choices: Choices, wrong: InvalidInput) -> Context:
        """Return the context of the dashboard for a view that cannot be answered."""
        errors = {each.pointer.rpartition("/")[2]: self._tell(each.detail) for each in wrong.errors}
        return {**self._bar(choices.values), "as_of": choices.as_of, "errors": errors}

    def listing(self, found: Listing) -> Context:
        """Return the context of a list."""
        view = self._view
        assert isinstance(view, ListView)
        pages = max(1, math.ceil(found.total / PAGE))
        sorts = [(s.value, self._words.sort(s), addresses.page(view, sort=s, page=1)) for s in Sort]
        statuses: list[tuple[str, str, str]] = [
            ("", self._words.everything, addresses.page(view, status="", page=1))
        ]
        statuses += [
            (s.value, self._words.status(s), addresses.page(view, status=s, page=1)) for s in Status
        ]
        return {
            "as_of": found.as_of,
            "lines": found.lines,
            "total": found.total,
            "period": self._words.period(self._period.name),
            "days": self._days(),
            "chips": self._chips(set(), addresses.COMPLAINTS),
            "label": self._labels.value,
            "utc": lambda instant: instant and instant.replace(tzinfo=UTC),
            "sorts": sorts,
            "statuses": statuses,
            "view": view,
            "page": view.page,
            "pages": pages,
            "previous": addresses.page(view, page=view.page - 1) if view.page > 1 else None,
            "next": addresses.page(view, page=view.page + 1) if view.page < pages else None,
            "back": addresses.board(view),
        }

    def csv(self, figure: str, found: Overview) -> str:
        """Return a figure's table as CSV; raises UnknownFigure."""
        tables: dict[str, Callable[[Overview], Table]] = {
            "heatmap": self._heat_csv,
            "trend": lambda each: (
                ("start", "count"),
                [(b.start, b.count) for b in each.trend.buckets],
            ),
            "stages": lambda each: self._times_csv("stage", each.stages, lambda t: t.stage),
            "slowest": lambda each: self._times_csv("category", each.slowest, lambda t: t.key[0]),
            "places": lambda each: (
                ("h3", "latitude", "longitude", "count"),
                [(c.h3, c.latitude, c.longitude, c.count) for c in each.places.cells],
            ),
        }
        if figure not in tables:
            raise UnknownFigure(
                f"The dashboard has no figure {figure}; it has {', '.join(tables)}."
            )
        header, rows = tables[figure](found)
        return to_csv(header, rows)

    def _bar(self, choices: dict[str, list[str | None]]) -> Context:
        start, end = self._view.days()
        return {
            "view": self._view,
            "period": self._period,
            "periods": self._words.periods,
            "days": self._days(),
            "custom_from": start or "",
            "custom_to": end or "",
            "fields": [self._field(name, choices[name]) for name in BAR],
            "chips": self._chips(set(BAR), addresses.BOARD),
            "hidden_heat": addresses.heat(self._view),
            "hidden_bar": addresses.base(self._view),
        }

    def _field(self, name: str, values: Sequence[str | None]) -> Context:
        chosen: list[str] = getattr(self._view, name)
        options = [
            ("null" if value is None else value, self._labels.value(name, value))
            for value in values
        ]
        known = {value for value, _ in options}
        options += [
            (value, self._labels.value(name, value)) for value in chosen if value not in known
        ]
        return {
            "name": name,
            "label": self._words.dimension(Dimension(name)),
            "options": sorted(options, key=lambda option: (option[0] == "null", option[1])),
            "chosen": chosen,
        }

    def _chips(self, but: set[str], path: str) -> list[Context]:
        """Return the filters that the bar does not show, each with a way to take it away."""
        chips: list[Context] = []
        for dimension in Dimension:
            values: list[str] = getattr(self._view, dimension.value)
            if dimension.value in but and len(values) < 2:
                continue
            for value in values:
                shown = self._labels.value(dimension, None if value == "null" else value)
                text = self._words.chip(self._words.dimension(dimension), shown)
                away = addresses.without(self._view, dimension.value, value, path)
                chips.append({"text": text, "away": away})
        return chips

    def _days(self) -> str:
        """Return the days of the period in words; the last one is included for people."""
        start, end = self._period.start, self._period.end
        last = end - timedelta(days=1) if end else None
        if start is None and last is None:
            return ""
        first_words = self._formats.date(start) if start else "…"
        return f"{first_words} – {self._formats.date(last) if last else '…'}"

    def _figures(self, now: Summary, before: Summary | None) -> list[Context]:
        words, number, view = self._words, self._formats.number, self._view

        def figure(
            label: str,
            shown: str,
            change: tuple[str, str],
            extra: addresses.Pairs,
            *,
            base: str = "",
        ) -> Context:
            text, tone = change
            return {
                "label": label,
                "value": shown,
                "base": base,
                "change": text,
                "tone": tone,
                "href": addresses.complaints(view, extra=extra),
            }

        def counted(name: str, *, more_is: str = "worse") -> tuple[str, str]:
            if before is None:
                return "", ""
            return self._count_change(getattr(now, name), getattr(before, name), more_is)

        return [
            figure(words.received, number(now.received), counted("received", more_is=""), []),
            figure(
                words.status(Status.OPEN), number(now.open), counted("open"), [("status", "open")]
            ),
            figure(
                words.status(Status.OVERDUE), number(now.overdue),
                counted("overdue"), [("status", "overdue")],
            ),
            figure(
                words.median, self._formats.took(now.median_seconds),
                self._span_change(now, before), [("status", "resolved"), ("sort", "slowest")],
            ),
            figure(
                words.kept, self._formats.percent(now.kept_in_time),
                self._share_change(now, before), [("status", "breached")],
                base=words.judged(now.clocks_judged) if now.clocks_judged else "",
            ),
            figure(
                words.status(Status.REOPENED), number(now.reopened),
                counted("reopened"), [("status", "reopened")],
            ),
        ]  # fmt: skip

    def _count_change(self, now: int, before: int, more_is: str) -> tuple[str, str]:
        shown = self._formats.number(before)
        if not before or now > _TOLD_AS_SHARE * before:
            return self._words.before(shown), ""
        share = (now - before) / before
        tone = "" if now == before or not more_is else more_is if now > before else "better"
        return self._words.changed(f"{round(share * 100):+d}%", shown), tone

    def _span_change(self, now: Summary, before: Summary | None) -> tuple[str, str]:
        if before is None or before.median_seconds is None or now.median_seconds is None:
            return "", ""
        difference = now.median_seconds - before.median_seconds
        was = self._formats.took(before.median_seconds)
        if abs(difference) < 1:
            return self._words.before(was), ""
        sign = "+" if difference >= 0 else "−"
        tone = "worse" if difference > 0 else "better" if difference < 0 else ""
        change = f"{sign}{self._formats.span(abs(difference))}"
        return self._words.changed(change, was), tone

    def _share_change(self, now: Summary, before: Summary | None) -> tuple[str, str]:
        if before is None or before.kept_in_time is None or now.kept_in_time is None:
            return "", ""
        points = (now.kept_in_time - before.kept_in_time) * 100
        tone = "better" if points > 0 else "worse" if points < 0 else ""
        change = self._words.points(f"{points:+.1f}")
        return self._words.changed(change, self._formats.percent(before.kept_in_time)), tone

    def _heat(self, found: Overview) -> Context:
        view, heat = self._view, found.heat
        rows, columns, measured = view.rows.value, view.columns.value, self._measured()

        def cell(row: object, column: object) -> str:
            filters = {rows: _text(row), columns: _text(column)}
            return addresses.complaints(view, extra=measured, **filters)

        lines = [
            {
                "label": self._labels.value(rows, row),
                "href": addresses.complaints(view, extra=measured, **{rows: _text(row)}),
                "total": total,
                "cells": [
                    {"count": each.count, "level": each.level, "href": cell(row, column)}
                    for column, each in zip(heat.columns, cells, strict=True)
                ],
            }
            for row, cells, total in zip(heat.rows, heat.cells, heat.row_totals, strict=True)
        ]
        heads = [
            {
                "label": short,
                "title": self._labels.value(columns, column),
                "href": addresses.complaints(
                    view, extra=self._measured(), **{columns: _text(column)}
                ),
                "total": total,
            }
            for column, short, total in zip(
                heat.columns, self._short(columns, heat.columns), heat.column_totals, strict=True
            )
        ]
        return {
            "lines": lines,
            "heads": heads,
            "total": heat.total,
            "total_href": addresses.complaints(view, extra=measured),
            "left_out": self._words.left_out(
                heat.other_rows,
                heat.other_columns,
                earlier=(view.rows.is_time, view.columns.is_time),
            ),
            "newest_last": view.columns in (Dimension.WEEK, Dimension.DAY),
            "scrolls": self._words.scrolls if len(heads) > _MOST_SIDE_BY_SIDE else "",
            "rows": self._words.dimension(view.rows),
            "columns": self._words.dimension(view.columns),
            "measure": self._words.measure(view.measure),
            "same": view.rows == view.columns,
        }

    def _short(self, dimension: str, values: Sequence[str | int | None]) -> list[str]:
        """Return the heads of columns; of dates the year is told once, where it begins."""
        if dimension not in ("week", "day"):
            return [self._labels.value(dimension, value) for value in values]
        heads, year = [], None
        for day in (date.fromisoformat(str(value)) for value in values):
            # A hyphen that no line breaks at.
            text = (
                f"{day:%m}\N{NON-BREAKING HYPHEN}{day:%d}"
                if self._chinese
                else f"{day.day} {day:%b}"
            )
            heads.append(text if day.year == year else f"{day.year} {text}")
            year = day.year
        return heads

    def _measured(self) -> addresses.Pairs:
        measure = self._view.measure
        return [] if measure is Measure.COUNT else [("status", measure.value)]

    def _bars(self, found: Overview) -> list[charts.Bar]:
        buckets = found.trend.buckets
        bars = []
        for place, bucket in enumerate(buckets):
            if place + 1 < len(buckets):
                end = buckets[place + 1].start
            else:
                end = _after(bucket.start, found.trend.interval)
            label = self._formats.date(bucket.start)
            if found.trend.interval == "month":
                label = f"{bucket.start:%Y-%m}"
            elif found.trend.interval == "week":
                label += f" – {self._formats.date(end - timedelta(days=1))}"
            href = self._received_within(bucket.start, end)
            bars.append(
                charts.Bar(bucket.start.isoformat(), end.isoformat(), label, bucket.count, href)
            )
        return bars

    def _received_within(self, start: date, end: date) -> str:
        """Return the list behind a bar: the first and the last may reach beyond the period."""
        start = max(start, self._period.start or start)
        end = min(end, self._period.end or end)
        return addresses.between(
            self._view, start.isoformat(), end.isoformat(), extra=self._measured()
        )

    def _trend_spec(self, found: Overview) -> charts.Spec:
        title = self._words.measure(self._view.measure)
        return charts.trend(
            self._bars(found),
            interval=found.trend.interval,
            count_title=title,
            chinese=self._chinese,
        )

    def _times(self, times: Times, label: str) -> Context:
        spans = [self._formats.took(seconds) for seconds in times.percentiles]
        return {"label": label, "count": times.count, "spans": spans}

    def _stages_spec(self, stages: Sequence[Times]) -> charts.Spec:
        rows = [
            charts.StageTimes(
                self._words.stage(each.stage),
                dict(zip(_PERCENTILES, (max(p or 0, 0) for p in each.percentiles), strict=True)),
                dict(zip(_PERCENTILES, map(self._formats.took, each.percentiles), strict=True)),
            )
            for each in stages
        ]
        titles = dict(zip(_PERCENTILES, self._words.percentiles, strict=True))
        return charts.percentiles(rows, titles=titles, ticks=self._words.ticks)

    def _slowest(self, found: Sequence[Times]) -> list[Context]:
        longest = max((each.percentiles[1] or 0 for each in found), default=0) or 1
        return [
            {
                **self._times(each, self._labels.value("category", each.key[0])),
                "bar": [round(100 * max(p or 0, 0) / longest, 1) for p in each.percentiles[:2]],
                "href": addresses.complaints(
                    self._view,
                    extra=[("status", "resolved"), ("sort", "slowest")],
                    category=_text(each.key[0]),
                ),
            }
            for each in found
        ]

    def _place_rows(self, found: Overview) -> list[Context]:
        return [
            {
                "place": _coordinates(cell.latitude, cell.longitude),
                "h3": cell.h3,
                "count": cell.count,
                "href": addresses.complaints(self._view, extra=[("cell", cell.h3)]),
            }
            for cell in found.places.cells[:50]
        ]

    def _places_spec(self, found: Overview) -> charts.Spec:
        features: list[charts.Spec] = []
        for cell in found.places.cells:
            ring = [[lng, lat] for lat, lng in h3.cell_to_boundary(cell.h3)]
            # D3 takes a ring for what lies on its left; H3 goes the other way round.
            ring.reverse()
            properties = {
                "count": cell.count,
                "place": _coordinates(cell.latitude, cell.longitude),
                "href": addresses.complaints(self._view, extra=[("cell", cell.h3)]),
            }
            geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
            features.append({"type": "Feature", "geometry": geometry, "properties": properties})
        corners = [corner for cell in found.places.cells for corner in h3.cell_to_boundary(cell.h3)]
        latitudes, longitudes = zip(*corners, strict=True) if corners else ((0.0,), (0.0,))
        box = charts.Box(min(longitudes), min(latitudes), max(longitudes), max(latitudes))
        return charts.places(
            features,
            box,
            highest=max((cell.count for cell in found.places.cells), default=0),
            count_title=self._words.measure(Measure.COUNT),
        )

    def _times_csv(
        self, name: str, found: Sequence[Times], key: Callable[[Times], object]
    ) -> Table:
        header = (name, "count", "mean_seconds", "p50_seconds", "p90_seconds", "p99_seconds")
        return header, [(key(each), each.count, each.mean, *each.percentiles) for each in found]

    def _heat_csv(self, found: Overview) -> Table:
        heat = found.heat
        rows = (
            (row, column, cell.count)
            for row, cells in zip(heat.rows, heat.cells, strict=True)
            for column, cell in zip(heat.columns, cells, strict=True)
        )
        return (self._view.rows, self._view.columns, self._view.measure), rows


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _after(start: date, interval: str) -> date:
    if interval == "month":
        return (start + timedelta(days=32)).replace(day=1)
    return start + timedelta(days=7 if interval == "week" else 1)


def _coordinates(latitude: float, longitude: float) -> str:
    return f"{latitude:.3f}, {longitude:.3f}"
