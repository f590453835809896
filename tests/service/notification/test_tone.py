"""`/v1/tone-check` over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import JsonValue

from services.notification_service.tone.endpoints import internal_router, router
from services.notification_service.tone.schemas import LONGEST
from shared.http.access import Role
from tests.service.shared_http.ground import TestGround, client_of

PATH = "/v1/tone-check"


@pytest.fixture
def ground(tmp_path: Path) -> TestGround:
    """A platform without any key."""
    return TestGround(tmp_path)


@pytest.fixture
async def http(ground: TestGround) -> AsyncIterator[httpx.AsyncClient]:
    """Who asks."""
    async with client_of(ground.app(router())) as client:
        yield client


async def test_a_bad_reply_is_answered_with_findings_and_duties(http: httpx.AsyncClient) -> None:
    text = "您好😀，如果是我们的问题，我们很抱歉。"

    answer = await http.post(PATH, json={"text": text})

    assert answer.status_code == 200
    body = answer.json()
    (finding,) = body["findings"]
    assert body["ok"] is False
    assert body["duties"] == {"apology": False, "next_step": False, "time": False}
    assert set(finding) == {"start", "end", "phrase", "rule", "why", "suggestion"}
    assert (finding["start"], finding["end"]) == (4, 12)
    assert text[4:12] == finding["phrase"] == "如果是我们的问题"


async def test_a_good_reply_is_ok(http: httpx.AsyncClient) -> None:
    text = "您周三的订单少了两件，我们向您道歉。我们今天补发，周五前送到。"

    answer = await http.post(PATH, json={"text": text, "locale": "zh-CN", "purpose": "reply"})

    assert answer.json() == {
        "ok": True,
        "findings": [],
        "duties": {"apology": True, "next_step": True, "time": True},
    }


async def test_a_duty_that_is_not_due_is_null(http: httpx.AsyncClient) -> None:
    answer = await http.post(PATH, json={"text": "谢谢您。", "purpose": "thank_you_letter"})

    assert answer.json()["ok"] is True
    assert answer.json()["duties"] == {"apology": None, "next_step": None, "time": None}


@pytest.mark.parametrize(
    ("asked", "accepts", "language"),
    [
        (None, None, "zh"),
        (None, "en-GB,en;q=0.9", "en"),
        ("zh-CN", "en", "zh"),
        ("en", "zh-CN", "en"),
        (None, "fr", "zh"),
    ],
)
async def test_the_answer_is_in_the_language_asked_for_else_the_readers_else_the_texts(
    http: httpx.AsyncClient, asked: str | None, accepts: str | None, language: str
) -> None:
    headers = {"accept-language": accepts} if accepts else {}
    body = {"text": "问题会被处理"} | ({"locale": asked} if asked else {})

    answer = await http.post(PATH, json=body, headers=headers)

    (finding,) = answer.json()["findings"]
    assert finding["why"].isascii() is (language == "en")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/text", "missing"),
        ({"text": ""}, "/text", "too_short"),
        ({"text": " \n　"}, "/text", "blank"),
        ({"text": "x" * (LONGEST + 1)}, "/text", "too_long"),
        ({"text": "a\0b"}, "/text", "invalid_text"),
        ({"text": 5}, "/text", "wrong_type"),
        ({"text": None}, "/text", "wrong_type"),
        ({"text": "x", "locale": "fr"}, "/locale", "unknown_value"),
        ({"text": "x", "locale": "zh"}, "/locale", "unknown_value"),
        ({"text": "x", "purpose": "marketing"}, "/purpose", "unknown_value"),
        ({"text": "x", "txt": "y"}, "/txt", "unknown_field"),
    ],
)
async def test_bad_input_is_a_problem_that_names_the_field(
    http: httpx.AsyncClient, body: dict[str, JsonValue], pointer: str, code: str
) -> None:
    answer = await http.post(PATH, json=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(pointer, code)]


async def test_half_a_character_is_refused(http: httpx.AsyncClient) -> None:
    content = rb'{"text": "a\ud800"}'

    answer = await http.post(PATH, content=content, headers={"content-type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "invalid_text"


async def test_the_longest_text_is_checked(http: httpx.AsyncClient) -> None:
    answer = await http.post(PATH, json={"text": "😀" * (LONGEST - 6) + "问题会被处理"})

    (finding,) = answer.json()["findings"]
    assert (finding["start"], finding["end"]) == (LONGEST - 4, LONGEST)


@pytest.mark.parametrize(
    ("role", "status"), [(Role.AGENT, 200), (Role.DEPARTMENT, 200), (Role.ANALYST, 403)]
)
async def test_who_writes_to_customers_may_ask(
    ground: TestGround, http: httpx.AsyncClient, role: Role, status: int
) -> None:
    key = ground.keys.create(role=role, name="somebody")
    headers = {"authorization": f"Bearer {key}"}

    assert (await http.post(PATH, json={"text": "x"}, headers=headers)).status_code == status
    assert (await http.post(PATH, json={"text": "x"})).status_code == 401


async def test_a_misspelt_query_is_refused(http: httpx.AsyncClient) -> None:
    assert (await http.post(f"{PATH}?local=en", json={"text": "x"})).status_code == 422


async def test_the_path_for_pages_is_for_services_only(ground: TestGround) -> None:
    ground.keys.create(role=Role.ADMIN, name="first")
    agent = f"Bearer {ground.keys.create(role=Role.AGENT, name='agent')}"
    service = f"Bearer {ground.keys.service_credential}"
    path, body = "/v1/internal/notification/tone-check", {"text": "您好", "locale": "en"}

    async with client_of(ground.app(internal_router())) as client:
        refused = await client.post(path, json=body, headers={"Authorization": agent})
        answered = await client.post(path, json=body, headers={"Authorization": service})

    assert refused.status_code == 403
    assert answered.json()["duties"] == {"apology": False, "next_step": False, "time": False}
