"""Posts to a team's chats: in each vendor's form, signed as documented, never falsely sent."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from dataclasses import replace
from pathlib import Path

import apprise.plugins.slack
import orjson
import pytest

from services.notification_service.gateways import chat as chat_module
from services.notification_service.gateways.chat import Chat
from services.notification_service.gateways.domain.port import (
    GatewayError,
    NotAccepted,
    Refused,
    Uncertain,
)
from services.notification_service.gateways.service import Surroundings, open_gateways
from services.notification_service.messages.domain.words import Kind
from services.notification_service.settings import NotificationSettings
from shared.events.words import MessageChannel
from shared.kernel.clock import ManualClock
from shared.kernel.errors import ConfigurationError
from shared.kernel.settings import load
from tests.service.notification.gateways.badly_behaved import (
    MESSAGE,
    NOW,
    HttpServer,
    http_server,
    sent,
)

POST = replace(MESSAGE, channel=MessageChannel.CHAT, address="duty", text="请查看：投诉已超时")
SECRET, TOKEN = "SECa1b2c3", "T0kenWithCapitals"


async def posted(server: HttpServer, url: str) -> str | GatewayError | None:
    room = url.replace("ENDPOINT", f"endpoint={server.url}")
    return await sent(Chat({"duty": room}, clock=ManualClock(NOW)), POST)


async def test_dingtalk_gets_a_text_signed_by_its_secret(server: HttpServer) -> None:
    server.says(200, {"errcode": 0, "errmsg": "ok"})

    assert await posted(server, f"dingtalk://{SECRET}@{TOKEN}/?ENDPOINT") is None

    (request,) = server.requests
    timestamp = str(int(NOW.timestamp() * 1000))
    signed = hmac.new(SECRET.encode(), f"{timestamp}\n{SECRET}".encode(), hashlib.sha256)
    assert request.path == "/robot/send"
    assert request.query == {
        "access_token": TOKEN,
        "timestamp": timestamp,
        "sign": base64.b64encode(signed.digest()).decode(),
    }
    assert orjson.loads(request.body) == {"msgtype": "text", "text": {"content": POST.text}}


async def test_wecom_gets_a_text_by_its_key(server: HttpServer) -> None:
    server.says(200, {"errcode": 0, "errmsg": "ok"})

    assert await posted(server, "wecombot://693a91f6-7Xaoc4?ENDPOINT") is None

    (request,) = server.requests
    assert (request.path, request.query) == ("/cgi-bin/webhook/send", {"key": "693a91f6-7Xaoc4"})
    assert orjson.loads(request.body) == {"msgtype": "text", "text": {"content": POST.text}}


async def test_feishu_gets_a_text_signed_in_its_body(server: HttpServer) -> None:
    server.says(200, {"code": 0, "msg": "success", "data": {}})

    assert await posted(server, f"feishu://{SECRET}@{TOKEN}?ENDPOINT") is None

    (request,) = server.requests
    timestamp = str(int(NOW.timestamp()))
    signed = hmac.new(f"{timestamp}\n{SECRET}".encode(), b"", hashlib.sha256).digest()
    assert request.path == f"/open-apis/bot/v2/hook/{TOKEN}"
    assert orjson.loads(request.body) == {
        "msg_type": "text",
        "content": {"text": POST.text},
        "timestamp": timestamp,
        "sign": base64.b64encode(signed).decode(),
    }


SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#duty"


@pytest.fixture
def slack(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> HttpServer:
    """Slack's incoming webhooks, which Apprise posts to."""
    monkeypatch.setattr(apprise.plugins.slack.NotifySlack, "webhook_url", f"{server.url}/services")
    return server


async def test_slack_gets_its_form_by_apprise(slack: HttpServer) -> None:
    slack.status, slack.answer = 200, b"ok"

    assert await posted(slack, SLACK) is None

    (request,) = slack.requests
    assert request.path == "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    body = orjson.loads(request.body)
    assert body["channel"] == "#duty"
    assert POST.text in str(body)


async def test_slack_that_refuses_took_nothing(slack: HttpServer) -> None:
    slack.status, slack.answer = 403, b"invalid_token"

    failure = await posted(slack, SLACK)

    assert type(failure) is NotAccepted
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in str(failure)


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("dingtalk://S@T?ENDPOINT", {"errcode": 310000, "errmsg": "sign not match"}),
        ("dingtalk://S@T?ENDPOINT", {"errcode": 130101, "errmsg": "send too fast"}),
        ("wecombot://K?ENDPOINT", {"errcode": 93000, "errmsg": "invalid webhook url"}),
        ("feishu://S@T?ENDPOINT", {"code": 19021, "msg": "sign match fail"}),
    ],
)
async def test_a_refusal_that_says_200_is_not_taken_for_acceptance(
    server: HttpServer, url: str, answer: dict[str, object]
) -> None:
    server.says(200, answer)

    failure = await posted(server, url)

    assert type(failure) is NotAccepted
    assert str(failure).endswith(str(next(iter(answer.values()))))


BOTS = pytest.mark.parametrize(
    "url", ["dingtalk://S@T?ENDPOINT", "wecombot://K?ENDPOINT", "feishu://T?ENDPOINT"]
)


@BOTS
@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (200, b"<html>", Uncertain),
        (500, b"", Uncertain),
        (503, b"", NotAccepted),
        (404, b'{"code": 0, "errcode": 0}', NotAccepted),
    ],
)
async def test_an_unreadable_answer_is_no_acceptance(
    server: HttpServer, url: str, status: int, answer: bytes, expected: type[GatewayError]
) -> None:
    server.status, server.answer = status, answer

    assert type(await posted(server, url)) is expected


@BOTS
@pytest.mark.usefixtures("impatient")
async def test_a_room_that_hangs_is_let_go(server: HttpServer, url: str) -> None:
    server.hangs = True

    assert type(await posted(server, url)) is Uncertain


@BOTS
@pytest.mark.usefixtures("impatient")
async def test_a_room_that_drips_is_let_go(server: HttpServer, url: str) -> None:
    server.drips = "body"

    async with asyncio.timeout(5):
        assert type(await posted(server, url)) is Uncertain


@pytest.mark.usefixtures("impatient")
async def test_a_room_that_drips_holds_up_no_other_one(slack: HttpServer) -> None:
    slack.drips = "body"
    async with http_server() as well:
        well.says(200, "ok")
        rooms = {"duty": SLACK, "other": f"json://{well.url.removeprefix('http://')}"}
        chat = Chat(rooms, clock=ManualClock(NOW))

        found = await asyncio.gather(*(chat.send(POST) for _ in range(6)), return_exceptions=True)
        await chat.send(replace(POST, address="other"))
        await chat.close()

    kinds = [type(one) for one in found]
    assert sorted(kinds, key=str) == [NotAccepted] * 2 + [Uncertain] * 4


async def test_a_post_that_waited_for_its_turn_has_as_long_as_any(
    slack: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off at a time counted from the queue, it would be in the room and count as unknown."""
    monkeypatch.setattr(chat_module, "LONGEST_SECONDS", 1.0)
    slack.answer, slack.takes = b"ok", 0.6
    chat = Chat({"duty": SLACK}, clock=ManualClock(NOW))

    found = await asyncio.gather(*(chat.send(POST) for _ in range(6)), return_exceptions=True)

    assert found == [None] * 6


async def test_a_room_that_is_gone_is_named() -> None:
    failure = await sent(Chat({}, clock=ManualClock(NOW)), POST)

    assert isinstance(failure, Refused)
    assert "duty" in failure.reason


ROOMS = """
rooms:
  duty: {url: dingtalk://SECxyz@abc, kinds: [staff_emergency, operator_alert], locale: en}
  quality: {url: "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#q"}
"""


def test_rooms_are_read_from_a_file_and_a_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "rooms.yaml"
    file.write_text(ROOMS, encoding="utf-8")
    monkeypatch.setenv("REDRESS_CHAT_FILE", str(file))
    monkeypatch.setenv("REDRESS_CHAT_URL", "feishu://T")

    settings = load(NotificationSettings)
    found = open_gateways(settings, tmp_path, Surroundings(kinds=frozenset(Kind)))

    usual = ["operator_alert", "staff_breach", "staff_emergency", "staff_escalation"]
    usual += ["staff_hotspot", "staff_incident"]
    assert {name: sorted(room.kinds) for name, room in found.rooms.items()} == {
        "duty": ["operator_alert", "staff_emergency"],
        "quality": usual,
        "team": usual,
    }
    shown = f"{settings!r} {found.rooms!r}"
    assert "SECxyz" not in shown
    assert "feishu://T" not in shown


@pytest.mark.parametrize(
    ("rooms", "said"),
    [
        (ROOMS.replace("staff_emergency", "acknowledgement"), "'acknowledgement'"),
        (ROOMS.replace("staff_emergency", "staff_party"), "'staff_party'"),
        (ROOMS.replace("dingtalk://SECxyz@abc", "dinghy://SECxyz@abc"), "room duty"),
        (ROOMS.replace("dingtalk://SECxyz@abc", "SECxyz"), "room duty"),
        (ROOMS.replace("duty:", "Duty Room:"), "small letters"),
        (ROOMS.replace("locale: en", "locale: fr"), "line 3"),
    ],
)
def test_a_wrong_room_stops_the_start_and_its_secret_stays_untold(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rooms: str, said: str
) -> None:
    file = tmp_path / "rooms.yaml"
    file.write_text(rooms, encoding="utf-8")
    monkeypatch.setenv("REDRESS_CHAT_FILE", str(file))

    with pytest.raises(ConfigurationError) as caught:
        open_gateways(load(NotificationSettings), tmp_path, Surroundings(kinds=frozenset(Kind)))

    assert "REDRESS_CHAT_FILE" in caught.value.detail
    assert said in caught.value.detail
    assert "SECxyz" not in caught.value.detail
