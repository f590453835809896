"""Clocks laid open and promises over HTTP, on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib.resources import files

from sqlalchemy import select

from services.workflow_service.cases.domain.replay import replayed_clocks
from services.workflow_service.cases.models import words
from services.workflow_service.cases.repository import reading
from shared.http.access import Role
from tests.service.workflow.conftest import Json, Workflow

DEFAULT = (files("services.workflow_service.clocks") / "policy.yaml").read_text(encoding="utf-8")
DAY = timedelta(days=1)


async def clocks_of(workflow: Workflow, case_id: str) -> dict[str, Json]:
    answer = await workflow.http.get(f"/v1/cases/{case_id}/clocks")
    assert answer.status_code == 200, answer.text
    return {clock["kind"]: clock for clock in answer.json()["items"]}


def counted(clock: Json, until: str) -> float:
    seconds = 0.0
    for segment in clock["segments"]:
        start, end = (datetime.fromisoformat(segment[key]) for key in ("from", "to"))
        end = min(end, datetime.fromisoformat(until))
        if segment["counted"] and end > start:
            seconds += (end - start).total_seconds()
    return seconds


async def test_a_running_clock_says_what_its_due_time_follows_from(workflow: Workflow) -> None:
    case_id = await workflow.open(tier="vip")
    await workflow.pass_time(timedelta(hours=1))

    clock = (await clocks_of(workflow, case_id))["first_reply"]

    assert clock["policy"] == {
        "name": "company",
        "version": 3,
        "rule": "p2/first_reply/half for vip",
    }
    assert (clock["hours"], clock["target_seconds"]) == ("calendar", 7200)
    assert (clock["counted_seconds"], clock["paused_seconds"]) == (3600, 0)
    assert [point["fired_at"] is not None for point in clock["warnings"]] == [True, False]
    assert counted(clock, clock["due_at"]) == 7200
    assert clock["explanation"] == {
        "zh-CN": "首次答复：时限 2 小时（company 第 3 版，规则 p2）。因客户是 VIP 客户，按一半计。"
        "从2026年11月23日 12:00起算。应在2026年11月23日 14:00前完成，还剩 1 小时。",
        "en": "First reply: 2 hours (rule p2 of company, version 3). Half the usual time, as the "
        "customer is a VIP. It began on 23 Nov 2026, 12:00. Due on 23 Nov 2026, 14:00; 1 hour "
        "left.",
    }


async def test_time_spent_waiting_for_the_customer_does_not_count(workflow: Workflow) -> None:
    case_id = await workflow.open(priority="P3")
    await workflow.act(case_id, "record-contact", text="已致电")
    await workflow.act(case_id, "start-investigation")
    await workflow.pass_time(DAY)
    await workflow.act(case_id, "request-information", text="请提供照片")
    paused = (await clocks_of(workflow, case_id))["resolve"]
    await workflow.pass_time(3 * DAY)
    await workflow.act(case_id, "receive-information", text="照片")

    resumed = (await clocks_of(workflow, case_id))["resolve"]

    assert (paused["state"], paused["due_at"]) == ("paused", None)
    assert "等待客户答复" in paused["explanation"]["zh-CN"]
    assert "will be left" in paused["explanation"]["en"]
    assert resumed["paused_seconds"] == 3 * 9 * 3600
    assert resumed["target_seconds"] == 7 * 9 * 3600
    assert counted(resumed, resumed["due_at"]) == resumed["target_seconds"]
    pauses = [part for part in resumed["segments"] if part["why"].startswith("paused: ")]
    assert [(part["from"], part["to"], part["counted"]) for part in pauses] == [
        ("2026-11-24T04:00:00Z", "2026-11-27T04:00:00Z", False)
    ]


async def test_the_clocks_that_are_stored_are_those_that_the_history_gives(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open(priority="P3")
    await workflow.acknowledge(case_id)
    await workflow.act(case_id, "request-information", text="请提供照片")
    due_at = "2026-11-25T12:00:00+08:00"
    await workflow.http.post(
        f"/v1/cases/{case_id}/promises", json={"text": "补发", "due_at": due_at}
    )
    await workflow.pass_time(timedelta(hours=30))
    await workflow.act(case_id, "receive-information", text="照片")
    await workflow.pass_time(2 * DAY)
    await workflow.act(case_id, "assign", owner="sun.yue", department="product")
    await workflow.act(case_id, "resolve", summary="已补发")
    await workflow.pass_time(3 * DAY)
    await workflow.act(case_id, "reopen", reason="又坏了")

    async with workflow.desk.database.read() as connection:
        case = await reading.find_case(connection, case_id=case_id)
        history = await reading.history_of(connection, case_id)

    assert case is not None
    assert replayed_clocks(case, history, workflow.desk.rules) == case.clocks


async def test_a_promise_is_made_once_and_told(workflow: Workflow) -> None:
    case_id = await workflow.open()
    body = {"text": "24 小时内补发两件", "due_at": "2026-11-24T12:00:00+08:00"}
    key = {"Idempotency-Key": "promise-1"}

    first = await workflow.http.post(f"/v1/cases/{case_id}/promises", json=body, headers=key)
    again = await workflow.http.post(f"/v1/cases/{case_id}/promises", json=body, headers=key)
    listed = await workflow.http.get(f"/v1/cases/{case_id}/promises")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert [(p["text"], p["state"], p["owner"]) for p in listed.json()["items"]] == [
        ("24 小时内补发两件", "open", "li.na")
    ]
    assert (await workflow.names(case_id)).count("PromiseMade") == 1
    async with workflow.desk.database.read() as connection:
        stored = (await connection.execute(select(words.c.ciphertext))).scalars().all()
    assert all("补发".encode() not in bytes(text) for text in stored)


async def test_a_promise_that_is_about_to_be_missed_is_told_before_with_a_new_time(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    await workflow.acknowledge(case_id)
    body = {"text": "补发", "due_at": "2026-11-23T22:00:00+08:00"}
    promise = (await workflow.http.post(f"/v1/cases/{case_id}/promises", json=body)).json()

    await workflow.pass_time(timedelta(hours=9))
    told = (await workflow.http.get(f"/v1/cases/{case_id}/promises")).json()["items"]
    path = f"/v1/cases/{case_id}/promises/{promise['id']}"
    moved = await workflow.http.post(
        f"{path}/delayed", json={"due_at": "2026-11-25T12:00:00+08:00", "reason": "仓库缺货"}
    )
    kept = await workflow.http.post(f"{path}/kept", json={})
    late = await workflow.http.post(
        f"{path}/delayed", json={"due_at": "2026-11-26T12:00:00+08:00", "reason": "又缺货"}
    )

    assert [(p["due_at"], p["delays"]) for p in told] == [("2026-11-23T19:00:00Z", 1)]
    assert (moved.status_code, moved.json()["due_at"]) == (200, "2026-11-25T04:00:00Z")
    assert (kept.status_code, kept.json()["state"]) == (200, "kept")
    assert late.status_code == 409
    names = await workflow.names(case_id)
    assert [names.count(name) for name in ("PromiseDelayed", "PromiseKept", "PromiseBroken")] == [
        2,
        1,
        0,
    ]


async def test_a_wrong_promise_is_refused_with_its_field(workflow: Workflow) -> None:
    case_id = await workflow.open()
    path = f"/v1/cases/{case_id}/promises"

    past = await workflow.http.post(path, json={"text": "补发", "due_at": "2026-11-23T04:00:00Z"})
    naive = await workflow.http.post(path, json={"text": "补发", "due_at": "2026-11-24T04:00:00"})
    unknown = await workflow.http.post(f"{path}/none/kept", json={})
    stale = await workflow.http.post(
        path,
        json={"text": "补发", "due_at": "2026-11-24T04:00:00Z"},
        headers={"If-Match": '"7"'},
    )

    assert (past.status_code, past.json()["errors"][0]["pointer"]) == (422, "/due_at")
    assert (naive.status_code, naive.json()["errors"][0]["pointer"]) == (422, "/due_at")
    assert unknown.status_code == 404
    assert stale.status_code == 412
    assert await workflow.names(case_id) == ["CaseOpened"]


async def test_an_update_is_due_by_itself_and_a_message_starts_it_anew(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    await workflow.acknowledge(case_id)

    await workflow.pass_time(DAY)

    assert (await workflow.names(case_id)).count("UpdateDue") == 1
    update = (await clocks_of(workflow, case_id))["next_update"]
    # Nobody replied, so the case has gone up: there it is three quarters of a day.
    assert (update["started_at"], update["due_at"]) == (
        "2026-11-24T04:00:00Z",
        "2026-11-24T22:00:00Z",
    )


async def test_instants_are_told_in_utc_whatever_the_offset_they_came_with(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    workflow.clock.advance(timedelta(hours=2))

    case = await workflow.act(
        case_id, "record-contact", text="已致电", occurred_at="2026-11-23T13:00:00+08:00"
    )

    met = {clock["kind"]: clock["met_at"] for clock in case["clocks"]}
    assert met["first_reply"] == "2026-11-23T05:00:00Z"


async def test_more_time_is_granted_once_with_its_reason_and_told(workflow: Workflow) -> None:
    case_id = await workflow.open(priority="P3")
    body = {"clock": "resolve", "until": "2026-12-04T12:00:00+08:00", "reason": "需要第三方鉴定"}
    path, key = f"/v1/cases/{case_id}/extensions", {"Idempotency-Key": "more-time"}

    first = await workflow.http.post(path, json=body, headers=key)
    again = await workflow.http.post(path, json=body, headers=key)
    too_far = await workflow.http.post(path, json=body | {"until": "2027-12-04T12:00:00+08:00"})

    assert (first.status_code, again.json()) == (200, first.json())
    resolve = (await clocks_of(workflow, case_id))["resolve"]
    assert resolve["due_at"] == "2026-12-04T04:00:00Z"
    assert [change["why"] for change in resolve["changes"]] == ["extension"]
    assert "获准延期" in resolve["explanation"]["zh-CN"]
    assert (too_far.status_code, too_far.json()["errors"][0]["pointer"]) == (422, "/until")
    history = (await workflow.case(case_id))["history"]
    assert (history[-1]["action"], history[-1]["why"]) == ("extension", "需要第三方鉴定")
    assert (await workflow.names(case_id)).count("ClockExtended") == 1


async def test_the_banks_sixty_days_are_granted_by_an_executive_alone(workflow: Workflow) -> None:
    policy = DEFAULT.replace("version: 3", "version: 4").replace(
        "packs: []", "packs: [cn-banking-insurance]"
    )
    yaml = {"Content-Type": "application/yaml"}
    await workflow.http.put("/v1/policies", content=policy, headers=yaml)
    case_id = await workflow.open()
    clock, until = "cn-banking-insurance.answer", "2027-01-20T12:00:00+08:00"
    body = {"clock": clock, "until": until, "reason": "情况复杂，需要鉴定"}
    answers = {}
    for role in (Role.LEAD, Role.MANAGER, Role.EXECUTIVE):
        bearer = {"Authorization": f"Bearer {workflow.keys.create(role=role, name=role.value)}"}
        path = f"/v1/cases/{case_id}/extensions"
        answers[role] = await workflow.http.post(path, json=body, headers=bearer)

    assert [answer.status_code for answer in answers.values()] == [403, 403, 200]
    assert "executive or above" in answers[Role.MANAGER].json()["detail"]


async def test_a_time_beyond_the_calendar_is_refused(workflow: Workflow) -> None:
    case_id = await workflow.open()
    late, early = "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"
    sent = [
        ("extensions", "/until", {"clock": "resolve", "until": late, "reason": "鉴定"}),
        ("promises", "/due_at", {"text": "补发", "due_at": late}),
        ("record-contact", "/occurred_at", {"text": "已致电", "occurred_at": early}),
    ]

    for path, pointer, body in sent:
        answer = await workflow.http.post(f"/v1/cases/{case_id}/{path}", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
