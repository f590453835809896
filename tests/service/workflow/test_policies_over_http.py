"""Policies loaded by version over HTTP, and what another one would mean, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

from services.workflow_service.cases.domain.replay import replayed_clocks
from services.workflow_service.cases.repository import reading
from services.workflow_service.cases.service.sweeping import sweep_once
from services.workflow_service.clocks.repository import read_policy_text
from shared.events.cases import ClocksMoved
from shared.kernel.clock import ManualClock
from shared.kernel.errors import ConfigurationError
from tests.harness.databases import MakeMigratedUrl
from tests.service.workflow.conftest import START, Json, Workflow, running

DEFAULT = (files("services.workflow_service.clocks") / "policy.yaml").read_text(encoding="utf-8")
FASTER = DEFAULT.replace("version: 3", "version: 4").replace(
    "first_reply: 4 hours", "first_reply: 2 hours"
)
CALENDAR = """timezone: Asia/Shanghai
holidays: CN
windows: {mon-fri: ["09:00-18:00"]}
days: {2026-11-25: holiday}
"""


async def put(workflow: Workflow, text: str, *, query: str = "", **headers: str) -> httpx.Response:
    return await workflow.http.put(
        f"/v1/policies{query}", content=text, headers={"Content-Type": "application/yaml"} | headers
    )


def clock_of(case: Json, kind: str) -> Json:
    found: Json = next(clock for clock in case["clocks"] if clock["kind"] == kind)
    return found


async def test_a_loaded_policy_is_that_of_new_cases_and_open_ones_keep_theirs(
    workflow: Workflow,
) -> None:
    before = await workflow.open()

    loaded = await put(workflow, FASTER)
    after = await workflow.case(await workflow.open())
    before_still = await workflow.act(before, "start-investigation")

    assert (loaded.status_code, loaded.json()["policy"], loaded.headers["ETag"]) == (
        200,
        "company@4",
        '"company@4"',
    )
    assert (after["policy"], clock_of(after, "first_reply")["due_at"]) == (
        "company@4",
        "2026-11-23T06:00:00Z",
    )
    assert (before_still["policy"], clock_of(before_still, "first_reply")["due_at"]) == (
        "company@3",
        "2026-11-23T08:00:00Z",
    )
    every = (await workflow.http.get("/v1/policies/versions")).json()["items"]
    versions = (await workflow.http.get("/v1/policies/company/versions")).json()["items"]
    assert every == versions
    assert [(version["version"], version["by"]) for version in versions] == [
        (4, "local"),
        (3, "product"),
    ]


async def test_a_dry_run_tells_which_open_cases_would_be_due_when(workflow: Workflow) -> None:
    case_id = await workflow.open()
    escalated = await workflow.open(priority="P3")
    await workflow.act(escalated, "escalate", reason="客户情绪激动")

    tried = (await put(workflow, FASTER, query="?dry_run=true")).json()

    assert (tried["changed"], tried["dry_run"]) == (True, True)
    cases = tried["open_cases"]
    assert (cases["looked_at"], cases["changed_cases"], cases["changed_clocks"]) == (
        2,
        1,
        {"first_reply": 1},
    )
    assert (cases["earlier"], cases["later"], cases["truncated"]) == (1, 0, False)
    assert [(one["case_id"], one["clock"], one["after"]) for one in cases["items"]] == [
        (case_id, "first_reply", "2026-11-23T06:00:00Z")
    ]
    assert (await workflow.http.get("/v1/policies")).json()["version"] == 3


async def test_a_second_draft_of_a_version_is_judged_by_what_it_looks_at_itself(
    workflow: Workflow,
) -> None:
    await workflow.open()
    called = await workflow.open(channel="hotline")
    by_channel = FASTER.replace(
        "rules:\n",
        "rules:\n  - {name: call, when: {channel: hotline}, targets: {propose: 1 hour}}\n",
    )

    await put(workflow, FASTER, query="?dry_run=true")
    tried = (await put(workflow, by_channel, query="?dry_run=true")).json()["open_cases"]

    assert tried["changed_clocks"] == {"first_reply": 2, "propose": 1}
    assert {one["case_id"] for one in tried["items"] if one["clock"] == "propose"} == {called}


async def test_a_dry_run_tells_of_packs_that_are_switched_on_or_off(workflow: Workflow) -> None:
    with_pack = DEFAULT.replace("version: 3", "version: 4").replace("packs: []", "packs: [us-cfpb]")
    answered = await workflow.open()
    await workflow.act(answered, "record-contact", text="已致电")
    waiting = await workflow.open()

    on = (await put(workflow, with_pack, query="?dry_run=true")).json()["open_cases"]
    await put(workflow, with_pack)
    await workflow.open()
    off = (
        await put(workflow, DEFAULT.replace("version: 3", "version: 5"), query="?dry_run=true")
    ).json()["open_cases"]

    assert on["changed_clocks"] == {"us-cfpb.response": 1, "us-cfpb.final_response": 2}
    assert [
        (one["case_id"], one["before"], one["after"])
        for one in on["items"]
        if one["clock"] == "us-cfpb.response"
    ] == [(waiting, None, "2026-12-08T05:00:00Z")]
    assert off["changed_clocks"] == {"us-cfpb.response": 1, "us-cfpb.final_response": 1}
    assert {one["after"] for one in off["items"]} == {None}


async def test_what_is_loaded_last_is_current_also_where_the_clock_was_set_back(
    workflow: Workflow,
) -> None:
    ninth, tenth = (FASTER.replace("version: 4", f"version: {number}") for number in (9, 10))
    await put(workflow, FASTER)
    workflow.clock.advance(-timedelta(hours=1))
    await put(workflow, ninth)

    loaded = await put(workflow, tenth)

    assert (loaded.json()["policy"], loaded.headers["ETag"]) == ("company@10", '"company@10"')
    assert (await workflow.http.get("/v1/policies")).json()["version"] == 10


async def test_another_policy_of_the_same_version_was_not_what_was_read(workflow: Workflow) -> None:
    read = (await workflow.http.get("/v1/policies")).headers["ETag"]
    other = await put(
        workflow, FASTER.replace("name: company", "name: other").replace("version: 4", "version: 3")
    )

    refused = await put(workflow, FASTER, **{"If-Match": read})
    loaded = await put(workflow, FASTER, **{"If-Match": other.headers["ETag"]})

    assert (read, other.headers["ETag"]) == ('"company@3"', '"other@3"')
    assert (refused.status_code, loaded.status_code) == (412, 200)


async def test_a_version_too_long_to_be_stored_is_refused(workflow: Workflow) -> None:
    endless = FASTER.replace("version: 4", f"version: {'9' * 30}")

    refused = await put(workflow, endless.replace("name: company", f"name: {'a' * 40}"))

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/version")


async def test_a_bad_policy_is_refused_with_line_and_reason_and_changes_nothing(
    workflow: Workflow,
) -> None:
    wrong = await put(workflow, FASTER.replace("follow_up: 48 hours", "follow_up: 0 hours"))
    no_catch_all = await put(workflow, FASTER.replace("      acknowledge: 1 minute\n", ""))
    taken = await put(workflow, FASTER.replace("version: 4", "version: 3"))
    older = await put(workflow, FASTER.replace("version: 4", "version: 1"))
    stale = await put(workflow, FASTER, **{"If-Match": '"1"'})
    calendar = await put(workflow, FASTER.replace("calendar: company", "calendar: nowhere"))
    pack = await put(workflow, FASTER.replace("packs: []", "packs: [uk-fca]"))

    assert wrong.status_code == 422
    assert "a target of 0 cannot be met" in wrong.json()["detail"]
    assert "policy.yaml, line " in wrong.json()["detail"]
    assert no_catch_all.status_code == 422
    assert "no target for acknowledge" in no_catch_all.json()["detail"]
    assert (calendar.status_code, calendar.json()["errors"][0]["pointer"]) == (422, "/calendar")
    assert (pack.status_code, pack.json()["errors"][0]["pointer"]) == (422, "/packs/0")
    assert "uk-fca-disp" in pack.json()["detail"]
    assert [taken.status_code, older.status_code, stale.status_code] == [409, 409, 412]
    assert (await workflow.http.get("/v1/policies")).json()["version"] == 3


async def test_the_same_policy_again_is_no_new_version(workflow: Workflow) -> None:
    again = await put(workflow, DEFAULT)

    assert (again.status_code, again.json()["changed"]) == (200, False)


async def test_a_loaded_policy_outlives_a_restart_and_is_taken_in_by_other_replicas(
    tmp_path: Path, migrated_url: MakeMigratedUrl
) -> None:
    url, clock = migrated_url("workflow"), ManualClock(START)
    async with running(tmp_path, url, clock) as one, running(tmp_path, url, clock) as two:
        await put(one, FASTER)
        opened = await one.open()
        acted = await two.act(opened, "record-contact", text="已致电")
        other = await two.case(await two.open())
    async with running(tmp_path, url, clock) as again:
        after = await again.case(await again.open())

    assert acted["policy"] == other["policy"] == after["policy"] == "company@4"


async def test_a_file_whose_version_was_another_policy_stops_the_start(
    tmp_path: Path, migrated_url: MakeMigratedUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, clock = migrated_url("workflow"), ManualClock(START)
    async with running(tmp_path, url, clock) as first:
        await put(first, FASTER)
    path = tmp_path / "policy.yaml"
    path.write_text(FASTER.replace("2 hours", "3 hours"), encoding="utf-8")
    monkeypatch.setenv("REDRESS_POLICY_FILE", str(path))

    with pytest.raises(ConfigurationError, match="company@4 was another policy before"):
        async with running(tmp_path, url, clock):
            pass


@pytest.mark.parametrize("version", [1, 3])
async def test_the_policy_of_another_release_stops_no_start(
    tmp_path: Path, migrated_url: MakeMigratedUrl, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    url, clock = migrated_url("workflow"), ManualClock(START)
    async with running(tmp_path, url, clock) as first:
        loaded = (await first.http.get("/v1/policies")).json()["document"]
    other = DEFAULT.replace("version: 3", f"version: {version}").replace("4 hours", "5 hours")
    monkeypatch.setattr(
        "services.workflow_service.cases.service.desk.read_policy",
        lambda _path: (read_policy_text(other, name="policy.yaml"), other),
    )

    async with running(tmp_path, url, clock) as again:
        kept = (await again.http.get("/v1/policies")).json()["document"]

    assert other != loaded
    assert kept == loaded


async def test_running_clocks_follow_a_changed_calendar(workflow: Workflow) -> None:
    case_id = await workflow.open(priority="P3")
    before = clock_of(await workflow.case(case_id), "propose")["due_at"]
    headers = {"Content-Type": "application/yaml"}

    tried = await workflow.http.put(
        "/v1/calendars/company?dry_run=true", content=CALENDAR, headers=headers
    )
    await workflow.http.put("/v1/calendars/company", content=CALENDAR, headers=headers)
    while await sweep_once(workflow.desk):
        pass

    case = await workflow.case(case_id)
    assert tried.json()["open_cases"]["changed_clocks"] == {"propose": 1, "resolve": 1} | {
        "next_update": 1
    }
    assert (before, clock_of(case, "propose")["due_at"]) == (
        "2026-11-26T04:00:00Z",
        "2026-11-27T04:00:00Z",
    )
    assert case["history"][-1]["action"] == "calendar"
    _sequence, told = (await workflow.said(case_id))[-1]
    assert isinstance(told, ClocksMoved)
    assert told.cause == "calendar"
    assert {clock.kind for clock in told.clocks} == {"propose", "resolve", "next_update"}
    explained = (await workflow.http.get(f"/v1/cases/{case_id}/clocks")).json()["items"]
    propose = next(clock for clock in explained if clock["kind"] == "propose")
    assert (propose["calendar"], [change["why"] for change in propose["changes"]]) == (
        "company@2",
        ["calendar"],
    )


async def test_a_calendar_that_moves_nothing_leaves_cases_alone(workflow: Workflow) -> None:
    case_id = await workflow.open(priority="P3")
    later = CALENDAR.replace("2026-11-25", "2027-05-06")

    await workflow.http.put(
        "/v1/calendars/company", content=later, headers={"Content-Type": "application/yaml"}
    )
    while await sweep_once(workflow.desk):
        pass

    assert [line["action"] for line in (await workflow.case(case_id))["history"]] == ["open"]
    workflow.clock.advance(timedelta(days=1))
    assert (await workflow.act(case_id, "record-contact", text="已致电"))["id"] == case_id


async def test_the_packs_are_listed_with_the_texts_that_they_cite(workflow: Workflow) -> None:
    packs = (await workflow.http.get("/v1/policies/packs")).json()["items"]

    disp = next(pack for pack in packs if pack["name"] == "uk-fca-disp")
    final = next(d for d in disp["deadlines"] if d["kind"] == "uk-fca-disp.final_response")
    assert (final["cites"], final["met_by"]) == ("DISP 1.6.2 R", "resolve")
    assert "eight weeks" in final["says"]["en"]


async def test_a_switched_on_pack_runs_beside_our_clocks_and_explains_itself(
    workflow: Workflow,
) -> None:
    await put(workflow, FASTER.replace("packs: []", "packs: [cn-telecoms]"))
    case_id = await workflow.open()

    clocks = (await workflow.http.get(f"/v1/cases/{case_id}/clocks")).json()["items"]

    law = next(clock for clock in clocks if clock["kind"] == "cn-telecoms.answer")
    assert law["policy"] == {"name": "cn-telecoms", "version": 1, "rule": "answer"}
    assert law["due_at"] == "2026-12-08T16:00:00Z"
    assert "电信用户申诉处理办法 第十条" in law["explanation"]["zh-CN"]


async def test_a_deadline_by_law_follows_the_days_that_its_country_announces(
    workflow: Workflow,
) -> None:
    await put(workflow, FASTER.replace("packs: []", "packs: [cn-market-regulation]"))
    case_id = await workflow.open(channel="regulator")
    kind = "cn-market-regulation.acceptance"
    before = clock_of(await workflow.case(case_id), kind)["due_at"]
    headers, path = {"Content-Type": "application/yaml"}, "/v1/calendars/cn"
    document = (await workflow.http.get(path)).json()["document"]
    workflow.clock.advance(timedelta(hours=1))
    announced = document + "days: {2026-11-28: working, 2026-12-01: holiday, 2026-12-02: holiday}\n"

    tried = await workflow.http.put(f"{path}?dry_run=true", content=announced, headers=headers)
    await workflow.http.put(path, content=announced, headers=headers)
    while await sweep_once(workflow.desk):
        pass

    async with workflow.desk.database.read() as connection:
        case = await reading.find_case(connection, case_id=case_id)
        history = await reading.history_of(connection, case_id)
    assert case is not None
    after = next(clock for clock in case.clocks if clock.kind == kind)
    # One Saturday more and two days less, from the same receipt.
    assert (before, after.due_at) == (
        "2026-12-02T16:00:00Z",
        datetime(2026, 12, 3, 16, tzinfo=UTC),
    )
    assert tried.json()["open_cases"]["changed_clocks"] == {kind: 1}
    assert [change.why for change in after.changes] == ["calendar"]
    assert replayed_clocks(case, history, workflow.desk.rules) == case.clocks
    mediation = next(c for c in case.clocks if c.kind == "cn-market-regulation.mediation")
    assert mediation.changes == ()
