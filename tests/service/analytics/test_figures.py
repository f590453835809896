"""Places, times, deadlines, trend, files and refusals over HTTP."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from shared.events import cases
from tests.service.analytics.conftest import Running
from tests.service.analytics.story import BEGAN, Log, Story, id_at, tell_many


def _story(log: Log, salt: int = 0) -> Story:
    at = BEGAN + timedelta(minutes=salt)
    return Story(log, id_at(at, salt), at, f"N-{salt}")


def _resolved(story: Story, **after: float) -> Story:
    return story.after(**after).case(
        cases.Resolved, state="resolved", outcome="solved", words_id="w"
    )


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


@pytest.mark.parametrize(
    "narrowed", [{}, {"facts._AT_ONCE": 10}, {"facts._AT_ONCE": 10, "percentiles._MOST_BANDS": 5}]
)
async def test_percentiles_are_those_computed_by_hand(
    analytics: Running, monkeypatch: pytest.MonkeyPatch, narrowed: dict[str, int]
) -> None:
    # As among millions: too many values to hold at once, then too many groups to count bands too.
    for name, limit in narrowed.items():
        monkeypatch.setattr(f"services.analytics_service.metrics.repository.{name}", limit)
    log = Log()
    spans: dict[str, list[float]] = {"a": [], "b": []}
    for salt in range(61):
        category = "a" if salt % 3 else "b"
        seconds = 1000.5 + salt * salt * 7.25
        _resolved(_story(log, salt).received(category=category).opened(), seconds=seconds)
        spans[category].append(seconds)

    await analytics.hear(log)

    answer = await analytics.get("resolution-times", group_by="category")
    assert [group["key"] for group in answer["groups"]] == [{"category": "a"}, {"category": "b"}]
    for group in answer["groups"]:
        values = spans[group["key"]["category"]]
        assert group["count"] == len(values)
        assert group["mean_seconds"] == pytest.approx(sum(values) / len(values))
        for name, share in (("p50_seconds", 0.5), ("p90_seconds", 0.9), ("p99_seconds", 0.99)):
            assert group[name] == pytest.approx(_percentile(values, share), abs=1e-6)


async def test_stages_begin_at_the_milestone_reached_before_and_add_up(analytics: Running) -> None:
    log = Log()
    story = _story(log).received().opened(owner="li.na")  # assigned at once, before acknowledged
    story.after(seconds=5).sent()
    story.after(seconds=55).case(cases.CustomerContacted, state="assigned")
    _resolved(story, seconds=600)

    await analytics.hear(log)

    stages = ("to_acknowledge", "to_assign", "to_first_reply", "to_propose", "to_resolve", "total")
    answer = await analytics.get("resolution-times", stage=stages)
    means = {group["stage"]: group["mean_seconds"] for group in answer["groups"]}
    assert means == {
        "to_acknowledge": 5,
        "to_assign": 0,
        "to_first_reply": 55,
        "to_propose": None,
        "to_resolve": 600,
        "total": 660,
    }


async def test_without_a_group_there_is_one_even_when_nothing_is_resolved(
    analytics: Running,
) -> None:
    log = Log()
    _story(log).received()
    await analytics.hear(log)

    (only,) = (await analytics.get("resolution-times"))["groups"]

    assert (only["key"], only["count"], only["p50_seconds"]) == ({}, 0, None)
    assert (await analytics.get("resolution-times", group_by="category"))["groups"] == []


async def test_the_last_resolution_of_a_reopened_case_counts(analytics: Running) -> None:
    log = Log()
    story = _resolved(_story(log).received().opened(), hours=1)
    story.after(hours=1).case(cases.Reopened, state="assigned", round=2)
    _resolved(story, hours=8)

    await analytics.hear(log)

    (only,) = (await analytics.get("resolution-times"))["groups"]
    assert only["p50_seconds"] == 10 * 3600


async def test_an_imported_case_has_its_recorded_times_and_clocks(analytics: Running) -> None:
    log = Log()
    story = _story(log).received(imported=True)
    story.after(days=400).case(
        cases.CaseImported,
        state="closed",
        priority="P3",
        policy="default/1",
        received_at=BEGAN,
        first_reply_at=BEGAN + timedelta(days=1),
        resolved_at=BEGAN + timedelta(days=3),
        closed_at=BEGAN + timedelta(days=3),
        outcome="solved",
        clocks=(
            cases.ClockResult(kind="first_reply", state="breached"),
            cases.ClockResult(kind="resolve", state="met"),
        ),
    )

    await analytics.hear(log)

    (only,) = (await analytics.get("resolution-times"))["groups"]
    assert only["p50_seconds"] == 3 * 86400
    clocks = (await analytics.get("sla"))["clocks"]
    assert clocks["first_reply"]["breached"] == 1
    assert clocks["resolve"]["met_rate"] == 1
    assert (await analytics.get("heatmap", measure="breached"))["total"] == 1


async def test_a_case_settled_at_a_time_nobody_recorded_is_resolved_but_in_no_time(
    analytics: Running,
) -> None:
    log = Log()
    for salt, (state, outcome) in enumerate((("closed", "answered"), ("rejected", "rejected"))):
        _story(log, salt).received(imported=True).case(
            cases.CaseImported,
            state=state,
            priority="P3",
            policy="default/1",
            received_at=BEGAN,
            outcome=outcome,
            clocks=(cases.ClockResult(kind="resolve", state="cancelled", due_at=BEGAN),),
        )

    await analytics.hear(log)

    assert (await analytics.get("heatmap", measure="resolved"))["total"] == 1
    assert (await analytics.get("heatmap", measure="breached"))["total"] == 0
    assert (await analytics.get("resolution-times"))["groups"][0]["count"] == 0
    assert (await analytics.get("sla"))["clocks"]["resolve"]["due"] == 0


async def test_sla_counts_what_became_of_each_clock(analytics: Running) -> None:
    log = Log()
    story = _story(log).received().opened().after(seconds=3).sent()
    due = story.at + timedelta(hours=1)
    story.after(hours=1).case(
        cases.ClockBreached, state="received", clock="assign", due_at=due, late_seconds=0
    )
    story.case(cases.CaseAssigned, state="assigned", owner="li.na", department="logistics")
    _story(log, 1).received(category="other").opened(owner="li.na")

    await analytics.hear(log)

    answer = await analytics.get("sla", group_by="category")
    assert answer["clocks"]["acknowledge"] == {
        "due": 2, "met": 1, "breached": 0, "running": 1, "met_rate": 1,
    }  # fmt: skip
    assert answer["clocks"]["assign"] == {
        "due": 2, "met": 1, "breached": 1, "running": 0, "met_rate": 0.5,
    }  # fmt: skip
    assert [group["key"] for group in answer["groups"]] == [
        {"category": "logistics.short"},
        {"category": "other"},
    ]
    assert answer["groups"][1]["clocks"]["assign"]["met_rate"] == 1


async def test_a_skipped_acknowledgement_does_not_count(analytics: Running) -> None:
    log = Log()
    _story(log).received().opened().sent(skipped=True)

    await analytics.hear(log)

    assert (await analytics.get("sla"))["clocks"]["acknowledge"]["due"] == 0


async def test_satisfaction_counts_the_last_answer_of_each_complaint(analytics: Running) -> None:
    log = Log()
    for salt, (category, scores) in enumerate([("a", (2, 5)), ("a", (4,)), ("b", (1,))]):
        story = _story(log, salt).received(category=category).opened(owner="li.na")
        story.case(cases.Resolved, state="resolved", outcome="solved", words_id="w")
        for score in scores:
            story.case(
                cases.SatisfactionRecorded, state="closed", score=score, told_by="survey", round=1
            )
    _story(log, 3).received(category="silent").opened(owner="li.na")

    await analytics.hear(log)

    answer = await analytics.get("satisfaction", group_by="category")
    assert answer["total"] == {
        "answered": 3, "scores": [1, 0, 0, 1, 1], "mean": pytest.approx(10 / 3),
        "satisfied_rate": pytest.approx(2 / 3),
    }  # fmt: skip
    assert [(group["key"]["category"], group["answered"]) for group in answer["groups"]] == [
        ("a", 2),
        ("b", 1),
    ]
    asked = "/v1/analytics/satisfaction?group_by=category"
    table = (await analytics.client.get(asked, headers={"accept": "text/csv"})).text.split("\r\n")
    assert table[0] == "category,answered,gave_1,gave_2,gave_3,gave_4,gave_5,mean,satisfied_rate"
    assert table[1:3] == ["a,2,0,0,0,1,1,4.5,1.0", "b,1,1,0,0,0,0,1.0,0.0"]


async def test_satisfaction_without_an_answer_has_no_mean(analytics: Running) -> None:
    log = Log()
    _story(log).received().opened(owner="li.na")

    await analytics.hear(log)

    assert (await analytics.get("satisfaction"))["total"] == {
        "answered": 0, "scores": [0, 0, 0, 0, 0], "mean": None, "satisfied_rate": None,
    }  # fmt: skip


async def test_an_answer_meets_the_follow_up_and_one_of_an_earlier_round_counts_for_nothing(
    analytics: Running,
) -> None:
    log = Log()
    story = _story(log).received().opened(owner="li.na")
    resolved = {"state": "resolved", "outcome": "solved", "words_id": "w"}
    due = story.at + timedelta(hours=48)
    told = {"state": "resolved", "told_by": "survey"}
    story.case(cases.Resolved, **resolved, next_step="follow_up", next_due_at=due)
    story.case(cases.Reopened, state="assigned", round=2, owner="li.na")
    story.case(cases.Resolved, **resolved, next_step="follow_up", next_due_at=due)
    story.case(cases.SatisfactionRecorded, **told, score=4, round=2)
    story.case(cases.SatisfactionRecorded, **told, score=1, round=1)

    await analytics.hear(log)

    assert (await analytics.get("sla"))["clocks"]["follow_up"]["met"] == 1
    assert (await analytics.get("satisfaction"))["total"]["mean"] == 4


async def test_a_trend_of_too_many_groups_is_refused_before_it_is_filled(
    analytics: Running,
) -> None:
    log = Log()
    for hour in range(30):
        begun = f"2026-09-0{1 + hour // 24}T{hour % 24:02}:00:00Z"
        _story(log, hour).received(received_at=begun)
    await analytics.hear(log)
    span = {"from": "1950-01-01", "to": "2050-01-01"}

    response = await analytics.client.get(
        "/v1/analytics/trend", params={**span, "interval": "day", "group_by": "hour_of_week"}
    )

    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/query/group_by", "too_many")


async def test_the_trend_has_no_holes(analytics: Running) -> None:
    log = Log()
    _story(log, 0).received(received_at="2026-09-01T00:00:00Z")
    _story(log, 1).received(received_at="2026-09-04T00:00:00Z", category="other")

    await analytics.hear(log)

    answer = await analytics.get("trend", group_by="category")
    days = ["2026-09-01", "2026-09-02", "2026-09-03", "2026-09-04"]
    assert answer["buckets"] == [
        {"start": day, "count": count} for day, count in zip(days, (1, 0, 0, 1), strict=True)
    ]
    assert [bucket["count"] for bucket in answer["groups"][1]["buckets"]] == [0, 0, 0, 1]
    weeks = await analytics.get("trend", interval="week")
    assert weeks["buckets"] == [{"start": "2026-08-31", "count": 2}]
    months = await analytics.get("trend", interval="month", **{"from": "2026-08-15"})
    assert [bucket["start"] for bucket in months["buckets"]] == ["2026-08-01", "2026-09-01"]


async def test_places_are_counted_by_cells_of_the_resolution(analytics: Running) -> None:
    log = Log()
    _story(log, 0).received(h3="872830828ffffff")
    _story(log, 1).received(h3="872830829ffffff")
    _story(log, 2).received(h3=None)

    await analytics.hear(log)

    fine = await analytics.get("geo", resolution=7)
    assert {cell["h3"] for cell in fine["cells"]} == {"872830828ffffff", "872830829ffffff"}
    coarse = await analytics.get("geo", resolution=6)
    assert (coarse["total"], coarse["without_place"]) == (3, 1)
    (cell,) = coarse["cells"]
    assert (cell["h3"], cell["count"]) == ("86283082fffffff", 2)
    assert cell["latitude"] == pytest.approx(37.77, abs=0.1)


async def test_places_can_be_had_as_geojson(analytics: Running) -> None:
    log = Log()
    _story(log).received()
    await analytics.hear(log)

    response = await analytics.client.get(
        "/v1/analytics/geo", headers={"accept": "application/geo+json"}
    )

    assert response.headers["content-type"] == "application/geo+json"
    (feature,) = response.json()["features"]
    ring = feature["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    assert ring[0][0] == pytest.approx(-122.4, abs=0.5)


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("sla?group_by=tier&channel=app", "tier,clock,due,met,breached,running,met_rate"),
        ("trend?group_by=tier&channel=app&measure=breached", "start,tier,breached"),
        ("resolution-times?group_by=tier&channel=app", "tier,stage,count"),
        ("satisfaction?group_by=tier&channel=app", "tier,answered"),
    ],
)
async def test_csv_keeps_its_columns_where_nothing_is_found(
    analytics: Running, path: str, header: str
) -> None:
    await analytics.hear(tell_many(20))

    response = await analytics.client.get(f"/v1/analytics/{path}", headers={"accept": "text/csv"})

    (first, *rest) = response.text.split("\r\n")
    assert first.startswith(header)
    assert rest == [""]


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("geo", "h3,latitude,longitude,count"),
        ("resolution-times?group_by=tier", "tier,stage,count,mean_seconds,p50_seconds"),
        ("sla?group_by=tier", "tier,clock,due,met,breached,running,met_rate"),
        ("sla", "clock,due,met,breached,running,met_rate"),
        ("satisfaction", "answered,gave_1"),
        ("trend?group_by=tier", "start,tier,count"),
        ("trend", "start,count"),
    ],
)
async def test_every_answer_can_be_had_as_csv(analytics: Running, path: str, header: str) -> None:
    await analytics.hear(tell_many(20))

    response = await analytics.client.get(f"/v1/analytics/{path}", headers={"accept": "text/csv"})

    assert response.status_code == 200
    assert response.headers["x-as-of"].endswith("Z")
    lines = response.text.split("\r\n")
    assert lines[0].startswith(header)
    assert len(lines) > 2


async def test_parquet_holds_a_row_for_each_complaint_and_no_more_than_figures(
    analytics: Running, tmp_path: Path
) -> None:
    await analytics.hear(tell_many(40))

    response = await analytics.client.get("/v1/analytics/facts.parquet?severity=major")

    file = tmp_path / "facts.parquet"
    file.write_bytes(response.content)
    total = (await analytics.get("heatmap", severity="major"))["total"]
    assert duckdb.execute(f"SELECT count(*) FROM '{file}'").fetchall() == [(total,)]
    columns = {row[0] for row in duckdb.execute(f"DESCRIBE FROM '{file}'").fetchall()}
    assert {"category", "received_at", "total"} <= columns
    assert not columns & {"customer_id", "name", "phone", "email", "description", "owner"}


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("rows=colour", "/query/rows", "unknown_value"),
        ("measure=cost", "/query/measure", "unknown_value"),
        ("timezone=Mars/Olympus", "/query/timezone", "unknown_timezone"),
        ("timezone=../../etc/passwd", "/query/timezone", "unknown_timezone"),
        ("from=2026-11-02&to=2026-11-01", "/query/to", "backwards"),
        ("from=yesterday", "/query/from", "invalid_instant"),
        ("from=0001-01-01", "/query/from", "invalid_instant"),
        ("to=9999-12-31T23:59:59Z", "/query/to", "invalid_instant"),
        ("to=2026-11-01T00:00:00", "/query/to", "invalid_instant"),
        ("day=2026-13-01", "/query/day", "invalid_value"),
        ("week=2026-11-24", "/query/week", "invalid_value"),
        ("hour_of_week=168", "/query/hour_of_week", "invalid_value"),
        ("channel=fax", "/query/channel", "invalid_value"),
        ("severity=minor&severity=bad", "/query/severity", "invalid_value"),
        ("priority=p1", "/query/priority", "invalid_value"),
        ("tier=platinum", "/query/tier", "invalid_value"),
        ("categroy=other", "/query/categroy", "unknown_field"),
    ],
)
async def test_a_wrong_question_names_its_parameter(
    analytics: Running, query: str, pointer: str, code: str
) -> None:
    response = await analytics.client.get(f"/v1/analytics/heatmap?{query}")

    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    (error,) = response.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
