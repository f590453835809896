"""A customer answers a proposal by its link: once, kindly, and never by only looking."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, Response

from services.workflow_service.answering.service import TrackingLinks
from services.workflow_service.cases.service.answer_links import AnswerLinks
from shared.events.cases import SolutionAccepted, SolutionDeclined
from shared.http.access import Role
from shared.http.client import ServiceClient
from shared.web.clocks import CustomerClocks
from tests.service.workflow.conftest import Workflow

OPTIONS = [
    {"kind": "re_send", "text": "明天补发缺少的两件"},
    {"kind": "refund", "text": "退还货款", "amount": {"amount": "39.80", "currency": "CNY"}},
]


async def proposed(workflow: Workflow, case_id: str | None = None, **changes: object) -> str:
    """Propose, and return the path of the page on which it is answered."""
    case_id = case_id or await workflow.open()
    await workflow.act(case_id, "propose", **({"options": OPTIONS} | changes))
    answer = await workflow.internal.get(f"/v1/internal/workflow/answer-links/{case_id}")
    url: str = answer.json()["url"]
    return "/answer/" + url.rpartition("/answer/")[2]


async def said(workflow: Workflow, path: str, **form: str) -> Response:
    return await workflow.http.post(path, data=form)


def proposal_of(workflow: Workflow, path: str) -> str:
    proposal = AnswerLinks(workflow.desk.vault, "").read(path.rpartition("/")[2])
    assert proposal is not None
    return proposal


async def look(workflow: Workflow, path: str, lang: str = "en") -> Response:
    mark = "&" if "?" in path else "?"
    return await workflow.http.get(f"{path}{mark}lang={lang}")


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh-CN", ("我们为您准备的方案", "您选哪一个？", "这些都不合适", "¥39.80")),
        ("en", ("Our proposal", "Which one do you choose?", "None of this suits me", "39.80")),
    ],
)
async def test_the_page_shows_the_options_in_the_customers_language(
    workflow: Workflow, lang: str, words: tuple[str, ...]
) -> None:
    path = await proposed(workflow)

    page = await look(workflow, path, lang)

    assert "明天补发缺少的两件" in page.text
    assert not [word for word in words if word not in page.text]
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    assert page.headers["cache-control"] == "no-store"


async def test_looking_settles_nothing_however_often_and_whichever_option(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    path = await proposed(workflow, case_id)

    for option in ("A", "B", "Z", ""):
        page = await workflow.http.get(f"{path}?option={option}")
        await workflow.http.head(f"{path}?option={option}")
        assert page.text.count(" checked") == (option in {"A", "B"})

    assert (await workflow.case(case_id))["state"] == "proposed"


async def test_an_option_is_taken_by_the_customer(workflow: Workflow) -> None:
    case_id = await workflow.open(category="logistics.short")
    path = await proposed(workflow, case_id)

    sent = await said(workflow, path, option="B", accept="1")
    page = await look(workflow, sent.headers["location"])

    case = await workflow.case(case_id)
    (accepted,) = [e for _, e in await workflow.said(case_id) if isinstance(e, SolutionAccepted)]
    assert sent.status_code == 303
    assert (case["state"], case["history"][-1]["by"]) == ("executing", "customer")
    assert (accepted.option, accepted.by_customer, accepted.owner) == ("B", True, "li.na")
    assert "Thank you, that is agreed" in page.text
    assert "退还货款" in page.text
    assert "<form" not in page.text.partition("<main")[2].partition("</main>")[0]


TRACK = "https://help.example/track/abc"


async def _tracked(_self: TrackingLinks, _complaint_id: str) -> str:
    return TRACK


@pytest.mark.parametrize(
    ("form", "doors"),
    [({}, 1), ({"option": "A", "accept": "1"}, 0), ({"why": "太少", "decline": "1"}, 1)],
)
async def test_whoever_answers_finds_the_way_on_and_up_who_declines_the_supervisor(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch, form: dict[str, str], doors: int
) -> None:
    monkeypatch.setattr(TrackingLinks, "of", _tracked)
    path = await proposed(workflow)
    if form:
        await said(workflow, path, **form)

    zh, en = await look(workflow, path, "zh-CN"), await look(workflow, path)

    for page, way, door in (
        (zh, "查看投诉进展", "要求主管介入"),
        (en, "See how your complaint stands", "Ask for a supervisor"),
    ):
        assert page.text.count(f'href="{TRACK}"') == 1
        assert way in page.text
        assert page.text.count(f'<a href="{TRACK}#supervision">{door}</a>') == doors


async def test_the_tracking_page_is_asked_of_intake_and_the_answer_goes_without(
    workflow: Workflow,
) -> None:
    path = await proposed(workflow)
    neighbour = FastAPI()

    @neighbour.get("/v1/internal/intake/complaints/{complaint_id}/tracking")
    async def tracking(complaint_id: str) -> dict[str, str]:
        return {"url": f"{TRACK}/{complaint_id}", "later": "ignored"}

    async def of(app: FastAPI) -> str | None:
        transport = ASGITransport(app=app)
        client = ServiceClient("http://n", "s", attempts=1, transport=transport)
        return await TrackingLinks(client).of("c1")

    sent = await said(workflow, path, why="太少", decline="1")
    page = await look(workflow, sent.headers["location"])

    assert (await of(neighbour), await of(FastAPI())) == (f"{TRACK}/c1", None)
    assert "Thank you for telling us" in page.text
    assert "/track/" not in page.text


async def test_times_are_told_by_the_customers_clock_as_in_their_messages(
    workflow: Workflow,
) -> None:
    path = await proposed(workflow, await workflow.open(region="GB-LND"))

    sent = await said(workflow, path, option="A", accept="1")
    english = await look(workflow, sent.headers["location"])
    chinese = await look(workflow, sent.headers["location"], "zh-CN")

    assert ">23 Nov 2026, 04:00</time>" in english.text
    assert "04:00 (London time) at the latest." in english.text
    assert "Times are in London time." in english.text
    assert "（伦敦时间）之前，您会收到我们的消息" in chinese.text


async def test_the_zone_that_the_customer_chose_is_asked_of_notification() -> None:
    neighbour = FastAPI()

    @neighbour.get("/v1/internal/notification/zones/{customer_id}")
    async def zone(customer_id: str) -> dict[str, str | None]:
        chosen = {"c1": "America/New_York"}
        return {"timezone": chosen.get(customer_id), "later": "ignored"}

    async def of(app: FastAPI, customer_id: str, region: str | None) -> str | None:
        transport = ASGITransport(app=app)
        client = ServiceClient("http://n", "s", attempts=1, transport=transport)
        found = await CustomerClocks(client).of(customer_id, region)
        return found.key if found else None

    assert await of(neighbour, "c1", "GB-LND") == "America/New_York"
    assert await of(neighbour, "c2", "GB-LND") == "Europe/London"
    assert await of(neighbour, "c2", None) is None
    assert await of(FastAPI(), "c1", "GB-LND") == "Europe/London"


async def test_none_is_taken_with_a_reason(workflow: Workflow) -> None:
    case_id = await workflow.open()
    path = await proposed(workflow, case_id)

    sent = await said(workflow, path, why="两件都不要了，\r\n请全额退款。", decline="1")
    page = await look(workflow, sent.headers["location"])

    case = await workflow.case(case_id)
    (declined,) = [e for _, e in await workflow.said(case_id) if isinstance(e, SolutionDeclined)]
    assert case["state"] == "investigating"
    assert case["history"][-1]["why"] == "两件都不要了，\n请全额退款。"
    assert declined.by_customer
    assert "Thank you for telling us" in page.text


async def test_the_same_answer_again_changes_nothing(workflow: Workflow) -> None:
    case_id = await workflow.open()
    path = await proposed(workflow, case_id)

    answers = [await said(workflow, path, option="A") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [303, 303, 303]
    assert (await workflow.names(case_id)).count("SolutionAccepted") == 1


async def test_another_answer_later_is_told_which_one_holds(workflow: Workflow) -> None:
    case_id = await workflow.open()
    path = await proposed(workflow, case_id)
    await said(workflow, path, option="A")

    await said(workflow, path, option="B")
    await said(workflow, path, why="doch nicht", decline="1")
    page = await look(workflow, f"{path}?option=B")

    assert (await workflow.names(case_id)).count("SolutionAccepted") == 1
    assert "SolutionDeclined" not in await workflow.names(case_id)
    assert "This is agreed already" in page.text
    assert "明天补发缺少的两件" in page.text


async def test_of_two_answers_at_one_moment_one_holds(workflow: Workflow) -> None:
    case_id = await workflow.open()
    path = await proposed(workflow, case_id)

    answers = await asyncio.gather(
        *(said(workflow, path, option=option) for option in ("A", "B", "A", "B"))
    )

    assert {answer.status_code for answer in answers} == {303}
    assert (await workflow.names(case_id)).count("SolutionAccepted") == 1


async def test_an_old_link_never_answers_a_newer_proposal(workflow: Workflow) -> None:
    case_id = await workflow.open()
    old = await proposed(workflow, case_id)
    new = await proposed(workflow, case_id, options=[{"kind": "refund", "text": "全额退款"}])

    await said(workflow, old, option="A")
    page = await look(workflow, old)

    assert (await workflow.case(case_id))["state"] == "proposed"
    assert "There is a newer proposal" in page.text
    assert "Do you agree?" in (await look(workflow, new)).text


async def test_an_offer_that_waits_for_approval_is_answered_once_it_is_made(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    much = [
        {"kind": "refund", "text": "全额退款", "amount": {"amount": "90000", "currency": "CNY"}}
    ]
    agent = workflow.keys.create(role=Role.AGENT, name="li.na")
    admin = workflow.keys.create(role=Role.ADMIN, name="tang.wei")
    as_agent, as_admin = ({"Authorization": f"Bearer {key}"} for key in (agent, admin))
    asked = await workflow.http.post(
        f"/v1/cases/{case_id}/propose", json={"options": much}, headers=as_agent
    )
    way = f"/v1/internal/workflow/answer-links/{case_id}"
    before = await workflow.internal.get(way)

    await workflow.http.post(f"/v1/cases/{case_id}/approve", json={}, headers=as_admin)
    path = "/answer/" + (await workflow.internal.get(way)).json()["url"].rpartition("/")[2]
    await said(workflow, path, option="A")

    assert (asked.status_code, before.status_code) == (200, 404)
    assert "SolutionAccepted" in await workflow.names(case_id)


@pytest.mark.parametrize(
    ("action", "body", "words"),
    [
        ("request-information", {"text": "请发照片"}, "First we need something from you"),
        ("reject", {"reason": "查无此事"}, "This proposal is over"),
        ("withdraw", {"reason": "客户撤回"}, "This proposal is over"),
        ("accept", {"option": "A"}, "This is agreed already"),
        ("decline", {"text": "不要"}, "You have answered this already"),
    ],
)
async def test_what_happened_since_is_said_kindly(
    workflow: Workflow, action: str, body: dict[str, str], words: str
) -> None:
    case_id = await workflow.open()
    path = await proposed(workflow, case_id)
    await workflow.act(case_id, action, **body)
    before = await workflow.names(case_id)

    sent = await said(workflow, path, option="B")

    assert sent.status_code == 303
    assert words in (await look(workflow, path)).text
    assert await workflow.names(case_id) == before


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"accept": "1"}, "Please choose one of the options first."),
        ({"option": "Z"}, "Please choose one of the options first."),
        ({"decline": "1", "why": "  "}, "Please tell us first what does not suit you."),
        ({"decline": "1", "why": "x" * 20_001}, "This is too long."),
    ],
)
async def test_an_answer_that_says_nothing_is_asked_for_again(
    workflow: Workflow, form: dict[str, str], words: str
) -> None:
    case_id = await workflow.open()
    path = await proposed(workflow, case_id)

    refused = await said(workflow, f"{path}?lang=en", **form)

    assert refused.status_code == 422
    assert words in refused.text
    assert (await workflow.case(case_id))["state"] == "proposed"


def respelt(token: str) -> str:
    """Return a token of the same bytes: the lowest bits of its last character say nothing."""
    return token[:-1] + chr(ord(token[-1]) + 1)


@pytest.mark.parametrize(
    "change", [lambda t: t[:-4], lambda t: t[:-1] + "_", lambda _: "x" * 43, respelt]
)
async def test_a_link_that_we_did_not_make_leads_nowhere(
    workflow: Workflow, change: object
) -> None:
    path = await proposed(workflow)
    assert callable(change)
    forged = "/answer/" + change(path.rpartition("/")[2])

    assert (await workflow.http.get(forged)).status_code == 404
    assert (await said(workflow, forged, option="A")).status_code == 404


async def test_only_services_are_told_the_way_to_a_proposal(workflow: Workflow) -> None:
    case_id = await workflow.open()
    none_yet = await workflow.internal.get(f"/v1/internal/workflow/answer-links/{case_id}")
    await proposed(workflow, case_id)

    stranger = await workflow.http.get(f"/v1/internal/workflow/answer-links/{case_id}")

    assert none_yet.status_code == 404
    assert stranger.status_code == 403


async def test_words_of_a_proposal_come_with_the_way_to_answer_it(workflow: Workflow) -> None:
    case_id = await workflow.open()
    path = await proposed(workflow, case_id)
    history = (await workflow.case(case_id))["history"]
    proposal = proposal_of(workflow, path)

    found = await workflow.internal.post("/v1/internal/workflow/words", json={"ids": [proposal]})

    assert history[-1]["action"] == "propose"
    assert found.json()["items"][0]["answer_url"].endswith(path)


async def test_who_is_asked_for_something_before_they_may_choose_reads_what(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    path = await proposed(workflow, case_id)
    await workflow.act(case_id, "request-information", text="请先告诉我们收货地址")

    english, chinese = [await look(workflow, path, lang) for lang in ("en", "zh-CN")]

    assert "请先告诉我们收货地址" in english.text
    assert "What we ask you for" in english.text
    assert "我们需要您提供" in chinese.text
