"""Calendars edited by versions, and questions about working time, on both databases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from shared.kernel.clock import ManualClock
from tests.harness.databases import MakeMigratedUrl
from tests.service.workflow.conftest import START, Workflow, running

OWN = """timezone: Asia/Shanghai
holidays: CN
windows:
  mon-fri: ["09:00-12:00", "13:30-18:00"]
days:
  2026-11-25: holiday
"""
YAML = {"Content-Type": "application/yaml"}


async def put(
    workflow: Workflow, name: str, text: str, *, query: str = "", **headers: str
) -> httpx.Response:
    path = f"/v1/calendars/{name}{query}"
    return await workflow.http.put(path, content=text, headers=YAML | headers)


async def test_the_settings_make_the_first_calendar(workflow: Workflow) -> None:
    answer = await workflow.http.get("/v1/calendars/company")

    assert answer.headers["ETag"] == '"1"'
    calendar = answer.json()
    assert (calendar["timezone"], calendar["holidays"]) == ("Asia/Shanghai", "CN")
    assert calendar["announced_until"] == 2026


async def test_days_tell_what_they_are_and_what_is_only_supposed(workflow: Workflow) -> None:
    answer = await workflow.http.get(
        "/v1/calendars/company/days", params={"from": "2026-02-13", "to": "2026-02-18"}
    )
    provisional = await workflow.http.get(
        "/v1/calendars/company/days", params={"from": "2027-01-04", "to": "2027-01-05"}
    )

    assert [(day["date"], day["kind"]) for day in answer.json()["items"]] == [
        ("2026-02-13", "working"),
        ("2026-02-14", "made_up"),
        ("2026-02-15", "weekend"),
        ("2026-02-16", "holiday"),
        ("2026-02-17", "holiday"),
    ]
    assert {day["provisional"] for day in answer.json()["items"]} == {False}
    assert [day["provisional"] for day in provisional.json()["items"]] == [True]


async def test_an_edit_is_a_version_and_a_dry_run_is_none(workflow: Workflow) -> None:
    tried = await put(workflow, "company", OWN, query="?dry_run=true")
    made = await put(workflow, "company", OWN)
    again = await put(workflow, "company", OWN)
    versions = await workflow.http.get("/v1/calendars/company/versions")

    assert (tried.status_code, tried.json()["changed"], tried.headers["ETag"]) == (200, True, '"1"')
    assert tried.json()["days"] == [{"date": "2026-11-25", "before": "working", "after": "holiday"}]
    assert (made.json()["version"], made.json()["windows_changed"]) == (2, True)
    assert (again.json()["version"], again.json()["changed"]) == (2, False)
    assert [version["version"] for version in versions.json()["items"]] == [2, 1]


async def test_an_edit_of_what_somebody_else_changed_is_refused(workflow: Workflow) -> None:
    await put(workflow, "company", OWN)

    stale = await put(workflow, "company", OWN + "official: [2027]\n", **{"If-Match": '"1"'})
    fresh = await put(workflow, "company", OWN + "official: [2027]\n", **{"If-Match": '"2"'})

    assert (stale.status_code, fresh.status_code) == (412, 200)
    assert fresh.json()["version"] == 3


async def test_a_wrong_calendar_is_refused_whole(workflow: Workflow) -> None:
    wrong = await put(workflow, "company", OWN.replace("13:30", "11:30"))
    country = await put(workflow, "company", OWN.replace("CN", "QQ"))
    form = await workflow.http.put("/v1/calendars/company", json={})

    assert wrong.status_code == 422
    assert "company.yaml, line" in wrong.json()["detail"]
    assert (country.status_code, country.json()["errors"][0]["pointer"]) == (422, "/holidays")
    assert form.status_code == 415
    assert (await workflow.http.get("/v1/calendars/company")).json()["version"] == 1


async def test_days_of_another_program_are_added_to_a_calendars_own(workflow: Workflow) -> None:
    await put(workflow, "company", OWN)
    event = "BEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20261126\r\nSUMMARY:店庆\r\nEND:VEVENT"
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{event}\r\nEND:VCALENDAR\r\n"

    added = await workflow.http.post(
        "/v1/calendars/company/days", content=text, headers={"Content-Type": "text/calendar"}
    )
    days = await workflow.http.get(
        "/v1/calendars/company/days", params={"from": "2026-11-25", "to": "2026-11-27"}
    )

    assert (added.status_code, added.json()["version"]) == (200, 3)
    assert [day["kind"] for day in days.json()["items"]] == ["holiday", "holiday"]


async def test_working_time_is_added_and_measured_with_every_span(workflow: Workflow) -> None:
    ask = {"calendar": "company", "start": "2026-09-30T16:00:00+08:00"}

    added = await workflow.http.post("/v1/business-time", json=ask | {"add_seconds": 4 * 3600})
    measured = await workflow.http.post(
        "/v1/business-time", json=ask | {"end": added.json()["end"]}
    )

    assert added.json()["end"] == "2026-10-08T03:00:00Z"
    assert measured.json()["counted_seconds"] == 4 * 3600
    assert [part["why"] for part in added.json()["segments"]] == [
        "working hours",
        "outside working hours",
        "holiday: 国庆节",
        "weekend",
        "holiday: 国庆节",
        "holiday: 休息日",
        "outside working hours",
        "working hours",
    ]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"start": "2026-09-30T16:00:00"}, "/start"),
        ({"add_seconds": -1}, "/add_seconds"),
        ({"add_seconds": 600_000_000}, "/add_seconds"),
        ({"start": "0001-01-01T00:00:00Z", "add_seconds": 1}, "/start"),
        ({"end": "9999-01-01T00:00:00Z"}, "/end"),
        ({"end": "2056-01-01T00:00:00Z"}, "/end"),
        ({"end": "2026-09-01T00:00:00Z"}, ""),
        ({}, ""),
    ],
)
async def test_a_wrong_question_about_working_time_is_refused(
    workflow: Workflow, wrong: dict[str, object], pointer: str
) -> None:
    body = {"calendar": "company", "start": "2026-09-30T16:00:00+08:00", **wrong}

    answer = await workflow.http.post("/v1/business-time", json=body)

    assert answer.status_code == 422
    assert pointer in {error["pointer"] for error in answer.json()["errors"]}


async def test_new_clocks_go_by_the_new_version(workflow: Workflow) -> None:
    before = await workflow.case(await workflow.open(priority="P3"))
    await put(workflow, "company", OWN)
    after = await workflow.case(await workflow.open(priority="P3"))

    due = [
        next(clock["due_at"] for clock in case["clocks"] if clock["kind"] == "propose")
        for case in (before, after)
    ]
    assert due == ["2026-11-26T04:00:00Z", "2026-11-27T04:00:00Z"]


async def test_other_settings_make_a_new_version_until_somebody_loads_one(
    tmp_path: Path, migrated_url: MakeMigratedUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, clock = migrated_url("workflow"), ManualClock(START)
    async with running(tmp_path, url, clock):
        pass
    monkeypatch.setenv("REDRESS_WORKING_HOURS", "08:00-12:00")
    async with running(tmp_path, url, clock) as changed:
        by_settings = (await changed.http.get("/v1/calendars/company")).json()
        await put(changed, "company", OWN)
    monkeypatch.setenv("REDRESS_WORKING_HOURS", "10:00-12:00")
    async with running(tmp_path, url, clock) as loaded:
        by_hand = (await loaded.http.get("/v1/calendars/company")).json()

    assert (by_settings["version"], "08:00-12:00" in by_settings["document"]) == (2, True)
    assert (by_hand["version"], by_hand["document"]) == (3, OWN)


async def test_another_replica_takes_a_new_version_in(
    tmp_path: Path, migrated_url: MakeMigratedUrl
) -> None:
    url, clock = migrated_url("workflow"), ManualClock(START)
    async with running(tmp_path, url, clock) as one, running(tmp_path, url, clock) as two:
        await put(one, "company", OWN)
        case_id = await one.open(priority="P3")

        clock.advance(timedelta(days=30))
        acted = await two.act(case_id, "record-contact", text="已致电")
        calendar = (await two.http.get("/v1/calendars/company")).json()

    assert acted["id"] == case_id
    assert calendar["version"] == 2
