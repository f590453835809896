"""Every error is a problem that a front-end developer understands."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import httpx
import pytest
from fastapi import APIRouter, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from structlog.testing import capture_logs

from shared.http.validation import read_model
from shared.http.words import form
from shared.kernel.errors import Conflict, RateLimited, Unavailable
from tests.service.shared_http.ground import TestGround, client_of


def _phone(value: str) -> str:
    if not value.startswith("+"):
        raise PydanticCustomError("invalid_phone", "Write the phone with its country code.")
    return value


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Customer(Strict):
    phone: Annotated[str, AfterValidator(_phone)] | None = None
    email: str | None = None


class Complaint(Strict):
    channel: Literal["web", "email"]
    occurred_at: AwareDatetime | None = None
    customer: Customer
    stars: int | None = Field(default=None, ge=1, le=5)
    tags: list[Customer] = []
    words: Annotated[list[str], Field(min_length=1, max_length=2)] = ["x"]
    key: Annotated[str, Field(min_length=1, max_length=3)] = "x"
    option: Annotated[str, form(r"^[A-C]$", 'one capital letter such as "A"')] = "A"
    other: Annotated[str, Field(pattern=r"^\d$")] = "1"


class NotNow(Conflict):
    code = "not-now"

    def __init__(self) -> None:
        super().__init__("The case is closed.")
        self.extensions = {"allowed_actions": ["reopen"]}


def _routes() -> APIRouter:
    routes = APIRouter()

    @routes.post("/by-parameter")
    async def by_parameter(complaint: Complaint) -> Complaint:
        return complaint

    @routes.post("/by-bytes")
    async def by_bytes(request: Request) -> Complaint:
        return await read_model(request, Complaint)

    @routes.get("/numbers")
    async def numbers(limit: int) -> int:
        return limit

    @routes.put("/numbers")
    async def put_numbers() -> None:
        raise NotNow

    @routes.get("/conflict")
    async def conflict() -> None:
        raise NotNow

    @routes.get("/limited")
    async def limited() -> None:
        raise RateLimited("slowly", retry_after_seconds=7)

    @routes.get("/away")
    async def away() -> None:
        raise Unavailable("the database does not answer")

    @routes.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError("secret words")

    @routes.get("/broken/of/{token}")
    async def broken_of(token: str) -> None:
        raise ZeroDivisionError

    return routes


@pytest.fixture
async def client(ground: TestGround) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(ground.app(_routes())) as client:
        yield client


both_ways = pytest.mark.parametrize("path", ["/by-parameter", "/by-bytes"])


async def _refused(client: httpx.AsyncClient, path: str, body: object) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    return problem


def _codes(problem: dict[str, Any]) -> dict[str, str]:
    return {error["pointer"]: error["code"] for error in problem["errors"]}


@both_ways
async def test_every_wrong_field_is_told_at_once(client: httpx.AsyncClient, path: str) -> None:
    body = {
        "channel": "webb",
        "occurred_at": "2026-11-18T18:30:00",
        "customer": {"phone": "138", "email": 5, "phon": "1"},
        "stars": 9,
        "tags": [{}, {"email": []}],
        "desc": "",
    }

    problem = await _refused(client, path, body)

    assert problem["type"] == "/problems/invalid-input"
    assert problem["instance"] == path
    assert _codes(problem) == {
        "/channel": "unknown_value",
        "/occurred_at": "no_offset",
        "/customer/phone": "invalid_phone",
        "/customer/email": "wrong_type",
        "/customer/phon": "unknown_field",
        "/stars": "out_of_range",
        "/tags/1/email": "wrong_type",
        "/desc": "unknown_field",
    }


@both_ways
@pytest.mark.parametrize("name", ["date", "list", "str", "items[0]", "function-after[x, y]", ""])
async def test_an_unknown_field_may_be_called_anything(
    client: httpx.AsyncClient, path: str, name: str
) -> None:
    body = {"channel": "web", "customer": {name: 1}, "tags": [{name: 2}], name: 3}

    problem = await _refused(client, path, body)

    pointers = (f"/{name}", f"/customer/{name}", f"/tags/0/{name}")
    assert _codes(problem) == dict.fromkeys(pointers, "unknown_field")
    assert all(e["detail"].startswith(f'There is no field "{name}" ') for e in problem["errors"])


@pytest.mark.parametrize(
    ("field", "detail"),
    [
        ({"words": []}, "This must have at least 1 entry."),
        ({"words": ["a", "b", "c"]}, "This may have at most 2 entries."),
        ({"key": ""}, "This must have at least 1 character."),
        ({"key": "four"}, "This may have at most 3 characters."),
        ({"option": "first"}, 'This must be one capital letter such as "A".'),
        ({"other": "x"}, "This must be of the form ^\\d$."),
    ],
)
async def test_a_wrong_field_is_told_in_whole_words(
    client: httpx.AsyncClient, field: dict[str, object], detail: str
) -> None:
    problem = await _refused(client, "/by-bytes", {"channel": "web", "customer": {}, **field})

    assert [error["detail"] for error in problem["errors"]] == [detail]


@both_ways
async def test_a_misspelt_field_or_word_gets_a_suggestion(
    client: httpx.AsyncClient, path: str
) -> None:
    problem = await _refused(client, path, {"channel": "emial", "customer": {"e-mail": "x"}})

    details = {error["pointer"]: error["detail"] for error in problem["errors"]}
    assert details["/channel"].endswith('; did you mean "email"?')
    assert details["/customer/e-mail"].endswith('; did you mean "email"?')


@both_ways
async def test_the_services_own_codes_pass_through(client: httpx.AsyncClient, path: str) -> None:
    problem = await _refused(client, path, {"channel": "web", "customer": {"phone": "1"}})

    assert problem["errors"] == [
        {
            "pointer": "/customer/phone",
            "code": "invalid_phone",
            "detail": "Write the phone with its country code.",
        }
    ]


@both_ways
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"channel":', "malformed_json"),
        (b'{"channel": "web"\x00}', "malformed_json"),
        (b"\xff\xfe", "malformed_json"),
        (b"[]", "wrong_type"),
        (b"", "missing"),
    ],
)
async def test_a_body_that_is_no_object_is_refused(
    client: httpx.AsyncClient, path: str, body: bytes, code: str
) -> None:
    answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert _codes(answer.json()) == {"": code}


BODY = '{"channel": "web", "customer": {}, "key": "急"}'


@both_ways
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (BODY.encode("gb18030"), "byte 44 is not UTF-8, it reads as GB18030; send it in UTF-8"),
        (b'{"key": "\xe9"}', "byte 10 is not UTF-8"),
        (gzip.compress(BODY.encode()), "it is compressed; send it as it is"),
    ],
)
async def test_a_body_in_another_encoding_is_told_to_be_so(
    client: httpx.AsyncClient, path: str, body: bytes, reason: str
) -> None:
    answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["detail"] == f"The body is no JSON: {reason}."


async def test_utf16_is_named_where_it_is_not_read(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/by-bytes", content=BODY.encode("utf-16"), headers={"Content-Type": "application/json"}
    )

    assert "it is UTF-16; send it in UTF-8" in answer.json()["detail"]


@both_ways
async def test_a_byte_order_mark_does_not_matter(client: httpx.AsyncClient, path: str) -> None:
    body = BODY.encode("utf-8-sig")

    answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 200


@both_ways
async def test_another_content_type_is_named(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(path, content=b"a=b", headers={"Content-Type": "text/plain"})

    assert answer.status_code == 415
    assert "text/plain" in answer.json()["detail"]


@both_ways
async def test_nul_and_half_characters_are_pointed_at(client: httpx.AsyncClient, path: str) -> None:
    body = rb'{"channel":"\u0000","customer":{"email":"\ud83d\ude00 \ud800","k\udc00":1}}'

    answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert _codes(answer.json())["/channel"] == "invalid_text"
    assert _codes(answer.json())["/customer/email"] == "invalid_text"


@both_ways
@pytest.mark.parametrize("levels", [3_000, 200_000])
async def test_a_body_nested_deeper_than_anybody_reads_is_refused(
    client: httpx.AsyncClient, path: str, levels: int
) -> None:
    body = b'{"channel":' + b"[" * levels + rb'"\u0000"' + b"]" * levels + b"}"

    answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422


@both_ways
@pytest.mark.parametrize(
    "body",
    [
        b'{"channel":"\xff"}',
        b"\x1f\x8b\x08\x00",
        b'{"channel":' + b"1" * 100_000 + b"}",
        b"[" * 100_000,
    ],
)
async def test_a_body_that_no_parser_takes_in_is_told_as_malformed(
    client: httpx.AsyncClient, path: str, body: bytes
) -> None:
    answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["errors"], answer.text
    assert answer.json()["detail"] != "There was an error parsing the body"


@both_ways
async def test_an_escaped_pair_is_one_character(client: httpx.AsyncClient, path: str) -> None:
    body = rb'{"channel":"web","customer":{"email":"\ud83d\ude00 \\u0000"}}'

    answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 200


async def test_a_wrong_query_parameter_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.get("/numbers?limit=many")

    assert _codes(answer.json()) == {"/query/limit": "wrong_type"}


async def test_a_nul_in_the_address_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/numbers?limit=1&q=%00")

    assert answer.status_code == 422
    assert _codes(answer.json()) == {"/query/q": "nul_character"}
    in_path = await client.get("/numbers%00")
    assert _codes(in_path.json()) == {"/path": "nul_character"}


async def test_an_unknown_path_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere")

    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/unknown-path"


async def test_a_wrong_method_tells_the_right_one(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/numbers")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, PUT"
    assert "takes GET, HEAD, PUT, not DELETE" in answer.json()["detail"]
    assert answer.json()["type"] == "/problems/method-not-allowed"


async def test_an_error_adds_its_own_members(client: httpx.AsyncClient) -> None:
    answer = await client.get("/conflict")

    assert answer.status_code == 409
    assert answer.json()["allowed_actions"] == ["reopen"]


async def test_waiting_is_told_in_seconds(client: httpx.AsyncClient) -> None:
    limited, away = await client.get("/limited"), await client.get("/away")

    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
    assert (away.status_code, away.headers["retry-after"]) == (503, "2")


async def test_a_fault_of_ours_tells_nothing_but_its_request(client: httpx.AsyncClient) -> None:
    with capture_logs() as logs:
        answer = await client.get("/broken", headers={"X-Request-Id": "abc-1"})

    assert answer.status_code == 500
    assert [line["event"] for line in logs if line["log_level"] == "error"] == [
        "request.failed",
        "request",
    ]
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"] == "abc-1"


async def test_a_fault_is_logged_without_what_the_path_holds(client: httpx.AsyncClient) -> None:
    with capture_logs() as logs:
        await client.get("/broken/of/us6LnzalMeA")

    assert [line["route"] for line in logs if line["event"] == "request.failed"] == [
        "/broken/of/{token}"
    ]


async def test_a_body_over_the_limit_is_drained_and_refused(client: httpx.AsyncClient) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(5):
            sent += 1
            yield b"x" * 1024 * 1024

    answer = await client.post(
        "/by-bytes", content=body(), headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 413
    assert answer.json()["type"] == "/problems/too-large"
    assert sent == 5
