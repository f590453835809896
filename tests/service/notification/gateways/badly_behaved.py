"""An HTTP server on loopback that behaves badly on command, and keeps what it was sent raw."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

import orjson

from services.notification_service.gateways.domain.port import Gateway, GatewayError, Outgoing
from shared.events.words import MessageChannel

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Request:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, strict_parsing=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), strict_parsing=True))


@dataclass
class HttpServer:
    """Answers `status` and `answer`; `hangs` takes the request and says nothing, `drops` hangs up.

    `keeps` leaves the connection open for more requests. `drips` sends its answer a byte at a time
    and never to its end: from the status line on, or from the body on.
    """

    status: int = 200
    answer: bytes = b""
    hangs: bool = False
    drops: bool = False
    keeps: bool = False
    drips: Literal["head", "body"] | None = None
    takes: float = 0
    """Seconds until it answers."""
    connections: int = 0
    requests: list[Request] = field(default_factory=list)
    url: str = ""

    def says(self, status: int, answer: object = None) -> None:
        """Answer this JSON from now on."""
        self.status = status
        self.answer = b"" if answer is None else orjson.dumps(answer)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._answer(reader, writer)
            while self.keeps:
                await self._answer(reader, writer)
        except asyncio.IncompleteReadError:
            pass  # the client went away between two requests
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = lines[0].split(" ")
        pairs = (line.split(":", 1) for line in lines[1:] if line)
        headers = {name.lower(): value.strip() for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Request(method, target, headers, body))
        await asyncio.sleep(self.takes)
        if self.hangs:
            await reader.read()
        elif self.drips is not None:
            await self._drip(writer)
        elif not self.drops:
            head = f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(self.answer)}\r\n\r\n"
            writer.write(head.encode() + self.answer)
            await writer.drain()

    async def _drip(self, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {self.status} X\r\nContent-Length: 1000000\r\n\r\n".encode()
        begun = b"HTTP/1.1 200 X\r\nX-Slow: " if self.drips == "head" else head
        writer.write(begun)
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.01)


@asynccontextmanager
async def http_server() -> AsyncIterator[HttpServer]:
    """Run a server; its address is `url`."""
    found = HttpServer()
    listening = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield found
    listening.close()
    await listening.wait_closed()


MESSAGE = Outgoing(
    reference="ref-1",
    channel=MessageChannel.SMS,
    address="+8613800138000",
    text="您的投诉我们收到了。",
    number="7K3F-9Q2M-X",
    kind="acknowledgement",
    occurrence=1,
    created_at=NOW,
    locale="zh-CN",
    values={"number": "7K3F-9Q2M-X", "due_at": "11月24日（周二）16:00", "tracking_token": "a b~/é"},
)


async def sent(gateway: Gateway, message: Outgoing = MESSAGE) -> str | GatewayError | None:
    """Return the gateway's name for the message, or why it did not take it."""
    try:
        return await gateway.send(message)
    except GatewayError as failure:
        return failure
    finally:
        await gateway.close()
