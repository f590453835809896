"""Posts to a team's chats: DingTalk, WeCom and Feishu by their documented bots, others by Apprise.

Apprise serves more than a hundred services, Slack and Teams among them. The three Chinese bots say
`200 OK` also where they refuse (a wrong signature, a missing keyword, too many a minute) and say so
in the body only, which Apprise 2.3 does not read for DingTalk and WeCom; it encodes DingTalk's
signature twice and does not sign for Feishu. An alert that was refused must not count as sent.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Thread
from typing import Protocol
from urllib.parse import urlencode

import orjson

from services.notification_service.gateways.domain.judging import judge_unreadable
from services.notification_service.gateways.domain.port import (
    NotAccepted,
    Outgoing,
    Refused,
    Uncertain,
)
from services.notification_service.gateways.domain.rooms import Address
from services.notification_service.gateways.wire import Answer, Wire
from shared.kernel.clock import Clock

_CONNECT_SECONDS, _READ_SECONDS = 5.0, 15.0
LONGEST_SECONDS = 30.0
_THREADS_PER_ROOM = 4


class Plugin(Protocol):
    """What is used of a plugin of Apprise, which ships no types."""

    socket_connect_timeout: float
    socket_read_timeout: float
    request_rate_per_sec: float

    def notify(self, *, body: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Post:
    """What is posted where."""

    url: str
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Bot:
    """One vendor's bot: how a text is posted, and in which field of the answer 0 means taken."""

    post: Callable[[Address, str, datetime], Post]
    codes: tuple[str, ...]


class Chat:
    """Posts to rooms, whose name is a message's address.

    Repeatable: no room deduplicates, but a team would rather read an alert twice than never.
    """

    repeatable = True

    def __init__(self, urls: Mapping[str, str], *, clock: Clock) -> None:
        self._urls = urls
        self._clock = clock
        self._wire = Wire("chat")
        self._threads = _Threads()

    async def send(self, message: Outgoing) -> str | None:
        """Post one message; raises a GatewayError naming the room and never its address."""
        url = self._urls.get(message.address)
        if url is None:
            raise Refused(f"there is no chat room {message.address} any more")
        address = Address.read(url)
        bot = BOTS.get(address.scheme)
        if bot is None:
            await self._threads.run(message.address, partial(_by_apprise, url, message))
        else:
            await self._by_bot(bot, address, message)
        return None

    async def close(self) -> None:
        """Let go of connections."""
        await self._wire.close()

    async def _by_bot(self, bot: Bot, address: Address, message: Outgoing) -> None:
        post = bot.post(address, message.text, self._clock.now())
        answer = await self._wire.post(
            post.url, body=orjson.dumps(post.body), headers={"Content-Type": "application/json"}
        )
        code = _code(answer, bot)
        said = f"chat room {message.address} ({address.scheme}) answered"
        if code is None:
            raise judge_unreadable(answer.status, f"{said} {answer.status} without a code")
        if code != "0":
            # A signature, a keyword, a limit a minute: all can be mended or waited for.
            raise NotAccepted(f"{said} {code}")


class _Threads:
    """Threads for Apprise, which nothing breaks off: a room that never ends keeps only its own few.

    Daemons, so that none of them holds up the end of the process.
    """

    def __init__(self) -> None:
        self._places: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(_THREADS_PER_ROOM)
        )

    async def run(self, room: str, work: Callable[[], None]) -> None:
        """Work in a thread of the room; raises what it raises, or Uncertain where it does not end.

        NotAccepted where it never began, because all of the room's threads are still busy. Waiting
        for one takes nothing of the time that the work has.
        """
        said = f"chat room {room} did not answer within {LONGEST_SECONDS:g} s"
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await self._places[room].acquire()
        except TimeoutError as failure:
            raise NotAccepted(said) from failure
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        target = partial(_work, work, partial(self._ended, room, done), done.get_loop())
        Thread(target=target, name=f"chat-{room}", daemon=True).start()
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await done
        except TimeoutError as failure:
            raise Uncertain(said) from failure

    def _ended(self, room: str, done: asyncio.Future[None], failure: Exception | None) -> None:
        self._places[room].release()
        if done.done():
            return
        if failure is None:
            done.set_result(None)
        else:
            done.set_exception(failure)


def _work(
    work: Callable[[], None],
    ended: Callable[[Exception | None], None],
    loop: asyncio.AbstractEventLoop,
) -> None:
    failure: Exception | None = None
    try:
        work()
    except Exception as raised:  # noqa: BLE001 - a thread's outermost edge: who waits gets it
        failure = raised
    with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
        loop.call_soon_threadsafe(ended, failure)


def _code(answer: Answer, bot: Bot) -> str | None:
    return answer.text(*bot.codes) if answer.status == 200 else None


def _dingtalk(address: Address, text: str, now: datetime) -> Post:
    """https://open.dingtalk.com/document/robots/custom-robot-access."""
    query = {"access_token": address.token}
    if address.secret is not None:
        timestamp = str(int(now.timestamp() * 1000))
        signed = f"{timestamp}\n{address.secret}".encode()
        query |= {"timestamp": timestamp, "sign": _sign(address.secret.encode(), signed)}
    endpoint = address.endpoint or "https://oapi.dingtalk.com"
    body = {"msgtype": "text", "text": {"content": text}}
    return Post(f"{endpoint}/robot/send?{urlencode(query)}", body)


def _wecom(address: Address, text: str, _now: datetime) -> Post:
    """https://developer.work.weixin.qq.com/document/path/91770."""
    endpoint = address.endpoint or "https://qyapi.weixin.qq.com"
    url = f"{endpoint}/cgi-bin/webhook/send?{urlencode({'key': address.token})}"
    return Post(url, {"msgtype": "text", "text": {"content": text}})


def _feishu(address: Address, text: str, now: datetime) -> Post:
    """https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot."""
    body: dict[str, object] = {"msg_type": "text", "content": {"text": text}}
    if address.secret is not None:
        timestamp = str(int(now.timestamp()))
        # Feishu has what is signed as the key, and signs nothing with it.
        body |= {
            "timestamp": timestamp,
            "sign": _sign(f"{timestamp}\n{address.secret}".encode(), b""),
        }
    endpoint = address.endpoint or "https://open.feishu.cn"
    return Post(f"{endpoint}/open-apis/bot/v2/hook/{address.token}", body)


def _sign(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


BOTS: Mapping[str, Bot] = {
    "dingtalk": Bot(_dingtalk, ("errcode",)),
    "wecombot": Bot(_wecom, ("errcode",)),
    "feishu": Bot(_feishu, ("code", "StatusCode")),
}


def knows(url: str) -> bool:
    """Tell whether a room's address can be posted to: ours, or any that Apprise reads."""
    return Address.read(url).scheme in BOTS or _plugin(url) is not None


def _by_apprise(url: str, message: Outgoing) -> None:
    plugin = _plugin(url)
    if plugin is None:
        raise Refused(f"the address of chat room {message.address} cannot be read")
    plugin.socket_connect_timeout = _CONNECT_SECONDS
    plugin.socket_read_timeout = _READ_SECONDS
    # It would sleep between two messages, 5.5 seconds by default; the room's rate is ours to keep.
    plugin.request_rate_per_sec = 0
    if not plugin.notify(body=message.text):
        raise NotAccepted(f"chat room {message.address} did not take it")


def _plugin(url: str) -> Plugin | None:
    # Loaded here: it takes half a second, and most installations have no room.
    import apprise

    # What it logs has tokens in it.
    logging.getLogger("apprise").disabled = True
    found: Plugin | None = apprise.Apprise.instantiate(url)
    return found
