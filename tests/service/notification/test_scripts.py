"""`/v1/reply-scripts` and `/v1/letters/preview` over HTTP, intake being told what to answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from pydantic import JsonValue

from services.notification_service.recipients.service import Directory
from services.notification_service.scripts.endpoints import router
from services.notification_service.scripts.service import Secretary
from shared.http.access import Role
from tests.service.notification.conftest import Neighbours
from tests.service.shared_http.ground import TestGround, client_of

COMPLAINT = "01930b1c-7a10-7c33-9d0c-6f1b5a2e7c01"
BY = "2026-11-24T16:00:00+08:00"


@pytest.fixture
def neighbours() -> Neighbours:
    """Intake with one complaint."""
    contact: dict[str, JsonValue] = {
        "complaint_id": COMPLAINT,
        "number": "7K3F-9Q2M-X",
        "name": "王芳",
        "locale": "zh-CN",
        "category": "logistics.short",
        "description": "少了两件",
    }
    return Neighbours(contacts={COMPLAINT: contact})


@pytest.fixture
def ground(tmp_path: Path) -> TestGround:
    """A platform without any key."""
    return TestGround(tmp_path)


@pytest.fixture
async def http(ground: TestGround, neighbours: Neighbours) -> AsyncIterator[httpx.AsyncClient]:
    """Who asks."""
    client = neighbours.client()
    directory = Directory(intake=client, workflow=client, clock=ground.clock)
    zone = ZoneInfo("Asia/Shanghai")
    secretary = Secretary(directory, zone=zone, company="Redress", default_locale="zh-CN")
    async with client_of(ground.app(router(secretary))) as asking:
        yield asking
    await directory.close()


async def test_a_script_is_given_by_category_and_motive(http: httpx.AsyncClient) -> None:
    asked = {"category": "logistics.short", "motive": "respect", "locale": "en"}

    answer = await http.get("/v1/reply-scripts", params=asked)

    body = answer.json()
    assert (body["topic"], body["motive"], body["locale"]) == ("logistics", "respect", "en")
    assert list(body["parts"]) == [
        "opening",
        "empathy",
        "apology",
        "first_step",
        "next_step",
        "closing",
    ]
    assert "{by}" in body["parts"]["next_step"]


async def test_a_script_without_a_motive_is_plain_and_in_the_readers_language(
    http: httpx.AsyncClient,
) -> None:
    asked = {"category": "no.such"}

    reader = await http.get("/v1/reply-scripts", params=asked, headers={"accept-language": "en"})
    nobody = await http.get("/v1/reply-scripts", params=asked)

    assert (reader.json()["topic"], reader.json()["motive"]) == ("other", None)
    assert (reader.json()["locale"], nobody.json()["locale"]) == ("en", "zh-CN")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("", "/query/category"),
        ("category=product&motive=greed", "/query/motive"),
        ("category=product&locale=fr", "/query/locale"),
        ("category=product&motiv=vent", "/query/motiv"),
    ],
)
async def test_a_script_that_cannot_be_is_refused(
    http: httpx.AsyncClient, query: str, pointer: str
) -> None:
    answer = await http.get(f"/v1/reply-scripts?{query}")

    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_a_letter_is_filled_with_the_facts_of_the_case(http: httpx.AsyncClient) -> None:
    body = {
        "kind": "apology",
        "complaint_id": COMPLAINT,
        "motive": "respect",
        "thing": "您周三的订单少了两件。",
        "by": BY,
        "cause": "仓库装箱时漏放",
        "remedy": "两件今天已经寄出",
        "signer": "李娜",
    }

    answer = await http.post("/v1/letters/preview", json=body)

    letter = answer.json()
    assert answer.status_code == 200
    assert letter["tone"]["ok"] is True
    assert letter["missing"] == []
    assert "7K3F-9Q2M-X" in letter["subject"]
    for words in ("王芳", "您周三的订单少了两件，", "11月24日", "16:00", "漏放", "李娜"):
        assert words in letter["text"]


async def test_a_letter_that_names_no_time_says_what_is_missing(http: httpx.AsyncClient) -> None:
    body = {"kind": "reply", "complaint_id": COMPLAINT, "locale": "en"}

    letter = (await http.post("/v1/letters/preview", json=body)).json()

    assert letter["locale"] == "en"
    assert letter["missing"] == ["by"]
    assert letter["tone"]["ok"] is False
    assert letter["tone"]["duties"]["time"] is False


async def test_what_the_writer_adds_is_checked_too(http: httpx.AsyncClient) -> None:
    body = {
        "kind": "apology",
        "complaint_id": COMPLAINT,
        "by": BY,
        "signer": "李娜",
        "cause": "这是物流公司的问题",
    }

    letter = (await http.post("/v1/letters/preview", json=body)).json()

    assert [found["rule"] for found in letter["tone"]["findings"]] == ["blame-elsewhere"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"kind": "threat"}, "/kind"),
        ({"complaint_id": "7"}, "/complaint_id"),
        ({"by": "2026-11-24T16:00:00"}, "/by"),
        ({"thing": " "}, "/thing"),
        ({"cause": "x" * 501}, "/cause"),
        ({"motive": "greed"}, "/motive"),
        ({"amount": "12.50"}, "/amount"),
    ],
)
async def test_bad_input_is_a_problem_that_names_the_field(
    http: httpx.AsyncClient, changes: dict[str, JsonValue], pointer: str
) -> None:
    body: dict[str, JsonValue] = {"kind": "apology", "complaint_id": COMPLAINT}

    answer = await http.post("/v1/letters/preview", json=body | changes)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_letter_about_nobody_is_not_found(http: httpx.AsyncClient) -> None:
    body = {"kind": "thanks", "complaint_id": COMPLAINT[:-1] + "2"}

    assert (await http.post("/v1/letters/preview", json=body)).status_code == 404


async def test_while_intake_is_away_a_letter_cannot_be_written(
    http: httpx.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.down = True

    answer = await http.post(
        "/v1/letters/preview", json={"kind": "thanks", "complaint_id": COMPLAINT}
    )

    assert answer.status_code == 503
    assert answer.headers["retry-after"]


async def test_a_letter_shows_a_name_and_is_not_for_everybody(
    ground: TestGround, http: httpx.AsyncClient
) -> None:
    agent = ground.keys.create(role=Role.AGENT, name="agent")
    department = ground.keys.create(role=Role.DEPARTMENT, name="warehouse")
    body = {"kind": "thanks", "complaint_id": COMPLAINT}

    statuses = [
        (
            await http.post(
                "/v1/letters/preview", json=body, headers={"authorization": f"Bearer {key}"}
            )
        ).status_code
        for key in (agent, department)
    ]

    assert statuses == [200, 403]
