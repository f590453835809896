"""The pages of cases: they speak of people, departments and reasons, not of codes."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.schemas.answers import Said, Teller, Told
from services.workflow_service.cases.service import reading
from services.workflow_service.cases.service.answers import AnswerReader
from shared.http.client import ServiceClient
from tests.service.workflow.conftest import Workflow, complaint
from tests.unit.workflow.rules import opened, regrading


async def page(workflow: Workflow, path: str, lang: str, **query: str) -> str:
    asked = {"lang": lang, **query}
    answer = await workflow.http.get(path, params=asked, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        (
            "zh-CN",
            [
                "李娜",
                "物流部",
                "物流：短少",
                "第 1 级：班组长",
                "首次答复：时限已用 50%",
                "每小时都计",
            ],
        ),
        (
            "en",
            [
                "李娜",
                "Logistics",
                "Delivery: Short",
                "level 1: a team leader",
                "First reply: 50% of the time is used",
                "every hour counts",
            ],
        ),
    ],
)
async def test_a_case_is_told_in_words(workflow: Workflow, lang: str, said: list[str]) -> None:
    case_id = await workflow.open()
    await workflow.pass_time(timedelta(hours=5))

    text = await page(workflow, f"/cases/{case_id}", lang)

    assert [words for words in said if words not in text] == []
    codes = ["li.na", "logistics", "first_reply", "logistics.short", "working hours"]
    assert [code for code in codes if re.search(rf"(?<![\w.]){code}(?![\w.])", text)] == (
        [] if lang == "zh-CN" else ["working hours"]
    )


@pytest.mark.parametrize(
    ("lang", "said"), [("zh-CN", "本机（未用密钥）"), ("en", "on this machine, without a key")]
)
async def test_who_acts_on_this_machine_without_a_key_has_no_name(
    workflow: Workflow, lang: str, said: str
) -> None:
    case_id = await workflow.open()
    await workflow.act(case_id, "start-investigation")

    text = await page(workflow, f"/cases/{case_id}", lang)

    assert said in text
    assert not re.search(r"\blocal\b", text)


async def test_another_grade_and_who_goes_over_our_head_are_told_in_words(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open(channel="regulator")
    graded = replace(opened(), id=case_id)
    await workflow.hear(regrading(graded, "P1"), sequence=2)

    text = await page(workflow, f"/cases/{case_id}", "zh-CN")

    assert "物流：短少 P2 → 产品：质量问题 P1" in text
    assert "监管部门转来：此前没有向我们投诉过" in text


async def test_the_queue_is_chosen_from_by_names(workflow: Workflow) -> None:
    await workflow.open()

    text = await page(workflow, "/cases", "en", department="logistics", owner="somebody.else")
    listed = await page(workflow, "/cases", "en", department="logistics")

    assert "No case fits this selection" in text
    assert "somebody.else" in text
    assert "Delivery: Short" in listed


async def test_the_queue_shows_of_each_case_what_it_has_its_place_by(workflow: Workflow) -> None:
    numbers = []
    for priority in ("P4", "P3"):
        case_id = await workflow.open(priority=priority)
        await workflow.acknowledge(case_id)
        await workflow.act(case_id, "record-contact", text="您好，我们正在核实")
        numbers.append((await workflow.case(case_id))["number"])
        workflow.clock.advance(timedelta(hours=1))

    table = (await workflow.http.get("/cases", params={"lang": "en"})).text.partition("<tbody>")[2]
    listed = await page(workflow, "/cases", "en")
    opened = await page(workflow, f"/cases/{numbers[0]}", "zh-CN")

    due = re.findall(r'<time datetime="([^"]+)"', table)
    assert re.findall("|".join(numbers), table)[::2] == numbers
    assert len(due) == 2
    assert due == sorted(due)
    assert f"{numbers[0]} Tell the customer where it stands" in listed
    assert re.search("下一步 告知客户进展 .* 提出方案", opened)


async def test_a_case_shows_what_the_customer_told_us_and_added(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Said(
        kind="objection",
        by="customer",
        text="退款<b>还没到",
        created_at=datetime(2026, 11, 23, 5, tzinfo=UTC),
    )

    async def told(_self: AnswerReader, _case: Case) -> Told:
        return Told(description="订单少了两件\n客服推诿", order="A-1", additions=(said,))

    case_id = await workflow.open()
    away = await page(workflow, f"/cases/{case_id}", "zh-CN")
    monkeypatch.setattr(AnswerReader, "told", told)

    shown = await page(workflow, f"/cases/{case_id}", "zh-CN")

    assert "暂时取不到客户写的内容" in away
    assert "客户的原话 订单少了两件 客服推诿" in shown
    assert "客户认为还没有解决" in shown
    assert "退款&lt;b&gt;还没到" in shown


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        (
            "zh-CN",
            [
                "补发、道歉",
                "王* · 金卡客户",
                "监督热线",
                "2026年11月18日 18:30",
                "上海",
                "客服 037",
            ],
        ),
        (
            "en",
            [
                "sending it again, an apology",
                "王* · gold customer",
                "supervision hotline",
                "18 Nov 2026, 18:30",
                "Shanghai",
                "客服 037",
            ],
        ),
    ],
)
async def test_a_case_shows_what_the_customer_wants_and_who_they_are_masked(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch, lang: str, said: list[str]
) -> None:
    async def told(_self: AnswerReader, _case: Case) -> Told:
        return Told(
            description="订单少了两件",
            customer=Teller(name="王*", tier="gold"),
            channel="supervision_hotline",
            occurred_at=datetime(2026, 11, 18, 10, 30, tzinfo=UTC),
            region="CN-31",
            people=("客服 037",),
            demands=("re_send", "apology"),
        )

    monkeypatch.setattr(AnswerReader, "told", told)
    case_id = await workflow.open()

    text = await page(workflow, f"/cases/{case_id}", lang)

    assert [words for words in said if words not in text] == []


async def test_the_history_tells_what_was_offered_with_the_amount(workflow: Workflow) -> None:
    case_id = await workflow.open()
    money = {"amount": "39.80", "currency": "CNY"}
    await workflow.act(
        case_id,
        "propose",
        options=[
            {"kind": "re_send", "text": "明天补发缺少的两件"},
            {"kind": "refund", "text": "退还货款", "amount": money},
        ],
    )

    text = await page(workflow, f"/cases/{case_id}", "zh-CN")

    assert "A. 明天补发缺少的两件 B. 退还货款 (¥39.80)" in text


async def test_an_old_case_is_late_by_years_and_not_by_thousands_of_percent(
    workflow: Workflow,
) -> None:
    old = complaint(datetime(2024, 12, 20, 4, 0, tzinfo=UTC), imported=True)
    await workflow.hear(old)
    await workflow.pass_time(timedelta(minutes=1))

    zh, en = [await page(workflow, f"/cases/{old.number}", lang) for lang in ("zh-CN", "en")]

    assert "时限早已用完" in zh
    assert "the time was used up long ago" in en
    assert "已晚 1 年 11 个月" in zh
    assert "1 year 11 months late by now" in en
    assert re.search(r"\d{4,} ?%|\d{3,} ?(days|天)", zh + en) is None


async def test_a_merged_complaint_and_the_open_case_lead_to_each_other(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def told(_self: AnswerReader, case: Case) -> Told | None:
        return None if case.id == lost.complaint_id else Told(description=f"原话 {case.number}")

    monkeypatch.setattr(AnswerReader, "told", told)
    root = complaint(workflow.clock.now())
    again, lost = (complaint(workflow.clock.now(), repeat_of=root.complaint_id) for _ in range(2))
    await workflow.hear(root)
    await workflow.hear(again)
    await workflow.hear(lost)

    merged = await workflow.http.get(f"/cases/{again.number}", params={"lang": "zh-CN"})
    shown = await workflow.http.get(f"/cases/{root.number}", params={"lang": "zh-CN"})

    assert f'后续都在那里处理： <a href="/cases/{root.number}">{root.number}</a>' in merged.text
    assert f'<p><a href="/cases/{root.number}">{root.number}</a></p>' in merged.text
    assert "冯刚" in merged.text
    assert shown.text.count(f'<a href="/cases/{again.number}">') == 3
    assert f"原话 {root.number}" in shown.text
    assert f"原话 {again.number}" in shown.text
    assert shown.text.count("暂时取不到客户写的内容") == 1


async def test_words_of_a_repeat_that_came_along_stand_where_the_matter_goes_on(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def told(_self: AnswerReader, case: Case) -> Told:
        return Told(description=f"原话 {case.number}")

    monkeypatch.setattr(AnswerReader, "told", told)
    root = complaint(workflow.clock.now())
    early = complaint(workflow.clock.now(), repeat_of=root.complaint_id)
    later = complaint(workflow.clock.now(), repeat_of=early.complaint_id)
    await workflow.hear(early)
    await workflow.hear(later)
    await workflow.hear(root)

    text = await page(workflow, f"/cases/{root.number}", "en")
    from_last = await page(workflow, f"/cases/{later.number}", "en")

    assert [one.number for one in (root, early, later) if f"原话 {one.number}" not in text] == []
    assert f"Everything further is done there: {root.number}" in from_last


async def test_the_complaint_is_asked_of_intake_which_may_be_away(workflow: Workflow) -> None:
    case_id = await workflow.open()
    case = await reading.find(workflow.desk, case_id)
    neighbour = FastAPI()

    @neighbour.get(f"/v1/internal/intake/complaints/{case_id}/words")
    async def words() -> dict[str, object]:
        return {"description": "订单少了两件", "order": "A-1", "later": "ignored"}

    async def told(app: FastAPI) -> Told | None:
        transport = httpx.ASGITransport(app=app)
        client = ServiceClient("http://n", "s", attempts=1, transport=transport)
        return await AnswerReader(intake=client, notification=client).told(case)

    found, away = await told(neighbour), await told(FastAPI())

    assert found == Told(description="订单少了两件", order="A-1")
    assert away is None
