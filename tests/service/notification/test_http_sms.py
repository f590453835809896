"""SMS through an HTTP server on loopback that behaves badly on command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import orjson
import pytest

from services.notification_service.gateways import http_sms
from services.notification_service.gateways.domain.port import (
    GatewayError,
    NotAccepted,
    Outgoing,
    Refused,
    Uncertain,
)
from services.notification_service.gateways.http_sms import HttpSms
from shared.events.words import MessageChannel


@dataclass
class SmsServer:
    """Answers with `status`; `hangs` reads the request and never answers, `drops` hangs up.

    `keeps` leaves the connection open for more requests.
    """

    status: int = 202
    hangs: bool = False
    drops: bool = False
    keeps: bool = False
    connections: int = 0
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    url: str = ""

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
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1])
            for line in head.splitlines()
            if line.lower().startswith("content-length")
        )
        self.requests.append((head.lower(), await reader.readexactly(length)))
        if self.hangs:
            await reader.read()
        elif not self.drops:
            writer.write(f"HTTP/1.1 {self.status} X\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()


@pytest.fixture
async def server() -> AsyncIterator[SmsServer]:
    found = SmsServer()
    listening = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/sms"
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
    created_at=datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
)


async def outcome(url: str, *, deduplicates: bool = False) -> GatewayError | None:
    gateway = HttpSms(url, token="secret", deduplicates=deduplicates)
    try:
        await gateway.send(MESSAGE)
    except GatewayError as failure:
        return failure
    finally:
        await gateway.close()
    return None


async def test_the_gateway_gets_text_number_reference_and_token(server: SmsServer) -> None:
    assert await outcome(server.url) is None

    ((head, body),) = server.requests
    assert "authorization: bearer secret" in head
    assert "idempotency-key: ref-1" in head
    assert orjson.loads(body) == {
        "reference": "ref-1",
        "to": "+8613800138000",
        "text": "您的投诉我们收到了。",
    }


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Refused),
        (422, Refused),
        (401, NotAccepted),
        (429, NotAccepted),
        (503, NotAccepted),
        (500, Uncertain),
        (504, Uncertain),
        (302, Uncertain),
    ],
)
async def test_the_answer_tells_whether_the_message_may_have_gone(
    server: SmsServer, status: int, expected: type[GatewayError]
) -> None:
    server.status = status

    assert isinstance(await outcome(server.url), expected)


@pytest.mark.parametrize(("deduplicates", "accepted"), [(True, True), (False, False)])
async def test_a_duplicate_counts_as_taken_only_where_the_gateway_deduplicates(
    server: SmsServer, *, deduplicates: bool, accepted: bool
) -> None:
    server.status = 409

    failure = await outcome(server.url, deduplicates=deduplicates)

    assert (failure is None) == accepted


async def test_no_answer_after_the_request_is_uncertain(
    server: SmsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_sms, "_TIMEOUT", httpx.Timeout(0.2))
    server.hangs = True

    assert isinstance(await outcome(server.url), Uncertain)


async def test_a_connection_that_breaks_is_uncertain(server: SmsServer) -> None:
    server.drops = True

    assert isinstance(await outcome(server.url), Uncertain)


async def test_a_gateway_that_is_away_certainly_took_nothing() -> None:
    assert isinstance(await outcome("http://127.0.0.1:1/sms"), NotAccepted)


async def test_as_many_connections_are_kept_as_were_needed_at_once(server: SmsServer) -> None:
    server.keeps = True
    gateway = HttpSms(server.url, token=None, deduplicates=False)

    for _ in range(2):
        await asyncio.gather(*(gateway.send(MESSAGE) for _ in range(30)))
    await gateway.close()

    assert len(server.requests) == 60
    assert server.connections == 30
