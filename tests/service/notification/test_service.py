"""The whole service over its log and its HTTP paths, with its neighbours on loopback."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared.http.access import Role
from tests.service.notification.running import Running, eventually, neighbours, running

# Fixtures of a module, not of the folder: most tests drive the parts by hand.
__all__ = ["neighbours", "running"]


async def test_an_opened_case_is_acknowledged_and_said_to_be(running: Running) -> None:
    complaint_id = await running.acknowledge(phone="+8613800138000")

    async def is_said() -> bool:
        return ("NotificationSent", complaint_id) in await running.said()

    await eventually(is_said)
    (file,) = (running.platform.home / "outbox").glob("[!.]*")
    assert "订单少了两件" in file.read_text(encoding="utf-8")


async def test_the_list_tells_what_became_of_each_message(running: Running) -> None:
    complaint_id = await running.acknowledge(phone="+8613800138000")

    answer = await running.http.get("/v1/notifications", params={"channel": "sms"})

    (item,) = answer.json()["items"]
    assert item["created_at"].endswith("Z")
    assert item["sent_at"] is not None
    assert {name: item[name] for name in item if name not in {"id", "created_at", "sent_at"}} == {
        "complaint_id": complaint_id,
        "about": {"kind": "complaint", "id": complaint_id},
        "kind": "acknowledgement",
        "occurrence": 1,
        "channel": "sms",
        "audience": "customer",
        "state": "sent",
        "attempts": 1,
        "reason": None,
        "next_attempt_at": None,
        "digest_id": None,
    }
    assert answer.json()["next_cursor"] is None


async def test_the_list_comes_in_pages_without_repeats(running: Running) -> None:
    for _ in range(3):
        await running.acknowledge(phone="+8613800138000")

    first = await running.http.get("/v1/notifications", params={"limit": 2})
    second = await running.http.get(
        "/v1/notifications", params={"limit": 2, "cursor": first.json()["next_cursor"]}
    )

    ids = [item["id"] for page in (first, second) for item in page.json()["items"]]
    assert len(ids) == len(set(ids)) == 3
    assert ids == sorted(ids, reverse=True)
    assert 'rel="next"' in first.headers["link"]


async def test_a_misspelt_filter_is_refused_with_a_suggestion(running: Running) -> None:
    response = await running.http.get("/v1/notifications?chanel=sms")

    assert response.status_code == 422
    assert 'did you mean "channel"?' in response.json()["errors"][0]["detail"]


async def test_an_unknown_state_is_refused_with_the_field(running: Running) -> None:
    answer = await running.http.get("/v1/notifications", params={"state": "lost"})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh-CN", ("发件箱", "确认收到", "已发送", " 段 · UCS-2")), ("en", ("Outbox", "segments"))],
)
async def test_the_outbox_shows_an_sms_as_the_customer_sees_it(
    running: Running, language: str, words: Sequence[str]
) -> None:
    await running.acknowledge(phone="+8613800138000")

    page = (await running.http.get("/outbox", params={"lang": language})).text

    assert "订单少了两件" in page
    assert "138****8000" in page
    assert "13800138000" not in page
    assert not [word for word in words if word not in page]


async def test_the_outbox_shows_the_html_of_a_mail_in_a_frame_that_may_do_nothing(
    running: Running,
) -> None:
    complaint_id = await running.acknowledge(email="wang@example.com")

    page = await running.http.get("/outbox", params={"complaint": complaint_id})
    path = page.text.split('<iframe src="')[1].split('"')[0]
    mail = await running.http.get(path)

    assert "订单少了两件" in mail.text
    assert "default-src 'none'" in mail.headers["content-security-policy"]
    assert "sandbox" in mail.headers["content-security-policy"]


async def test_the_outbox_is_found_by_number_however_it_is_typed(running: Running) -> None:
    complaint_id = await running.acknowledge(phone="+8613800138000")
    number = str(running.neighbours.contacts[complaint_id]["number"])

    typed = number.replace("-", "").lower()
    found = await running.http.get("/outbox", params={"complaint": typed, "lang": "en"})
    nothing = await running.http.get("/outbox", params={"complaint": "nonsense", "lang": "en"})

    assert number in found.text
    assert "No message about this complaint" in nothing.text


@pytest.mark.parametrize("path", ["/outbox", "/v1/notifications"])
async def test_messages_are_not_for_strangers(running: Running, path: str) -> None:
    running.platform.keys.create(role=Role.ADMIN, name="first")
    reader = running.platform.keys.create(role=Role.AGENT, name="reader")
    headers = {"authorization": f"Bearer {reader}"}

    assert (await running.http.get(path)).status_code == 401
    assert (await running.http.get(path, headers=headers)).status_code == 200


async def test_a_message_that_does_not_exist_is_not_found(running: Running) -> None:
    assert (await running.http.get("/outbox", params={"message": "x"})).status_code == 404
    assert (await running.http.get("/outbox/x/html")).status_code == 404
