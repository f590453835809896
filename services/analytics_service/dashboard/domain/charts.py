"""Charts as Vega-Lite specifications.

Colours are the page's: `var(--name)` is looked up in its style sheet by the browser.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from services.analytics_service.dashboard.domain import axes

Spec = dict[str, object]

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_STEPS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30)
_POLAR = 75
"""Beyond it Mercator's map grows without end, and nobody complains from there."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bucket of the trend; `href` leads to the complaints in it."""

    start: str
    end: str
    label: str
    count: int
    href: str


class Box(NamedTuple):
    """The degrees that cells lie within."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class StageTimes:
    """One stage's percentiles in seconds, with their words."""

    stage: str
    seconds: Mapping[str, float]
    words: Mapping[str, str]


def trend(bars: Sequence[Bar], *, interval: str, count_title: str, chinese: bool) -> Spec:
    """Draw counts as bars over time, from zero; `interval` is the width of each."""
    starts = [date.fromisoformat(bar.start) for bar in bars]
    counts = axes.whole_numbers(max((bar.count for bar in bars), default=0), 4)
    encoding: Spec = {
        "x": {
            "field": "start",
            "type": "temporal",
            "scale": {"type": "utc"},
            "axis": {
                "format": _day_format(starts, interval, chinese=chinese),
                "values": [_instant(day) for day in axes.days(starts, interval)],
                "title": None,
                "grid": False,
                "labelOverlap": "greedy",
                "labelSeparation": 10,
                # Rather none than half a one at the edge.
                "labelBound": 4,
            },
        },
        "x2": {"field": "end"},
        # Between two ends on both axes a bar needs its floor said.
        "y2": {"datum": 0},
        "y": {
            "field": "count",
            "type": "quantitative",
            "scale": {"domain": [0, counts[-1]]},
            "axis": {"title": count_title, "values": counts, "format": ",d"},
        },
        "href": {"field": "href"},
        "tooltip": [
            {"field": "label", "title": " "},
            {"field": "count", "title": count_title, "format": ",d"},
        ],
    }
    values = [
        {"start": b.start, "end": b.end, "label": b.label, "count": b.count, "href": b.href}
        for b in bars
    ]
    return _spec(240, values, {"type": "bar", "binSpacing": 1, "cursor": "pointer"}, encoding)


def percentiles(
    stages: Sequence[StageTimes], *, titles: Mapping[str, str], ticks: Mapping[int, str]
) -> Spec:
    """Draw p50, p90 and p99 of every stage on one axis of time.

    Stages last from seconds to months: the axis is linear up to a minute and logarithmic beyond.
    `titles` are the words of p50, p90, p99; `ticks` those of the axis, by seconds.
    """
    values = [
        {
            "stage": each.stage,
            "percentile": titles[name],
            "seconds": each.seconds[name],
            "words": each.words[name],
        }
        for each in stages
        for name in titles
    ]
    order = [each.stage for each in stages]
    longest = max((v for each in stages for v in each.seconds.values()), default=0)
    shown = axes.spans(longest)
    axis: Spec = {
        "title": None,
        "values": shown,
        "labelExpr": _choose(shown, ticks),
        "grid": True,
        "labelOverlap": "greedy",
        "labelSeparation": 10,
    }
    x: Spec = {
        "field": "seconds",
        "type": "quantitative",
        "scale": {
            "type": "symlog",
            "constant": 60,
            "domainMin": 0,
            # Of less than a minute the axis ends with its last word, which else lies beyond it.
            **({"domainMax": shown[-1]} if longest <= 60 else {}),
        },
        "axis": axis,
    }
    y: Spec = {
        "field": "stage",
        "type": "nominal",
        "sort": order,
        "axis": {"title": None, "ticks": False, "domain": False, "labelPadding": 10},
    }
    names = list(titles.values())
    points: Spec = {
        "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1},
        "encoding": {
            "x": x,
            "y": y,
            "color": {
                "field": "percentile",
                "type": "nominal",
                "sort": names,
                "scale": {"domain": names},
                "legend": {"title": None, "orient": "top"},
            },
            "shape": {
                "field": "percentile",
                "type": "nominal",
                "sort": names,
                "scale": {"domain": names, "range": ["circle", "diamond", "triangle-up"]},
                "legend": {"title": None, "orient": "top"},
            },
            "tooltip": [
                {"field": "stage", "title": " "},
                {"field": "percentile", "title": "  "},
                {"field": "words", "title": "   "},
            ],
        },
    }
    ends = [
        {"stage": each.stage, "from": min(each.seconds.values()), "to": max(each.seconds.values())}
        for each in stages
    ]
    rule: Spec = {
        "data": {"values": ends},
        "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.35},
        "encoding": {"x": {**x, "field": "from"}, "x2": {"field": "to"}, "y": y},
    }
    points["data"] = {"values": values}
    return {
        "$schema": _SCHEMA,
        "width": "container",
        "height": 36 * max(len(stages), 2),
        "layer": [rule, points],
    }


def places(features: Sequence[Spec], box: Box, *, highest: int, count_title: str) -> Spec:
    """Draw H3 cells over a grid of degrees, coloured by their count; each leads to its complaints.

    `highest` is the largest count.

    A grid and no outlines: no map of the world comes with the packages, and none is fetched.
    """
    step = next((s for s in _STEPS if max(box.east - box.west, box.north - box.south) / s <= 6), 60)
    west, south = (math.floor(edge / step) * step for edge in (box.west, box.south))
    east, north = (math.ceil(edge / step) * step for edge in (box.east, box.north))
    south, north = max(south, -_POLAR), min(north, _POLAR)
    grid: Spec = {
        "data": {"graticule": {"step": [step, step], "extent": [[west, south], [east, north]]}},
        "mark": {"type": "geoshape", "filled": False, "strokeWidth": 0.6, "stroke": "var(--line)"},
    }
    cells: Spec = {
        "data": {"values": list(features)},
        "mark": {"type": "geoshape", "strokeWidth": 0.6, "cursor": "pointer"},
        "encoding": {
            "color": {
                "field": "properties.count",
                "type": "quantitative",
                "scale": {"type": "sqrt", "zero": True},
                "legend": {
                    "title": count_title,
                    "orient": "bottom",
                    "direction": "horizontal",
                    "values": [tick for tick in axes.whole_numbers(highest, 3) if tick <= highest],
                    "labelOverlap": "greedy",
                    "format": ",d",
                },
            },
            "href": {"field": "properties.href"},
            "tooltip": [
                {"field": "properties.count", "title": count_title, "format": ",d"},
                {"field": "properties.place", "title": " "},
            ],
        },
    }
    return {
        "$schema": _SCHEMA,
        "width": "container",
        "height": 380,
        "projection": {"type": "mercator"},
        "layer": [grid, cells, _degrees(west, south, east, north, step)],
    }


def _degrees(west: float, south: float, east: float, north: float, step: float) -> Spec:
    """Write the degrees along the left and the lower edge of the grid."""
    values: list[Spec] = []
    for place in range(round((east - west) / step) + 1):
        longitude = west + place * step
        text = f"{abs(longitude):g}°{'W' if longitude < 0 else 'E'}"
        values.append({"longitude": longitude, "latitude": south, "text": text})
    for place in range(1, math.floor((north - south) / step + 0.01) + 1):
        latitude = south + place * step
        text = f"{abs(latitude):g}°{'S' if latitude < 0 else 'N'}"
        values.append({"longitude": west, "latitude": latitude, "text": text})
    return {
        "data": {"values": values},
        "mark": {
            "type": "text",
            "fontSize": 10,
            "color": "var(--muted)",
            "dx": 3,
            "dy": -5,
            "align": "left",
        },
        "encoding": {
            "longitude": {"field": "longitude", "type": "quantitative"},
            "latitude": {"field": "latitude", "type": "quantitative"},
            "text": {"field": "text"},
        },
    }


def _spec(height: int, values: Sequence[Spec], mark: Spec, encoding: Spec) -> Spec:
    return {
        "$schema": _SCHEMA,
        "width": "container",
        "height": height,
        "data": {"values": values},
        "mark": mark,
        "encoding": encoding,
    }


def _day_format(starts: Sequence[date], interval: str, *, chinese: bool) -> str:
    if interval == "month" or (interval == "week" and axes.of_many_years(starts)):
        return "%Y-%m" if chinese else "%b %Y"
    if axes.of_many_years(starts):
        return "%Y-%m-%d" if chinese else "%-d %b %Y"
    return "%m-%d" if chinese else "%-d %b"


def _instant(day: date) -> Spec:
    """Return a day as Vega-Lite's DateTime; of a plain number on an axis it makes a year."""
    return {"year": day.year, "month": day.month, "date": day.day, "utc": True}


def _choose(values: Sequence[int], words: Mapping[int, str]) -> str:
    """Return an expression that gives each tick its words."""
    expression = "''"
    for value in values:
        word = words[value].replace("'", "")
        expression = f"datum.value == {value} ? '{word}' : {expression}"
    return expression
