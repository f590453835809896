"""Surveys heard of and customers called back, over HTTP and events, on both databases."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from services.workflow_service.cases.domain.replay import replayed_clocks
from services.workflow_service.cases.models import words
from services.workflow_service.cases.repository import reading
from shared.events.cases import Escalated, SatisfactionRecorded
from shared.events.deliveries import NotificationFailed, NotificationSkipped
from shared.events.surveys import SurveyAnswered
from shared.http.access import Role
from shared.kernel.ids import new_id
from tests.service.workflow.conftest import Json, Workflow

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def resolved(workflow: Workflow, **facts: object) -> str:
    case_id = await workflow.open(**facts)
    await workflow.acknowledge(case_id)
    await workflow.act(case_id, "resolve", summary="两件已补发")
    return case_id


async def to_call(workflow: Workflow, **facts: object) -> tuple[str, Json]:
    case_id = await resolved(workflow, **facts)
    await workflow.pass_time(37 * HOUR)
    (task,) = await listed(workflow, complaint_id=case_id)
    return case_id, task


async def listed(workflow: Workflow, **asked: str) -> list[Json]:
    answer = await workflow.http.get("/v1/callbacks", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["items"]
    return found


def answered(case_id: str, score: int, **more: object) -> SurveyAnswered:
    fields = {"complaint_id": case_id, "number": "7K3F-9Q2M-X", "survey": new_id(), "round": 1}
    return SurveyAnswered.model_validate({**fields, "score": score, **more})


async def test_a_low_score_opens_the_case_again_one_level_higher(workflow: Workflow) -> None:
    case_id = await resolved(workflow)
    await workflow.pass_time(25 * HOUR)

    await workflow.hear(answered(case_id, 1))

    case = await workflow.case(case_id)
    assert (case["state"], case["round"], case["escalation_level"]) == ("assigned", 2, 1)
    assert case["escalated_because"] == "low_score"
    assert (case["satisfaction"]["score"], case["satisfaction"]["source"]) == (1, "survey")
    said = [event for _, event in await workflow.said(case_id)]
    recorded = [event for event in said if isinstance(event, SatisfactionRecorded)]
    assert [(event.score, event.told_by, event.round) for event in recorded] == [(1, "survey", 1)]
    escalated = [event for event in said if isinstance(event, Escalated)]
    assert [(event.cause, event.owner) for event in escalated] == [("low_score", "zheng.hao")]


async def test_a_good_score_closes_the_case_and_leaves_no_timer(workflow: Workflow) -> None:
    case_id = await resolved(workflow)
    await workflow.pass_time(25 * HOUR)

    await workflow.hear(answered(case_id, 5))
    await workflow.pass_time(30 * DAY)

    assert (await workflow.case(case_id))["state"] == "closed"
    assert (await workflow.names(case_id))[-2:] == ["SatisfactionRecorded", "Closed"]
    assert await listed(workflow, complaint_id=case_id) == []


async def test_an_unanswered_survey_becomes_a_call_and_its_answers_close_the_case(
    workflow: Workflow,
) -> None:
    case_id, task = await to_call(workflow)

    file = await workflow.http.get(f"/v1/callbacks/{task['id']}")
    tried = await workflow.http.post(
        f"/v1/callbacks/{task['id']}/attempts", json={"result": "no_answer", "note": "响了很久"}
    )
    done = await workflow.http.post(
        f"/v1/callbacks/{task['id']}/answers", json={"score": 5, "text": "处理得很快"}
    )

    assert (task["state"], task["reason"], task["owner"]) == ("open", "unanswered", "li.na")
    assert task["number"] in " ".join(file.json()["script"]["zh-CN"])
    assert len(file.json()["script"]["en"]) == len(file.json()["script"]["zh-CN"])
    assert (tried.status_code, tried.json()["state"]) == (200, "open")
    assert (done.status_code, done.json()["state"], done.json()["score"]) == (200, "answered", 5)
    case = await workflow.case(case_id)
    assert (case["state"], case["satisfaction"]["source"]) == ("closed", "call")
    read = (await workflow.http.get(f"/v1/callbacks/{task['id']}")).json()
    assert [(one["result"], one["note"]) for one in read["attempts"]] == [
        ("no_answer", "响了很久"),
        ("reached", None),
    ]
    assert read["text"] == "处理得很快"


async def test_what_a_customer_says_in_a_call_is_stored_encrypted(workflow: Workflow) -> None:
    _, task = await to_call(workflow)
    await workflow.http.post(
        f"/v1/callbacks/{task['id']}/answers", json={"score": 4, "text": "请对客服说声谢谢"}
    )

    async with workflow.desk.database.read() as connection:
        rows = (await connection.execute(select(words.c.ciphertext))).scalars().all()

    assert not [row for row in rows if "谢谢".encode() in bytes(row)]


async def test_a_call_with_the_version_that_was_read_meets_no_other_change(
    workflow: Workflow,
) -> None:
    case_id, task = await to_call(workflow)
    url = f"/v1/callbacks/{task['id']}"
    etag = (await workflow.http.get(url)).headers["ETag"]
    await workflow.act(case_id, "escalate", reason="客户来电催促")

    stale = await workflow.http.post(
        f"{url}/answers", json={"score": 5}, headers={"If-Match": etag}
    )
    etag = (await workflow.http.get(url)).headers["ETag"]
    fresh = await workflow.http.post(
        f"{url}/answers", json={"score": 5}, headers={"If-Match": etag}
    )

    assert (stale.status_code, fresh.status_code) == (412, 200)


async def test_answers_sent_twice_are_recorded_once(workflow: Workflow) -> None:
    case_id, task = await to_call(workflow)
    url, key = f"/v1/callbacks/{task['id']}/answers", {"Idempotency-Key": "call-1"}

    first = await workflow.http.post(url, json={"score": 4}, headers=key)
    again = await workflow.http.post(url, json={"score": 4}, headers=key)
    other = await workflow.http.post(url, json={"score": 1})

    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 409)
    assert again.json() == first.json()
    assert other.json()["type"].endswith("/call-back-over")
    assert (await workflow.names(case_id)).count("SatisfactionRecorded") == 1


async def test_three_calls_that_reach_nobody_end_it_and_close_the_case(workflow: Workflow) -> None:
    case_id, task = await to_call(workflow)

    for _ in range(3):
        last = await workflow.http.post(
            f"/v1/callbacks/{task['id']}/attempts", json={"result": "no_answer"}
        )

    assert last.json()["state"] == "not_reached"
    case = await workflow.case(case_id)
    assert (case["state"], case["satisfaction"]) == ("closed", None)
    assert {c["kind"]: c["state"] for c in case["clocks"]}["follow_up"] == "cancelled"


async def test_wrong_entries_are_named_by_their_field(workflow: Workflow) -> None:
    _, task = await to_call(workflow)
    url = f"/v1/callbacks/{task['id']}"

    answers = [
        await workflow.http.post(f"{url}/answers", json={"score": 6}),
        await workflow.http.post(f"{url}/answers", json={}),
        await workflow.http.post(f"{url}/attempts", json={"result": "busy"}),
        await workflow.http.post(f"{url}/attempts", json={"result": "later"}),
        await workflow.http.post(f"{url}/attempts", json={"result": "reached", "who": "x"}),
    ]
    missing = await workflow.http.get("/v1/callbacks/01938f5e-7c2a-7d5e-9d8b-3f6f0c1a2b3d")

    assert [answer.status_code for answer in answers] == [422] * 5
    assert [answer.json()["errors"][0]["pointer"] for answer in answers] == [
        "/score",
        "/score",
        "/result",
        "/call_again_at",
        "/who",
    ]
    assert missing.status_code == 404


async def test_a_customer_without_an_address_is_called_at_once(workflow: Workflow) -> None:
    case_id = await resolved(workflow)
    await workflow.pass_time(24 * HOUR)

    await workflow.hear(unsent(NotificationSkipped, case_id, reason="no_address"))
    await workflow.hear(unsent(NotificationFailed, case_id, reason="refused"))

    (task,) = await listed(workflow, state="open", owner="li.na")
    assert (task["complaint_id"], task["reason"]) == (case_id, "unreachable")
    assert (await workflow.names(case_id)).count("CallBackDue") == 1


async def test_a_survey_that_something_newer_replaced_calls_nobody(workflow: Workflow) -> None:
    case_id = await resolved(workflow)
    await workflow.pass_time(24 * HOUR)

    await workflow.hear(unsent(NotificationSkipped, case_id, reason="superseded"))

    assert await listed(workflow, complaint_id=case_id) == []


def unsent(
    kind: type[NotificationSkipped] | type[NotificationFailed], case_id: str, *, reason: str
) -> NotificationSkipped | NotificationFailed:
    return kind(
        complaint_id=case_id,
        number="7K3F-9Q2M-X",
        notification_id=new_id(),
        kind="survey",
        occurrence=1,
        audience="customer",
        channel="none",
        reason=reason,
    )


async def test_call_backs_are_listed_by_state_and_owner_page_by_page(workflow: Workflow) -> None:
    first, _ = await to_call(workflow)
    second, _ = await to_call(workflow)

    page = (await workflow.http.get("/v1/callbacks?state=open&limit=1")).json()
    rest = (await workflow.http.get(f"/v1/callbacks?limit=1&cursor={page['next_cursor']}")).json()
    nobody = await listed(workflow, owner="sun.yue")

    # The earlier one has been missed meanwhile and went up, but waits in its place.
    assert [item["complaint_id"] for item in (*page["items"], *rest["items"])] == [first, second]
    assert nobody == []


async def test_only_who_may_handle_cases_enters_calls(workflow: Workflow) -> None:
    _, task = await to_call(workflow)
    secret = workflow.keys.create(role=Role.ANALYST, name="figures")
    theirs = {"Authorization": f"Bearer {secret}"}

    answer = await workflow.http.post(
        f"/v1/callbacks/{task['id']}/answers", json={"score": 5}, headers=theirs
    )

    assert answer.status_code == 403


async def test_the_clocks_are_those_that_the_history_gives(workflow: Workflow) -> None:
    case_id, task = await to_call(workflow)
    later = {"result": "later", "call_again_at": "2026-11-26T10:00:00+08:00"}
    await workflow.http.post(f"/v1/callbacks/{task['id']}/attempts", json=later)
    await workflow.pass_time(2 * DAY)
    await workflow.http.post(f"/v1/callbacks/{task['id']}/answers", json={"score": 2})
    await workflow.pass_time(2 * DAY)

    async with workflow.desk.database.read() as connection:
        case = await reading.find_case(connection, case_id=case_id)
        history = await reading.history_of(connection, case_id)

    assert case is not None
    assert replayed_clocks(case, history, workflow.desk.rules) == case.clocks
    assert case.call_backs[0].state == "answered"
