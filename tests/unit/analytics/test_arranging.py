# ruff: noqa: DTZ001 (analytics holds naive UTC instants, as its store does)
"""Periods, heat tables, labels and zones: pure arrangement."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.analytics_service import dashboard
from services.analytics_service.dashboard.domain.heat import Axis, Order, heat_table, level
from services.analytics_service.dashboard.domain.labels import LabelFile, Labels
from services.analytics_service.dashboard.domain.periods import period
from services.analytics_service.metrics.domain.dimensions import Dimension, parse_value, sort_values
from services.analytics_service.metrics.domain.zones import local_day, midnight, offsets
from services.intake_service import triage
from shared.web.categories import category_words
from shared.web.regions import region_label, region_words

TODAY = date(2026, 11, 24)


def _labels(*, chinese: bool) -> Labels:
    path = Path(dashboard.__file__).parent / "labels.yaml"
    words = yaml.safe_load(path.read_text("utf-8"))
    file = LabelFile.model_validate({**words, **region_words(), "categories": category_words()})
    return Labels(file, chinese=chinese)


def test_a_period_ends_with_today_and_is_compared_with_the_one_before() -> None:
    chosen = period("7d", TODAY)

    assert (chosen.start, chosen.end) == (date(2026, 11, 18), date(2026, 11, 25))
    assert chosen.previous is not None
    assert (chosen.previous.start, chosen.previous.end) == (date(2026, 11, 11), chosen.start)


def test_all_time_has_no_period_before() -> None:
    assert period("all", TODAY).previous is None
    assert period("custom", TODAY).name == "all"


def test_the_largest_rows_are_kept_and_totals_count_the_rest_too() -> None:
    counts: dict[tuple[str | int | None, str | int | None], int] = {
        ("a", "x"): 5,
        ("b", "x"): 1,
        ("b", "y"): 7,
        ("c", "y"): 2,
    }

    table = heat_table(
        counts, Axis(["a", "b", "c"], 2, Order.LARGEST), Axis(["x", "y"], 5, Order.LARGEST)
    )

    assert (table.rows, table.columns, table.other_rows) == (["b", "a"], ["y", "x"], 1)
    assert (table.column_totals, table.row_totals, table.total) == ([9, 6], [8, 5], 15)


def test_days_keep_their_order_and_the_latest() -> None:
    days = ["2026-11-01", "2026-11-02", "2026-11-03"]
    axis = Axis(days, 2, Order.IN_TIME, step_days=1)

    kept = axis.kept({day: 9 - place for place, day in enumerate(days)})

    assert (kept, axis.left_out(kept)) == (days[1:], 1)


def test_a_week_in_which_nothing_came_is_shown_empty() -> None:
    weeks = ["2025-01-06", "2026-11-02", "2026-11-23"]
    table = heat_table(
        {("a", week): 1 for week in weeks},
        Axis(["a"], 5, Order.LARGEST),
        Axis(weeks, 5, Order.IN_TIME, step_days=7),
    )

    assert table.columns == ["2026-10-26", "2026-11-02", "2026-11-09", "2026-11-16", "2026-11-23"]
    assert [cell.count for cell in table.cells[0]] == [0, 1, 0, 0, 1]
    assert (table.column_totals, table.total, table.other_columns) == ([0, 1, 0, 0, 1], 3, 1)


def test_the_first_week_with_a_complaint_is_the_first_shown() -> None:
    axis = Axis(["2026-11-02", "2026-11-16"], 13, Order.IN_TIME, step_days=7)

    assert axis.kept({}) == ["2026-11-02", "2026-11-09", "2026-11-16"]
    assert Axis([], 13, Order.IN_TIME, step_days=7).kept({}) == []


def test_priorities_stand_by_rank_and_not_by_how_many_they_are() -> None:
    axis = Axis(["P1", "P2", "P3", "P4"], 3, Order.RANKED)

    assert axis.kept({"P1": 2, "P2": 1, "P3": 9, "P4": 40}) == ["P1", "P3", "P4"]


@given(st.integers(1, 10**7), st.integers(0, 10**7))
def test_more_is_never_paler_and_only_nothing_is_blank(highest: int, count: int) -> None:
    count = min(count, highest)

    assert 0 <= level(count, highest) <= 9
    assert (level(count, highest) == 0) == (count == 0)
    assert level(highest, highest) == 9
    assert level(count, highest) <= level(min(count + 1, highest), highest)


def test_codes_become_words_and_unknown_ones_stay_as_they_are() -> None:
    english, chinese = _labels(chinese=False), _labels(chinese=True)

    assert english.value("category", "logistics.short") == "Delivery: Short"
    assert chinese.value("category", "logistics.short") == "物流：短少"
    assert english.value("category", "made.up") == "made.up"
    assert english.value("hour_of_week", 33) == "Tue 09:00"
    assert chinese.value("region", None) == "未填"
    assert english.value("region", "chicago-ward-6") == "Chicago ward 6"
    assert chinese.value("region", "US-CA") == "加利福尼亚"


@pytest.mark.parametrize("code", ["CN-31", "US-CA", "chicago-ward-6", "made-up"])
@pytest.mark.parametrize("chinese", [True, False])
def test_a_region_is_called_the_same_in_messages_and_on_the_dashboard(
    code: str, chinese: bool
) -> None:
    assert region_label(code, chinese=chinese) == _labels(chinese=chinese).value("region", code)


def test_every_category_of_the_taxonomy_has_its_label() -> None:
    path = Path(triage.__file__).parent / "taxonomy.yaml"
    taxonomy = yaml.safe_load(path.read_text("utf-8"))["categories"]
    english, chinese = _labels(chinese=False), _labels(chinese=True)
    for top, entry in taxonomy.items():
        assert english.value("category", top) == entry["label"]["en"]
        for name, kind in (entry.get("kinds") or {}).items():
            words = (
                english.value("category", f"{top}.{name}"),
                chinese.value("category", f"{top}.{name}"),
            )
            assert words == (
                f"{entry['label']['en']}: {kind['label']['en']}",
                f"{entry['label']['zh']}：{kind['label']['zh']}",
            )


def test_values_with_a_rank_are_sorted_by_it_and_null_comes_last() -> None:
    values = sort_values(Dimension.SEVERITY, {None, "critical", "minor", "brand-new"})

    assert values == ["minor", "critical", "brand-new", None]


@pytest.mark.parametrize("text", ["-1", "168", "noon"])
def test_an_hour_of_the_week_lies_within_the_week(text: str) -> None:
    with pytest.raises(ValueError, match="hour of the week"):
        parse_value(Dimension.HOUR_OF_WEEK, text)


@pytest.mark.parametrize(
    "name", ["Asia/Shanghai", "America/New_York", "Africa/Casablanca", "Asia/Kathmandu", "UTC"]
)
@given(st.datetimes(datetime(1985, 1, 1), datetime(2035, 1, 1)))
def test_offsets_say_what_the_zone_says(name: str, at: datetime) -> None:
    zone = ZoneInfo(name)
    found = [
        each
        for each in offsets(zone, datetime(1985, 1, 1), datetime(2035, 1, 1))
        if each.since <= at
    ]

    local = at.replace(tzinfo=UTC).astimezone(zone)
    assert timedelta(seconds=found[-1].seconds) == local.utcoffset()


def test_a_day_begins_at_its_local_midnight() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")

    assert midnight(date(2026, 11, 24), shanghai) == datetime(2026, 11, 23, 16)
    assert local_day(datetime(2026, 11, 23, 16), shanghai) == date(2026, 11, 24)
