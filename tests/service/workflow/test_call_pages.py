"""The pages on which staff call customers back, and read what those said, on both databases."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
from fastapi import FastAPI

from services.workflow_service.cases.service import reading
from services.workflow_service.cases.service.answers import AnswerReader
from shared.events.surveys import SurveyAnswered
from shared.http.access import Role
from shared.http.client import ServiceClient
from shared.kernel.ids import new_id
from tests.service.workflow.conftest import Json, Workflow

HOUR = timedelta(hours=1)


async def to_call(workflow: Workflow) -> tuple[str, str]:
    case_id = await workflow.open()
    await workflow.acknowledge(case_id)
    await workflow.act(case_id, "resolve", summary="两件已补发")
    await workflow.pass_time(37 * HOUR)
    found = await workflow.http.get("/v1/callbacks", params={"complaint_id": case_id})
    task: Json = found.json()["items"][0]
    return case_id, str(task["id"])


async def opened(workflow: Workflow, path: str, lang: str = "zh-CN") -> httpx.Response:
    url = httpx.URL(path).copy_merge_params({"lang": lang})
    return await workflow.http.get(url, headers={"Accept": "text/html"})


async def send(workflow: Workflow, task: str, form: str, **typed: str) -> httpx.Response:
    shown = await opened(workflow, f"/callbacks/{task}")
    hidden = dict(re.findall(r'name="(form_token|version)" value="([^"]*)"', shown.text))
    return await workflow.http.post(
        f"/callbacks/{task}/{form}", data=hidden | typed, headers={"Accept": "text/html"}
    )


async def test_who_is_to_be_called_stands_in_the_list(workflow: Workflow) -> None:
    empty = await opened(workflow, "/callbacks")
    _, task = await to_call(workflow)

    listed = await opened(workflow, "/callbacks", "en")
    others = await opened(workflow, "/callbacks?owner=sun.yue", "en")

    assert "没有待回访的客户" in empty.text
    assert f"/callbacks/{task}" in listed.text
    assert "the survey was not answered" in listed.text
    assert "李娜" in listed.text
    assert "Nobody is to be called" in others.text


async def test_the_form_shows_the_script_in_the_readers_language_first(workflow: Workflow) -> None:
    case_id, task = await to_call(workflow)
    number = (await workflow.case(case_id))["number"]

    shown = await opened(workflow, f"/callbacks/{task}")

    assert f"（编号 {number}）" in shown.text
    assert shown.text.index("您好，我是客户服务中心的") < shown.text.index(
        "Hello, this is customer"
    )


async def test_answers_entered_on_the_page_are_recorded(workflow: Workflow) -> None:
    case_id, task = await to_call(workflow)

    sent = await send(workflow, task, "answers", score="5", text="很满意\r\n谢谢")
    shown = await opened(workflow, f"/callbacks/{task}?saved=1")

    assert (sent.status_code, sent.headers["location"]) == (303, f"/callbacks/{task}?saved=1")
    assert "很满意" in shown.text
    assert "记录评价" not in shown.text
    case = await workflow.case(case_id)
    assert (case["state"], case["satisfaction"]["score"]) == ("closed", 5)


async def test_another_time_is_that_of_the_company(workflow: Workflow) -> None:
    _, task = await to_call(workflow)

    await send(workflow, task, "attempts", result="later", call_again_at="2026-11-26T10:30")

    found = (await workflow.http.get(f"/v1/callbacks/{task}")).json()
    assert found["call_again_at"] == "2026-11-26T02:30:00Z"


async def test_what_is_wrong_is_named_and_what_was_typed_stays(workflow: Workflow) -> None:
    _, task = await to_call(workflow)

    missing = await send(workflow, task, "answers", text="客户说很好")
    never = await send(workflow, task, "attempts", result="later", note="晚上打")
    past = await send(workflow, task, "attempts", result="later", call_again_at="2026-11-20T10:30")
    foreign = await send(workflow, task, "attempts", result="later", call_again_at="tomorrow")

    assert [answer.status_code for answer in (missing, never, past, foreign)] == [422] * 4
    assert "请选择客户给的分数" in missing.text
    assert "客户说很好" in missing.text
    assert "请填写客户约定的时间" in never.text
    assert re.search(r'value="later" checked', never.text)
    assert "最多 30 天" in past.text
    assert "2026-11-25 18:00" in foreign.text


async def test_a_form_from_an_older_state_is_not_recorded(workflow: Workflow) -> None:
    case_id, task = await to_call(workflow)
    shown = await opened(workflow, f"/callbacks/{task}")
    token = re.findall(r'name="form_token" value="([^"]*)"', shown.text)[0]
    await workflow.act(case_id, "escalate", reason="客户来电催促")

    late = await workflow.http.post(
        f"/callbacks/{task}/answers",
        data={"form_token": token, "version": "3", "score": "5"},
        headers={"Accept": "text/html"},
    )
    strange = await workflow.http.post(
        f"/callbacks/{task}/answers", data={"form_token": "x", "score": "5"}
    )

    assert late.status_code == 412
    assert "工单刚刚有变化" in late.text
    assert strange.status_code == 403
    assert (await workflow.case(case_id))["state"] == "resolved"


async def test_a_form_for_a_call_back_that_is_over_says_so(workflow: Workflow) -> None:
    case_id, task = await to_call(workflow)
    await workflow.http.post(f"/v1/callbacks/{task}/answers", json={"score": 4})
    shown = await opened(workflow, f"/cases/{case_id}")

    over = await send(workflow, task, "answers", score="1")

    assert f"/callbacks/{task}" in shown.text
    # Without a form on the page there is no token either.
    assert over.status_code == 403


async def test_who_only_reads_sees_no_form(workflow: Workflow) -> None:
    _, task = await to_call(workflow)
    secret = workflow.keys.create(role=Role.INTEGRATION, name="crm")
    crm = {"Authorization": f"Bearer {secret}", "Accept": "text/html"}

    shown = await workflow.http.get(f"/callbacks/{task}", headers=crm)
    refused = await workflow.http.post(
        f"/callbacks/{task}/answers", data={"score": "5"}, headers=crm
    )

    assert shown.status_code == 200
    assert '<form method="post" action="/callbacks' not in shown.text
    assert refused.status_code == 403


async def test_the_case_says_that_words_are_away_while_notification_is(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    await workflow.act(case_id, "resolve", summary="两件已补发")
    await workflow.pass_time(25 * HOUR)
    await workflow.hear(answered(case_id))

    shown = await opened(workflow, f"/cases/{case_id}")

    assert shown.status_code == 200
    assert "1 分：非常不满意" in shown.text
    assert "暂时取不到客户写的内容" in shown.text


async def test_the_words_of_surveys_are_asked_of_notification(workflow: Workflow) -> None:
    case_id = await workflow.open()
    await workflow.act(case_id, "resolve", summary="两件已补发")
    await workflow.pass_time(25 * HOUR)
    await workflow.hear(answered(case_id))
    neighbour = FastAPI()

    @neighbour.post("/v1/internal/notification/survey-answers")
    async def said(asked: dict[str, list[str]]) -> Json:
        item = {"round": 1, "score": 1, "text": "<b>还是少一件</b>", "wants_call": True}
        return {"items": [item | {"answered_at": "2026-11-24T05:00:00Z", "asked": asked}]}

    transport = httpx.ASGITransport(app=neighbour)
    client = ServiceClient("http://n", "s", attempts=1, transport=transport)
    case = await reading.find(workflow.desk, case_id)

    found = await AnswerReader(intake=client, notification=client).of(case)

    assert found is not None
    assert [(one.score, one.text, one.wants_call) for one in found] == [
        (1, "<b>还是少一件</b>", True)
    ]


def answered(case_id: str) -> SurveyAnswered:
    return SurveyAnswered(
        complaint_id=case_id, number="7K3F-9Q2M-X", survey=new_id(), round=1, score=1
    )
