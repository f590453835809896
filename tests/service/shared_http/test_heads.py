"""Whatever answers GET answers HEAD: monitors and link scanners ask so."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse
from starlette.types import Message

from tests.service.shared_http.ground import TestGround, client_of


def _routes() -> APIRouter:
    routes = APIRouter()

    @routes.get("/numbers")
    async def numbers() -> list[int]:
        return [1, 2, 3]

    @routes.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for part in (b"1,", b"2"):
                yield part

        return StreamingResponse(parts(), media_type="text/csv")

    @routes.post("/orders")
    async def order() -> None:
        """Take nothing."""

    return routes


@pytest.fixture
def app(ground: TestGround) -> FastAPI:
    return ground.app(_routes())


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


def _headers(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "x-request-id"}


@pytest.mark.parametrize("path", ["/numbers", "/stream", "/health/live", "/nowhere"])
async def test_a_head_has_the_headers_of_the_get(client: httpx.AsyncClient, path: str) -> None:
    got, head = await client.get(path), await client.head(path)

    assert head.status_code == got.status_code
    assert _headers(head) == _headers(got)


@pytest.mark.parametrize("path", ["/numbers", "/stream", "/nowhere"])
async def test_a_head_has_no_body(app: FastAPI, path: str) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "HEAD",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "http_version": "1.1",
        "root_path": "",
        "asgi": {"version": "3.0"},
    }
    await app(scope, receive, send)

    assert sent[0]["type"] == "http.response.start"
    assert b"".join(message["body"] for message in sent[1:]) == b""
    assert not sent[-1].get("more_body")
    assert scope["method"] == "HEAD", "by this the server knows that no body comes"


async def test_what_takes_no_get_takes_no_head(client: httpx.AsyncClient) -> None:
    refused = await client.head("/orders")
    told = await client.get("/orders")

    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert told.json()["detail"] == "/orders takes POST, not GET."


async def test_a_head_is_counted_as_one_and_described_nowhere(client: httpx.AsyncClient) -> None:
    await client.head("/numbers")

    counted = (await client.get("/metrics")).text
    described = (await client.get("/openapi.json")).json()["paths"]["/numbers"]

    assert 'method="HEAD",route="/numbers"' in counted
    assert list(described) == ["get"]
