"""Charts as Vega-Lite specifications. Colours come from the page's style sheet in the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Spec = dict[str, object]

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_TICKS = (0, 10, 60, 600, 3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400, 182 * 86400, 730 * 86400)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bucket of the trend; `href` leads to the complaints in it."""

    start: str
    end: str
    label: str
    count: int
    href: str


@dataclass(frozen=True, slots=True)
class StageTimes:
    """One stage's percentiles in seconds, with their words."""

    stage: str
    seconds: Mapping[str, float]
    words: Mapping[str, str]


def trend(bars: Sequence[Bar], *, count_title: str, chinese: bool) -> Spec:
    """Draw counts as bars over time, from zero."""
    many_years = bool(bars) and bars[0].start[:4] != bars[-1].start[:4]
    day = ("%Y-%m" if chinese else "%b %Y") if many_years else ("%m-%d" if chinese else "%-d %b")
    encoding: Spec = {
        "x": {
            "field": "start",
            "type": "temporal",
            "scale": {"type": "utc"},
            "axis": {"format": day, "title": None, "grid": False, "labelOverlap": True},
        },
        "x2": {"field": "end"},
        # Between two ends on both axes a bar needs its floor said.
        "y2": {"datum": 0},
        "y": {
            "field": "count",
            "type": "quantitative",
            "scale": {"zero": True},
            "axis": {"title": count_title, "tickMinStep": 1, "format": "~s", "tickCount": 4},
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
    shown = [tick for tick in _TICKS if tick in ticks and tick <= max(longest * 1.6, 60)]
    axis: Spec = {
        "title": None,
        "values": shown,
        "labelExpr": _choose(shown, ticks),
        "grid": True,
        "labelOverlap": "greedy",
    }
    x: Spec = {
        "field": "seconds",
        "type": "quantitative",
        "scale": {"type": "symlog", "constant": 60, "domainMin": 0},
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


def places(features: Sequence[Spec], *, count_title: str) -> Spec:
    """Draw H3 cells, coloured by their count; each leads to its complaints."""
    return {
        "$schema": _SCHEMA,
        "width": "container",
        "height": 380,
        "data": {"values": list(features)},
        "projection": {"type": "mercator"},
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
                    "tickCount": 4,
                    "format": "~s",
                },
            },
            "href": {"field": "properties.href"},
            "tooltip": [
                {"field": "properties.count", "title": count_title, "format": ",d"},
                {"field": "properties.place", "title": " "},
            ],
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


def _choose(values: Sequence[int], words: Mapping[int, str]) -> str:
    """Return an expression that gives each tick its words."""
    expression = "''"
    for value in values:
        word = words[value].replace("'", "")
        expression = f"datum.value == {value} ? '{word}' : {expression}"
    return expression
