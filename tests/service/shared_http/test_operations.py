"""Health, metrics, lists, the contract, and calls between services."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Request, Response

from shared.db.database import Database
from shared.http.client import ServiceClient, ServiceRefused
from shared.http.health import Health
from shared.http.openapi import merge_openapi
from shared.http.pagination import Page, Paging, cut, link_next
from shared.kernel import trace
from shared.kernel.errors import NotFound, Unavailable
from tests.service.shared_http.ground import TestGround, client_of


def _list(numbers: Sequence[int]) -> APIRouter:
    routes = APIRouter()

    @routes.get("/numbers")
    async def list_numbers(page: Paging, request: Request, response: Response) -> Page[int]:
        after = page.after[0] if page.after else -1
        rows = [n for n in numbers if n > int(after or 0)][: page.fetch]
        kept, cursor = cut(rows, page, lambda n: (n,))
        link_next(request, response, cursor)
        return Page(items=list(kept), next_cursor=cursor)

    return routes


async def test_a_list_is_walked_by_its_links(ground: TestGround) -> None:
    async with client_of(ground.app(_list(range(7)))) as client:
        url, seen = "/numbers?limit=3", []
        while url:
            answer = await client.get(url)
            seen.append(answer.json()["items"])
            url = answer.links.get("next", {}).get("url", "")

    assert seen == [[0, 1, 2], [3, 4, 5], [6]]
    assert answer.json()["next_cursor"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "cursor=%21", "cursor=e30", "limit=x"])
async def test_a_page_that_cannot_be_is_refused(ground: TestGround, query: str) -> None:
    async with client_of(ground.app(_list([1]))) as client:
        assert (await client.get(f"/numbers?{query}")).status_code == 422


@pytest.mark.parametrize("keyset", [["a\0b"], [2**63], [True, [1]]])
async def test_a_cursor_that_no_database_could_take_is_refused(
    ground: TestGround, keyset: list[Any]
) -> None:
    query = f"cursor={encode_cursor_of_anything(keyset)}"

    async with client_of(ground.app(_list([1]))) as client:
        assert (await client.get(f"/numbers?{query}")).status_code == 422


def encode_cursor_of_anything(keyset: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(keyset).encode()).decode().rstrip("=")


async def test_readiness_names_the_part_that_fails(ground: TestGround) -> None:
    database = Database.open(f"sqlite:///{ground.home / 'x.db'}")
    health = Health(database=database, failing=lambda: {"relay": "no room left"})

    async with client_of(ground.app(health=health)) as client:
        answer, live = await client.get("/health/ready"), await client.get("/health/live")
    await database.close()

    assert (answer.status_code, live.status_code) == (503, 200)
    assert answer.json() == {
        "ready": False,
        "parts": {
            "database": {"state": "ok", "detail": None},
            "worker relay": {"state": "failing", "detail": "no room left"},
        },
    }


async def test_a_service_is_ready_without_the_parts_that_it_does_without(
    ground: TestGround,
) -> None:
    away = {"log"}

    async def ask(name: str) -> None:
        if name in away:
            raise Unavailable("Kafka does not answer")

    health = Health(
        checks={"database": lambda: ask("database"), "log": lambda: ask("log")},
        failing=lambda: {"dispatcher": "Unavailable: Kafka does not answer"},
        does_without=("log", "worker dispatcher"),
    )

    async with client_of(ground.app(health=health)) as client:
        without_log = await client.get("/health/ready")
        away.add("database")
        without_database = await client.get("/health/ready")

    waiting = {"state": "waiting", "detail": "Kafka does not answer"}
    assert without_log.status_code == 200
    assert without_log.json()["ready"] is True
    assert without_log.json()["parts"]["log"] == waiting
    assert without_log.json()["parts"]["worker dispatcher"]["state"] == "waiting"
    assert without_database.status_code == 503


async def test_requests_are_counted_by_template_and_not_by_path(ground: TestGround) -> None:
    async with client_of(ground.app()) as client:
        await client.get("/schemas/CaseOpened/1")
        await client.get("/some/secret/token")
        text = (await client.get("/metrics")).text

    assert 'route="/schemas/{event_type}/{version}"' in text
    assert "secret" not in text


async def test_a_trace_is_gone_on_with(ground: TestGround) -> None:
    routes = APIRouter()
    sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @routes.get("/trace")
    async def tell() -> str:
        return trace.current.get() or ""

    async with client_of(ground.app(routes)) as client:
        told = (await client.get("/trace", headers={"traceparent": sent})).json()

    assert told[3:35] == sent[3:35]
    assert told[36:52] != sent[36:52]


async def test_the_schema_of_every_event_is_served(ground: TestGround) -> None:
    async with client_of(ground.app()) as client:
        known = await client.get("/schemas/CaseOpened/1")
        unknown = await client.get("/schemas/CaseOpened/99")

    assert known.json()["title"] == "CaseOpened"
    assert unknown.status_code == 404


async def test_internal_paths_are_not_in_the_public_document(ground: TestGround) -> None:
    routes = APIRouter()

    @routes.get("/v1/internal/test/x")
    async def hidden() -> int:
        return 1

    document = ground.app(routes).openapi()

    assert not [path for path in document["paths"] if "internal" in path]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_schemas_of_one_name_are_kept_apart_when_documents_merge() -> None:
    def document(path: str, kind: str) -> dict[str, object]:
        ref = {"$ref": "#/components/schemas/Item"}
        return {
            "paths": {path: {"get": {"responses": {"200": {"schema": ref}}}}},
            "components": {"schemas": {"Item": {"type": kind}}},
        }

    merged = merge_openapi([document("/a", "object"), document("/b", "string")], title="All")

    names = {
        path: item["get"]["responses"]["200"]["schema"]["$ref"].rpartition("/")[2]
        for path, item in merged["paths"].items()
    }
    kinds = {path: merged["components"]["schemas"][name]["type"] for path, name in names.items()}
    assert kinds == {"/a": "object", "/b": "string"}


def _service(statuses: list[int]) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer rs_x"
        status = statuses.pop(0)
        if status == 0:
            raise httpx.ConnectError("refused")
        return httpx.Response(status, json={"detail": "because", "items": [1]})

    return httpx.MockTransport(answer)


async def test_a_call_is_tried_again_until_it_works() -> None:
    statuses = [0, 503, 200]
    async with ServiceClient("http://x", "rs_x", transport=_service(statuses)) as client:
        assert (await client.post("/v1/internal/x", {}))["items"] == [1]


@pytest.mark.parametrize("base", ["http://x:1", "http://x:1/", "http://x:1/behind"])
async def test_a_call_that_never_works_is_unavailable_by_its_address(base: str) -> None:
    transport = _service([503, 503])
    async with ServiceClient(base, "rs_x", attempts=2, transport=transport) as client:
        with pytest.raises(Unavailable) as raised:
            await client.get("/v1/internal/x")

    assert raised.value.detail == f"{base.rstrip('/')}/v1/internal/x: answered 503"


@pytest.mark.parametrize(
    ("status", "error"), [(404, NotFound), (403, Unavailable), (422, ServiceRefused)]
)
async def test_a_refused_call_says_whether_it_can_heal(status: int, error: type[Exception]) -> None:
    async with ServiceClient("http://x", "rs_x", transport=_service([status])) as client:
        with pytest.raises(error):
            await client.get("/v1/internal/x")
