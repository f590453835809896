"""The customer's page."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import JsonValue

from shared.events.cases import (
    CaseMerged,
    CaseOpened,
    ClockBreached,
    Closed,
    InformationRequested,
    PromiseMade,
    Rejected,
    SolutionProposed,
)
from shared.kernel.clock import to_rfc3339
from tests.service.intake.conftest import NOW, Running


def token_of(answer: dict[str, str]) -> str:
    return answer["tracking_url"].rpartition("/")[2]


async def page(intake: Running, token: str, lang: str = "en") -> httpx.Response:
    return await intake.client.get(
        f"/track/{token}", params={"lang": lang}, headers={"Accept": "text/html"}
    )


async def test_the_page_shows_number_facts_and_state_in_both_languages(intake: Running) -> None:
    answer = await intake.received()

    english = await page(intake, token_of(answer), "en")
    chinese = await page(intake, token_of(answer), "zh-CN")

    assert english.status_code == chinese.status_code == 200
    for shown in (english.text, chinese.text):
        assert answer["number"] in shown
        assert "周三收到的订单少了两件" in shown
    assert "We have received your complaint" in english.text
    assert "我们已收到您的投诉" in chinese.text
    assert english.headers["X-Robots-Tag"].startswith("noindex")


async def test_the_page_shows_no_contact_details_and_no_internal_names(intake: Running) -> None:
    answer = await intake.received()
    opened = CaseOpened(
        complaint_id=answer["id"], number=answer["number"], state="assigned", version=1,
        department="logistics", owner="li.na", priority="P2", policy="default 1",
        next_step="first_reply", next_due_at=NOW,
    )  # fmt: skip
    await intake.say(opened, sequence=1)
    await intake.until_status(answer["id"], "assigned")

    # Number and token are drawn by chance and may hold any of these letters.
    shown = (await page(intake, token_of(answer))).text
    shown = shown.replace(answer["number"], "").replace(token_of(answer), "")

    for hidden in ("13800138000", "wang@example.com", "C-77", "li.na", "P2"):
        assert hidden not in shown


async def test_a_complaint_that_was_added_to_another_is_not_called_closed(intake: Running) -> None:
    answer = await intake.received()
    merged = CaseMerged(
        complaint_id=answer["id"], number=answer["number"], state="closed", version=1,
        into="other", into_number="7K3F-9Q2M-X",
    )  # fmt: skip
    await intake.say(merged, sequence=1)
    await intake.until_status(answer["id"], "closed")

    english, chinese = [await page(intake, token_of(answer), lang) for lang in ("en", "zh-CN")]

    assert "together with your earlier complaint" in english.text
    assert "与您之前就同一件事的投诉一并办理" in chinese.text
    assert "Your complaint is closed." not in english.text


async def merged(
    intake: Running, into: dict[str, Any], **customer: object
) -> tuple[dict[str, Any], httpx.Response]:
    """A complaint that was added to another, and its page."""
    answer = await intake.received(**customer)
    said = CaseMerged(
        complaint_id=answer["id"], number=answer["number"], state="closed", version=1,
        into=into["id"], into_number=into["number"],
    )  # fmt: skip
    await intake.say(said, sequence=1)
    await intake.until_status(answer["id"], "closed")
    root = {"complaint_id": into["id"], "number": into["number"]}
    intake.neighbours.telling[answer["id"]] = {"merged_into": root}
    return answer, await page(intake, token_of(answer))


async def test_the_page_tells_how_the_complaint_stands_that_this_one_was_added_to(
    intake: Running,
) -> None:
    first = await intake.received()
    await intake.say(waiting_for(first), sequence=1)
    await intake.until_status(first["id"], "awaiting_customer")

    answer, shown = await merged(intake, first)

    assert f"together with your earlier complaint {first['number']}" in shown.text
    assert "We need something from you before we can go on." in shown.text
    assert "you can answer on this page" not in shown.text
    assert "You give us what we asked you for" in shown.text
    track = await intake.get(f"/v1/track/{token_of(answer)}")
    assert track["merged_into"] == {
        "number": first["number"],
        "status": "awaiting_customer",
        "next_step": "receive-information",
        "next_due_at": to_rfc3339(NOW + timedelta(days=3)),
    }
    assert first["number"] + " 的进展：" in (await page(intake, token_of(answer), "zh-CN")).text


async def test_who_complains_in_anothers_name_gets_no_link_to_what_they_said(
    intake: Running,
) -> None:
    first = await intake.received()

    answer, shown = await merged(intake, first)

    track = await intake.get(f"/v1/track/{token_of(answer)}")
    assert token_of(first) not in shown.text + str(track)


async def test_how_another_customers_complaint_stands_is_shown_to_nobody(intake: Running) -> None:
    first = await intake.received()

    answer, shown = await merged(intake, first, customer={"phone": "+86 139 0000 1111"})

    assert f"together with complaint {first['number']}" in shown.text
    track = await intake.get(f"/v1/track/{token_of(answer)}")
    assert track["merged_into"]["status"] is None


def waiting_for(answer: dict[str, Any]) -> InformationRequested:
    return InformationRequested(
        complaint_id=answer["id"], number=answer["number"], state="awaiting_customer", version=2,
        next_step="receive-information", next_due_at=NOW + timedelta(days=3), words_id="w",
    )  # fmt: skip


async def test_the_page_asks_what_we_wait_for_though_no_message_was_sent_yet(
    intake: Running,
) -> None:
    answer = await intake.received()
    intake.neighbours.telling[answer["id"]] = {"question": "请告诉我们快递单号，\n或拍一张<照片>。"}
    await intake.say(waiting_for(answer), sequence=1)
    await intake.until_status(answer["id"], "awaiting_customer")

    english, chinese = [await page(intake, token_of(answer), lang) for lang in ("en", "zh-CN")]

    assert "请告诉我们快递单号，<br>或拍一张&lt;照片&gt;。" in english.text
    assert "What we ask you for" in english.text
    assert "Your answer" in english.text
    assert "我们需要您提供" in chinese.text
    assert "message" not in english.text.partition('class="lead"')[2].partition("</p>")[0]
    track = await intake.get(f"/v1/track/{token_of(answer)}")
    assert track["question"].startswith("请告诉我们快递单号")


async def test_where_nobody_knows_the_question_the_page_says_what_is_true_without_it(
    intake: Running,
) -> None:
    answer = await intake.received()
    await intake.say(waiting_for(answer), sequence=1)
    await intake.until_status(answer["id"], "awaiting_customer")
    intake.neighbours.down = True

    english, chinese = [await page(intake, token_of(answer), lang) for lang in ("en", "zh-CN")]

    assert english.status_code == 200
    assert "We write to you what it is" in english.text
    assert "需要什么，我们会发消息告诉您" in chinese.text
    assert "last message" not in english.text


async def test_who_was_rejected_reads_why(intake: Running) -> None:
    answer = await intake.received()
    intake.neighbours.telling[answer["id"]] = {"rejection": "监控显示两件商品都已放入包裹。"}
    rejected = Rejected(
        complaint_id=answer["id"], number=answer["number"], state="rejected", version=2,
        words_id="w",
    )  # fmt: skip
    await intake.say(rejected, sequence=1)
    await intake.until_status(answer["id"], "rejected")

    shown = (await page(intake, token_of(answer))).text

    assert "Why we could not confirm it" in shown
    assert "监控显示两件商品都已放入包裹。" in shown


@pytest.mark.parametrize(
    ("chosen", "there", "clock", "clock_zh"),
    [
        (None, "23 Nov 2026, 14:00", "London time", "伦敦时间"),
        ("America/New_York", "23 Nov 2026, 09:00", "New York time", "纽约时间"),
    ],
)
async def test_the_page_tells_times_by_the_customers_clock_as_their_messages_do(
    intake: Running, chosen: str | None, there: str, clock: str, clock_zh: str
) -> None:
    answer = await intake.received(place={"region": "GB-LND"})
    customer = (await intake.get(f"/v1/complaints/{answer['id']}"))["customer"]["id"]
    if chosen:
        intake.neighbours.zones[customer] = chosen
    due = NOW + timedelta(hours=2)
    opened = CaseOpened(
        complaint_id=answer["id"], number=answer["number"], state="assigned", version=1,
        priority="P2", policy="d", next_step="first_reply", next_due_at=due,
    )  # fmt: skip
    await intake.say(opened, sequence=1)
    await intake.until_status(answer["id"], "assigned")

    english, chinese = [await page(intake, token_of(answer), lang) for lang in ("en", "zh-CN")]
    intake.clock.advance(timedelta(hours=3))
    late = await page(intake, token_of(answer))

    assert f">{there}</time> ({clock}, 2 hours left)" in english.text
    assert f"（{clock_zh}，还剩 2 小时）" in chinese.text
    assert f"Times are in {clock}." in english.text
    assert f"by {there} ({clock})" in late.text
    track = await intake.get(f"/v1/track/{token_of(answer)}")
    assert track["timezone"] == (chosen or "Europe/London")


async def test_where_no_clock_of_the_customer_is_known_the_page_goes_by_the_companys(
    intake: Running,
) -> None:
    answer = await intake.received(place=None)
    intake.neighbours.down = True

    shown = await page(intake, token_of(answer))

    assert "Times are in China Time." in shown.text
    assert (await intake.get(f"/v1/track/{token_of(answer)}"))["timezone"] is None


async def test_nobody_is_asked_for_words_of_a_case_that_has_none(intake: Running) -> None:
    answer = await intake.received()

    await page(intake, token_of(answer))

    assert "telling" not in intake.neighbours.asked


async def test_the_page_shows_a_promise_and_that_it_comes_next(intake: Running) -> None:
    answer = await intake.received()
    later = NOW.replace(hour=14)
    promised = PromiseMade(
        complaint_id=answer["id"], number=answer["number"], state="assigned", version=1,
        next_step="promise", next_due_at=later, promise="p", due_at=later, words_id="w",
    )  # fmt: skip
    await intake.say(promised, sequence=1)
    await intake.until_status(answer["id"], "assigned")
    told: list[JsonValue] = [
        {"text": "We send both.", "due_at": to_rfc3339(later), "state": "open"},
        {"text": "We call you.", "due_at": to_rfc3339(later + timedelta(days=1)), "state": "open"},
    ]
    intake.neighbours.telling[answer["id"]] = {"promises": told, "steps": []}

    shown = (await page(intake, token_of(answer))).text

    assert "We do what we promised you" in shown
    assert "We promised you something by a certain time" in shown
    assert "We send both." in shown
    assert shown.count(f'<time datetime="{to_rfc3339(later)}"') == 1
    assert shown.count(f'<time datetime="{to_rfc3339(later + timedelta(days=1))}"') == 1


async def test_the_page_tells_what_was_promised_by_when_and_what_was_done(intake: Running) -> None:
    answer = await intake.received(place={"region": "GB-LND"})
    later = NOW + timedelta(days=2)
    intake.neighbours.telling[answer["id"]] = {
        "promises": [
            {"text": "48 小时内补发<两件>", "due_at": to_rfc3339(later), "state": "open"},
            {"text": "退还运费", "due_at": to_rfc3339(later), "state": "kept"},
            {"text": "今天回电", "due_at": to_rfc3339(NOW), "state": "broken"},
        ],
        "steps": [
            {"text": "今天已寄出。", "reference": "SF123", "at": to_rfc3339(NOW)},
            {"text": None, "reference": None, "at": to_rfc3339(NOW)},
        ],
    }
    promised = PromiseMade(
        complaint_id=answer["id"], number=answer["number"], state="assigned", version=1,
        next_step="first_reply", next_due_at=NOW + timedelta(hours=1),
        promise="p", due_at=later, words_id="w",
    )  # fmt: skip
    await intake.say(promised, sequence=1)
    await intake.until_status(answer["id"], "assigned")

    english, chinese = [await page(intake, token_of(answer), lang) for lang in ("en", "zh-CN")]
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", english.text))
    track = await intake.get(f"/v1/track/{token_of(answer)}")

    assert "48 小时内补发&lt;两件&gt; By 25 Nov 2026, 12:00 (London time, 2 days left)" in words
    assert "退还运费 Done" in words
    assert "今天回电 This should have happened by 23 Nov 2026, 12:00 (London time)" in words
    assert "今天已寄出。 Reference: SF123 23 Nov 2026, 12:00" in words
    assert "我们向您承诺的" in chinese.text
    assert "单号：<strong>SF123</strong>" in chinese.text
    assert [one["state"] for one in track["promises"]] == ["open", "kept", "broken"]
    assert track["steps"][1]["reference"] == "SF123"


async def test_the_timeline_has_the_newest_first_and_leaves_out_our_own_clocks(
    intake: Running,
) -> None:
    answer = await intake.received()
    case = {"complaint_id": answer["id"], "number": answer["number"]}
    later = NOW.replace(hour=14)
    await intake.say(
        CaseOpened(**case, state="assigned", version=1, priority="P2", policy="d"), sequence=1
    )
    await intake.say(
        ClockBreached(
            **case, state="assigned", version=2, clock="assign", due_at=NOW, late_seconds=1
        ),
        sequence=2,
    )
    await intake.say(
        SolutionProposed(
            **case, state="proposed", version=3, next_step="resolve", next_due_at=later, round=1,
            options=(), words_id="w",
        ),
        sequence=3,
    )  # fmt: skip
    await intake.until_status(answer["id"], "proposed")

    track = (await intake.client.get(f"/v1/track/{token_of(answer)}")).json()

    assert [passed["kind"] for passed in track["timeline"]] == ["proposed", "opened", "received"]
    assert track["status"] == "proposed"
    assert (track["next_step"], track["next_due_at"]) == ("resolve", "2026-11-23T14:00:00Z")


async def test_what_the_customer_adds_is_shown_and_said_as_an_amendment(intake: Running) -> None:
    answer = await intake.received()
    token = token_of(answer)

    response = await intake.client.post(f"/track/{token}", data={"correction": "一共少了三件"})

    assert response.status_code == 303
    assert "一共少了三件" in (await page(intake, token)).text
    _received, amended = await intake.events(answer["id"], count=2)
    assert b"ComplaintAmended" in dict(amended.headers)["ce_type"]
    assert dict(amended.headers)["ce_sequence"] == b"2"
    assert '"kind":"correction","by":"customer"' in amended.value.decode()


@pytest.mark.parametrize("state", ["resolved", "closed", "rejected"])
async def test_who_does_not_hold_it_settled_can_say_so_on_the_page(
    intake: Running, state: str
) -> None:
    answer = await intake.received()
    token = token_of(answer)
    before = await page(intake, token)
    settled = Closed(
        complaint_id=answer["id"], number=answer["number"], state=state, version=1, outcome="solved"
    )
    await intake.say(settled, sequence=1)
    await intake.until_status(answer["id"], state)

    shown = await page(intake, token)
    response = await intake.client.post(f"/track/{token}", data={"objection": "退款还没有到账"})

    assert 'name="objection"' not in before.text
    assert 'name="objection"' in shown.text
    assert 'name="addition"' not in shown.text, "one field, of which it is told what it does"
    assert response.status_code == 303
    after = await page(intake, token, "zh-CN")
    assert "您的异议" in after.text
    assert 'name="objection"' not in after.text, "it was said a moment ago"
    *_, amended = await intake.events(answer["id"], count=3)
    assert '"kind":"objection","by":"customer"' in amended.value.decode()


@pytest.mark.parametrize("state", ["rejected", "resolved", "closed"])
async def test_the_label_of_an_objection_belongs_to_its_field(intake: Running, state: str) -> None:
    """An id that stands twice leaves the field without a name for who hears the page."""
    answer = await intake.received()
    settled = Closed(
        complaint_id=answer["id"], number=answer["number"], state=state, version=1, outcome="solved"
    )
    await intake.say(settled, sequence=1)
    await intake.until_status(answer["id"], state)

    shown = (await page(intake, token_of(answer))).text

    ids = re.findall(r' id="([^"]+)"', shown)
    assert '<label for="objection">' in shown
    assert len(ids) == len(set(ids))


async def test_an_empty_form_keeps_the_page_and_says_what_is_wrong(intake: Running) -> None:
    token = token_of(await intake.received())

    response = await intake.client.post(f"/track/{token}?lang=en", data={"addition": "  "})

    assert response.status_code == 422
    assert "error-summary" in response.text


async def test_a_wrong_link_leads_nowhere(intake: Running) -> None:
    response = await intake.client.get("/v1/track/nobody")

    assert response.status_code == 404
    assert response.json()["type"] == "/problems/unknown-tracking-link"


async def test_a_supervisor_asked_for_on_the_page_is_said_and_shown(intake: Running) -> None:
    answer = await intake.received()
    token = token_of(answer)
    before = await page(intake, token)

    response = await intake.client.post(f"/track/{token}/supervision")

    assert response.status_code == 303
    assert response.headers["Location"] == f"/track/{token}?asked=1#supervision"
    shown = await page(intake, token)
    button = f'action="/track/{token}/supervision"'
    assert button in before.text
    assert button not in shown.text
    assert "lies with our supervisors" in shown.text
    assert "您的投诉已转交主管部门" in (await page(intake, token, "zh-CN")).text
    _received, amended = await intake.events(answer["id"], count=2)
    assert '"kind":"supervision","by":"customer"' in amended.value.decode()


async def test_asking_for_a_supervisor_again_changes_nothing(intake: Running) -> None:
    answer = await intake.received()
    path = f"/v1/track/{token_of(answer)}"

    first = await intake.client.post(f"{path}/supervision")
    intake.clock.advance(timedelta(hours=1))
    again = await asyncio.gather(*(intake.client.post(f"{path}/supervision") for _ in range(5)))
    await intake.client.post(f"{path.removeprefix('/v1')}/supervision")

    assert first.status_code == 201
    assert {one.status_code for one in again} == {200}
    assert first.json() == again[0].json() == {"asked_at": "2026-11-23T12:00:00Z"}
    track = await intake.get(path)
    assert track["supervision_asked_at"] == "2026-11-23T12:00:00Z"
    assert [one["kind"] for one in track["timeline"]] == ["customer_supervision", "received"]
    assert track["additions"] == []
    found = await intake.get(f"/v1/complaints/{answer['id']}")
    assert [one["kind"] for one in found["additions"]] == ["supervision"]


async def test_two_who_ask_for_a_supervisor_at_once_ask_once(intake: Running) -> None:
    path = f"/v1/track/{token_of(await intake.received())}"

    answers = await asyncio.gather(*(intake.client.post(f"{path}/supervision") for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]


async def test_nobody_asks_for_a_supervisor_by_a_wrong_link(intake: Running) -> None:
    response = await intake.client.post("/v1/track/nobody/supervision")

    assert response.status_code == 404
    assert response.json()["type"] == "/problems/unknown-tracking-link"
