"""The page on which a text is checked before it is sent, with the real rules of notification."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from services.notification_service.tone import endpoints as tone
from services.workflow_service.console.endpoints import cases, drafts
from services.workflow_service.console.schemas import ToneFinding, ToneVerdict
from services.workflow_service.console.service import ToneChecker
from shared.http.access import Role
from shared.http.client import ServiceClient
from shared.web.pages import Pages
from tests.service.shared_http.ground import BASE_URL, TestGround, client_of
from tests.service.workflow.conftest import Workflow

BAD = "如果是我们的问题，<b>我们</b>很抱歉。\r\n会有人联系您。"
GOOD = "您周三的订单少了两件，我们向您道歉。我们今天补发，周五前送到。"
HTML = {"Accept": "text/html"}


@dataclass
class Desk:
    """The page of one case, and who sits before it."""

    ground: TestGround
    http: httpx.AsyncClient
    path: str

    async def press(self, text: str, purpose: str = "reply", lang: str = "zh-CN") -> httpx.Response:
        """Type a text and press the button, as a browser without scripts does."""
        shown = await self.http.get(self.path, params={"lang": lang}, headers=HTML)
        (token,) = re.findall(r'name="form_token" value="([^"]*)"', shown.text)
        typed = {"form_token": token, "text": text, "purpose": purpose}
        return await self.http.post(f"{self.path}?lang={lang}", data=typed, headers=HTML)


@pytest.fixture
async def desk(workflow: Workflow, tmp_path: Path) -> AsyncIterator[Desk]:
    """Workflow's page with notification behind it."""
    async with sitting(workflow, TestGround(tmp_path / "ground")) as found:
        yield found


@asynccontextmanager
async def sitting(
    workflow: Workflow, ground: TestGround, *, answering: bool = True
) -> AsyncIterator[Desk]:
    """Open a case and its page."""
    notification = ground.app(*([tone.internal_router()] if answering else []))
    pages = Pages(
        ground.settings,
        templates=[cases.FOLDER / "templates"],
        locales=[cases.FOLDER / "locale"],
    )
    async with ServiceClient(
        BASE_URL,
        lambda: ground.keys.service_credential,
        attempts=1,
        transport=httpx.ASGITransport(notification),
    ) as client:
        router = drafts.router(workflow.desk, pages, ToneChecker(client))
        async with client_of(ground.app(router)) as http:
            yield Desk(ground, http, f"/cases/{await workflow.open()}/draft")


async def test_what_should_not_be_said_is_shown_with_why_and_what_is_better(desk: Desk) -> None:
    shown = await desk.press(BAD)

    assert shown.status_code == 200
    assert "请改好再发" in shown.text
    assert "<mark>如果是我们的问题</mark>" in shown.text
    assert "带“如果”的道歉不是道歉" in shown.text
    assert "建议" in shown.text
    assert "没有写" in shown.text
    assert "<b>我们</b>" not in shown.text
    assert "会有人联系您。</textarea>" in shown.text


async def test_a_good_text_is_told_so_in_the_readers_language(desk: Desk) -> None:
    shown = await desk.press(GOOD, lang="en")

    assert "Nothing is wrong with it" in shown.text
    assert "By when" in shown.text
    assert "missing" not in shown.text


async def test_what_is_due_depends_on_what_it_is(desk: Desk) -> None:
    question = await desk.press("请把外包装的照片发给我们，收到后我们今天就查。", "question")
    unknown = await desk.press("请把外包装的照片发给我们，收到后我们今天就查。", "nonsense")

    assert "没有问题" in question.text
    assert re.search(r'value="question" selected', question.text)
    assert "请改好再发" in unknown.text


@pytest.mark.parametrize(
    ("text", "said"), [("  ", "请填写要发给客户的内容"), ("好" * 20_001, "20000 字以内")]
)
async def test_what_cannot_be_checked_is_named(desk: Desk, text: str, said: str) -> None:
    shown = await desk.press(text)

    assert shown.status_code == 422
    assert said in shown.text
    assert 'href="#text"' in shown.text


async def test_a_form_of_another_page_checks_nothing(desk: Desk) -> None:
    answer = await desk.http.post(desk.path, data={"form_token": "forged", "text": GOOD})

    assert answer.status_code == 403


async def test_who_may_not_read_cases_sees_no_form(desk: Desk) -> None:
    desk.ground.keys.create(role=Role.ADMIN, name="first")
    secret = desk.ground.keys.create(role=Role.ANALYST, name="analyst")

    answer = await desk.http.get(desk.path, headers={"Authorization": f"Bearer {secret}"})

    assert answer.status_code == 403


async def test_while_notification_is_away_what_was_typed_stays(
    workflow: Workflow, tmp_path: Path
) -> None:
    async with sitting(workflow, TestGround(tmp_path / "ground"), answering=False) as desk:
        shown = await desk.press(GOOD)

    assert shown.status_code == 503
    assert "现在无法检查" in shown.text
    assert GOOD in shown.text


async def test_the_case_leads_to_the_page(workflow: Workflow) -> None:
    case_id = await workflow.open()
    number = (await workflow.case(case_id))["number"]

    shown = await workflow.http.get(f"/cases/{case_id}", headers=HTML)
    draft = await workflow.http.get(f"/cases/{number}/draft", headers=HTML)

    assert f'href="/cases/{number}/draft"' in shown.text
    assert draft.status_code == 200


def test_findings_that_overlap_are_marked_once() -> None:
    def found(start: int, end: int) -> ToneFinding:
        return ToneFinding(start=start, end=end, phrase="", why="", suggestion="")

    verdict = ToneVerdict(ok=False, findings=(found(2, 4), found(0, 1), found(3, 5)), duties={})

    assert verdict.marked("abcdef") == [("a", True), ("b", False), ("cd", True), ("ef", False)]
