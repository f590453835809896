"""SMS through an HTTP server on loopback that behaves badly on command."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac

import orjson
import pytest

from services.notification_service.gateways.domain.port import (
    GatewayError,
    NotAccepted,
    Refused,
    Uncertain,
)
from services.notification_service.gateways.domain.standard_webhook import (
    read_secret,
    signature_of,
)
from services.notification_service.gateways.http_sms import HttpSms
from shared.kernel.clock import ManualClock
from tests.service.notification.gateways.badly_behaved import MESSAGE, NOW, HttpServer, sent

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def outcome(
    server: HttpServer, *, deduplicates: bool = False, secret: bytes | None = None
) -> str | GatewayError | None:
    gateway = HttpSms(
        f"{server.url}/sms",
        clock=ManualClock(NOW),
        token="secret",
        deduplicates=deduplicates,
        secret=secret,
    )
    return await sent(gateway)


async def test_the_gateway_gets_text_number_reference_and_token(server: HttpServer) -> None:
    assert await outcome(server) == "ref-1"

    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/sms")
    assert request.headers["authorization"] == "Bearer secret"
    assert request.headers["idempotency-key"] == "ref-1"
    assert "webhook-signature" not in request.headers
    assert orjson.loads(request.body) == {
        "reference": "ref-1",
        "to": "+8613800138000",
        "text": "您的投诉我们收到了。",
    }


async def test_with_a_secret_the_request_is_signed_as_standard_webhooks_says(
    server: HttpServer,
) -> None:
    assert await outcome(server, secret=read_secret(SECRET)) == "ref-1"

    (request,) = server.requests
    timestamp = request.headers["webhook-timestamp"]
    signed = f"ref-1.{timestamp}.".encode() + request.body
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-id"] == "ref-1"
    assert timestamp == str(int(NOW.timestamp()))
    assert request.headers["webhook-signature"] == f"v1,{expected}"


def test_the_signature_is_that_of_the_specifications_example() -> None:
    body = b'{"test": 2432232314}'

    found = signature_of(read_secret(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)

    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_the_gateways_own_name_for_the_message_is_kept(server: HttpServer) -> None:
    server.says(202, {"id": "sms-77"})

    assert await outcome(server) == "sms-77"


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
    server: HttpServer, status: int, expected: type[GatewayError]
) -> None:
    server.status = status

    assert isinstance(await outcome(server), expected)


@pytest.mark.parametrize(("deduplicates", "accepted"), [(True, True), (False, False)])
async def test_a_duplicate_counts_as_taken_only_where_the_gateway_deduplicates(
    server: HttpServer, *, deduplicates: bool, accepted: bool
) -> None:
    server.status = 409

    found = await outcome(server, deduplicates=deduplicates)

    assert (found == "ref-1") == accepted


@pytest.mark.usefixtures("impatient")
async def test_no_answer_after_the_request_is_uncertain(server: HttpServer) -> None:
    server.hangs = True

    assert isinstance(await outcome(server), Uncertain)


@pytest.mark.usefixtures("impatient")
async def test_an_answer_that_never_comes_to_its_status_is_uncertain(server: HttpServer) -> None:
    server.drips = "head"

    async with asyncio.timeout(5):
        found = await outcome(server)

    assert isinstance(found, Uncertain)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("status", "expected"), [(200, "ref-1"), (422, Refused), (503, NotAccepted)]
)
async def test_of_an_answer_that_never_ends_the_status_counts(
    server: HttpServer, status: int, expected: object
) -> None:
    server.status, server.drips = status, "body"

    async with asyncio.timeout(5):
        found = await outcome(server)

    assert found == expected or type(found) is expected


async def test_of_an_answer_that_is_too_long_the_status_counts(server: HttpServer) -> None:
    server.answer = b'{"id": "' + b"x" * 1_000_000 + b'"}'

    assert await outcome(server) == "ref-1"


async def test_a_connection_that_breaks_is_uncertain(server: HttpServer) -> None:
    server.drops = True

    assert isinstance(await outcome(server), Uncertain)


async def test_a_gateway_that_is_away_certainly_took_nothing() -> None:
    assert isinstance(await outcome(HttpServer(url="http://127.0.0.1:1")), NotAccepted)


async def test_as_many_connections_are_kept_as_were_needed_at_once(server: HttpServer) -> None:
    server.keeps = True
    gateway = HttpSms(server.url, clock=ManualClock(NOW))

    for _ in range(2):
        await asyncio.gather(*(gateway.send(MESSAGE) for _ in range(30)))
    await gateway.close()

    assert len(server.requests) == 60
    assert server.connections == 30
