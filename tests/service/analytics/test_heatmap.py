"""The heat map over HTTP, from records in the log."""

from __future__ import annotations

from datetime import timedelta

from shared.events import cases, complaints
from tests.service.analytics.conftest import Running
from tests.service.analytics.story import BEGAN, Log, Story, id_at, tell_many


def _story(log: Log, salt: int = 0) -> Story:
    at = BEGAN + timedelta(minutes=salt)
    return Story(log, id_at(at, salt), at, f"N-{salt}")


async def test_one_complaint_lights_one_cell(analytics: Running) -> None:
    log = Log()
    _story(log).received()

    await analytics.hear(log)

    assert await analytics.get("heatmap", rows="category", columns="region") == {
        "as_of": "2026-09-01T00:00:00Z",
        "rows": ["logistics.short"],
        "columns": ["CN-31"],
        "cells": [[1]],
        "total": 1,
    }


async def test_nothing_received_is_an_empty_map_without_a_time(analytics: Running) -> None:
    answer = await analytics.get("heatmap")

    assert answer == {"as_of": None, "rows": [], "columns": [], "cells": [], "total": 0}


async def test_a_missing_value_is_null_as_row_column_and_filter(analytics: Running) -> None:
    log = Log()
    _story(log, 1).received(region=None, product=None)
    _story(log, 2).received(product=None)

    await analytics.hear(log)

    answer = await analytics.get("heatmap", rows="product", columns="region")
    assert (answer["rows"], answer["columns"], answer["cells"]) == (
        [None],
        ["CN-31", None],
        [[1, 1]],
    )
    assert (await analytics.get("heatmap", region="null"))["total"] == 1
    assert (await analytics.get("heatmap", region=["null", "CN-31"]))["total"] == 2


async def test_measures_count_breached_escalated_and_resolved(analytics: Running) -> None:
    log = Log()
    story = _story(log).received().opened()
    due = story.at + timedelta(hours=1)
    story.after(hours=1).case(
        cases.ClockBreached, state="received", clock="assign", due_at=due, late_seconds=0.1
    )
    story.case(cases.Escalated, state="received", level=1, previous_level=0, cause="breach")
    _story(log, 2).received().opened().after(hours=2).case(
        cases.Resolved, state="resolved", outcome="solved", words_id="w"
    )

    await analytics.hear(log)

    for measure in ("breached", "escalated", "resolved"):
        assert (await analytics.get("heatmap", measure=measure))["cells"] == [[1]], measure
    assert (await analytics.get("heatmap"))["cells"] == [[2]]


async def test_days_weeks_and_hours_follow_the_time_zone(analytics: Running) -> None:
    log = Log()
    story = _story(log)
    # Sunday 23:30 in London's winter is Monday 07:30 in Shanghai.
    story.received(received_at="2026-11-01T23:30:00Z")

    await analytics.hear(log)

    async def seen(zone: str) -> list[object]:
        return [
            (await analytics.get("heatmap", rows=rows, timezone=zone))["rows"][0]
            for rows in ("week", "day", "hour_of_week")
        ]

    assert await seen("Asia/Shanghai") == ["2026-11-02", "2026-11-02", 7]
    assert await seen("Europe/London") == ["2026-10-26", "2026-11-01", 6 * 24 + 23]
    assert (await analytics.get("heatmap", day="2026-11-02"))["total"] == 1
    assert (await analytics.get("heatmap", day="2026-11-01"))["total"] == 0


async def test_the_range_is_half_open_and_dates_are_midnights_of_the_zone(
    analytics: Running,
) -> None:
    log = Log()
    _story(log).received(received_at="2026-11-01T16:00:00Z")  # midnight of the 2nd in Shanghai

    await analytics.hear(log)

    async def total(**range_: str) -> int:
        return int((await analytics.get("heatmap", **range_))["total"])

    assert await total(**{"from": "2026-11-02", "to": "2026-11-03"}) == 1
    assert await total(**{"from": "2026-11-01", "to": "2026-11-02"}) == 0
    assert await total(**{"from": "2026-11-01T16:00:00Z", "to": "2026-11-01T16:00:01Z"}) == 1
    assert await total(to="2026-11-02T00:00:00+08:00") == 0


async def test_regrading_moves_a_complaint_to_its_new_row(analytics: Running) -> None:
    log = Log()
    story = _story(log).received()
    regraded = complaints.ComplaintRegraded(
        complaint_id=story.complaint_id,
        number=story.number,
        old_category="logistics.short",
        category="logistics.lost",
        old_severity="moderate",
        severity="major",
        old_urgency="high",
        urgency="high",
        old_priority="P2",
        priority="P1",
        decided_by="staff",
    )
    log.say(regraded, story.at)

    await analytics.hear(log)

    assert (await analytics.get("heatmap"))["rows"] == ["logistics.lost"]
    assert (await analytics.get("heatmap", rows="priority"))["rows"] == ["P1"]


async def test_the_total_is_the_number_of_complaints(analytics: Running) -> None:
    await analytics.hear(tell_many(300))

    answer = await analytics.get("heatmap", rows="severity", columns="priority")

    assert answer["total"] == 300
    assert answer["rows"] == ["minor", "moderate", "major"]
    assert sum(map(sum, answer["cells"])) == 300


async def test_as_csv_each_cell_is_a_row(analytics: Running) -> None:
    log = Log()
    _story(log).received()
    await analytics.hear(log)

    response = await analytics.client.get("/v1/analytics/heatmap", headers={"accept": "text/csv"})

    assert response.headers["content-type"].startswith("text/csv")
    assert response.text == "category,region,count\r\nlogistics.short,CN-31,1\r\n"
