"""What stands along the axes of the charts."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analytics_service.dashboard.domain import charts
from services.analytics_service.dashboard.domain.axes import days, spans, whole_numbers

PERCENTILES = {"p50": "half", "p90": "nine", "p99": "ninety-nine"}
TICKS = {0: "0", 1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h"}


@given(st.integers(0, 10**9), st.integers(2, 6))
def test_counts_are_whole_numbers_each_once_that_reach_the_highest(highest: int, most: int) -> None:
    found = whole_numbers(highest, most)

    assert found[0] == 0
    assert found[-1] >= highest
    assert len(found) <= most + 1
    assert found == sorted(set(found))


@pytest.mark.parametrize(("highest", "expected"), [(0, [0, 1]), (1, [0, 1]), (2, [0, 1, 2])])
def test_one_or_two_complaints_have_one_or_two_steps(highest: int, expected: list[int]) -> None:
    assert whole_numbers(highest, 4) == expected
    assert _trend([highest], "day")["y"]["axis"]["values"] == expected


def test_the_legend_of_the_map_goes_no_further_than_the_highest_count() -> None:
    spec: Any = charts.places([], charts.Box(0, 0, 1, 1), highest=1, count_title="Complaints")

    assert spec["layer"][1]["encoding"]["color"]["legend"]["values"] == [0, 1]


def test_weeks_of_more_than_a_year_are_told_by_months_each_once() -> None:
    starts = [date(2012, 12, 31) + timedelta(weeks=place) for place in range(53)]

    axis = _trend([1] * 53, "week", starts[0], 7)["x"]["axis"]

    assert days(starts, "week") == [date(2013, month, 1) for month in range(1, 13)]
    assert axis["format"] == "%b %Y"
    assert [(each["year"], each["month"], each["date"]) for each in axis["values"]] == [
        (2013, month, 1) for month in range(1, 13)
    ]


@pytest.mark.parametrize("count", [1, 2, 7, 30, 92])
def test_days_are_told_each_once_and_with_their_year_where_there_are_two(count: int) -> None:
    starts = [date(2026, 12, 31) + timedelta(days=place) for place in range(count)]

    axis = _trend([0] * count, "day", starts[0], 1)["x"]["axis"]

    told = days(starts, "day")
    assert set(told) <= set(starts)
    assert 1 <= len(set(told)) == len(told) == len(axis["values"]) <= 10
    assert axis["format"] == ("%-d %b" if count == 1 else "%-d %b %Y")


def test_many_months_are_told_in_even_steps() -> None:
    months = [date(2012 + place // 12, place % 12 + 1, 1) for place in range(4, 136)]

    assert days(months, "month") == [date(year, 1, 1) for year in range(2013, 2024)]


def test_times_of_less_than_a_second_have_an_axis_that_tells_of_seconds() -> None:
    seconds = {"p50": 0.02, "p90": 0.3, "p99": 0.4}
    stage = charts.StageTimes("To assignment", seconds, dict.fromkeys(seconds, "< 1 s"))
    spec: Any = charts.percentiles([stage], titles=PERCENTILES, ticks=TICKS)
    x = spec["layer"][1]["encoding"]["x"]

    assert x["axis"]["values"] == [0, 1]
    assert "'1 s'" in x["axis"]["labelExpr"]
    assert x["scale"]["domainMax"] == 1


@pytest.mark.parametrize("longest", [1.0, 60.0, 61.0, 232.0, 374.0, 4000.0])
def test_no_time_lies_beyond_the_end_of_its_axis(longest: float) -> None:
    seconds = {"p50": 0.5, "p90": 1.0, "p99": longest}
    stage = charts.StageTimes("To resolution", seconds, dict.fromkeys(seconds, "some"))
    spec: Any = charts.percentiles([stage], titles=PERCENTILES, ticks=TICKS)

    scale = spec["layer"][1]["encoding"]["x"]["scale"]

    assert scale.get("domainMax", longest) >= longest


@pytest.mark.parametrize(
    ("longest", "expected"), [(0, [0, 1]), (5, [0, 1, 10]), (59, [0, 1, 10, 60]), (70, [0, 60])]
)
def test_the_axis_of_times_ends_beyond_the_longest(longest: float, expected: list[int]) -> None:
    assert spans(longest) == expected


def _trend(
    counts: list[int], interval: str, first: date = date(2026, 11, 2), width: int = 1
) -> dict[str, Any]:
    starts = [first + timedelta(days=width * place) for place in range(len(counts))]
    bars = [
        charts.Bar(start.isoformat(), (start + timedelta(days=width)).isoformat(), "", count, "/")
        for start, count in zip(starts, counts, strict=True)
    ]
    spec: Any = charts.trend(bars, interval=interval, count_title="Complaints", chinese=False)
    found: dict[str, Any] = spec["encoding"]
    return found
