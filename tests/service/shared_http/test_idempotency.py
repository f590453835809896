"""The same request again gets the first answer again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import orjson
import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from sqlalchemy import func, select

from shared.db.database import Database
from shared.db.migrate import MESSAGING, upgrade
from shared.http.idempotency import Answer, answer_once, purge
from shared.kernel.errors import Conflict
from shared.messaging import Messaging, UnitOfWork, idempotency_keys
from tests.service.shared_http.ground import NOW, TestGround, client_of


class Shop:
    """Counts what was really created."""

    def __init__(self) -> None:
        self.created = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.entered = asyncio.Event()

    def routes(self, messaging: Messaging) -> APIRouter:
        routes = APIRouter()

        async def create(uow: UnitOfWork) -> Answer:
            self.entered.set()
            await self.go_on.wait()
            self.created += 1
            body = orjson.dumps({"number": self.created})
            return Answer(201, body, {"Location": f"/things/{self.created}"})

        async def fail(uow: UnitOfWork) -> Answer:
            raise Conflict("not now")

        @routes.post("/things")
        async def things(request: Request) -> Response:
            return await answer_once(request, messaging.unit_of_work, create)

        @routes.post("/failing")
        async def failing(request: Request) -> Response:
            return await answer_once(request, messaging.unit_of_work, fail)

        return routes


@pytest.fixture
async def database(ground: TestGround) -> AsyncIterator[Database]:
    database = Database.open(f"sqlite:///{ground.home / 'test.db'}")
    await upgrade(database, [MESSAGING])
    yield database
    await database.close()


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def app(ground: TestGround, database: Database, shop: Shop) -> FastAPI:
    return ground.app(shop.routes(Messaging(database=database, clock=ground.clock)))


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


KEY = {"Idempotency-Key": "order-1"}


async def test_a_repeated_request_creates_once(client: httpx.AsyncClient, shop: Shop) -> None:
    first = await client.post("/things", json={"a": 1}, headers=KEY)
    again = await client.post("/things", json={"a": 1}, headers=KEY)

    assert shop.created == 1
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"


async def test_another_body_under_the_same_key_is_refused(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    await client.post("/things", json={"a": 1}, headers=KEY)

    answer = await client.post("/things", json={"a": 2}, headers=KEY)

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/idempotency-key-reused"
    assert shop.created == 1


async def test_a_repetition_while_the_first_runs_is_told_to_wait(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    shop.go_on.clear()
    first = asyncio.create_task(client.post("/things", json={}, headers=KEY))
    await shop.entered.wait()

    second = await client.post("/things", json={}, headers=KEY)
    shop.go_on.set()

    assert second.status_code == 409
    assert (await first).status_code == 201


async def test_a_request_that_failed_can_be_sent_again(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    failed = await client.post("/failing", json={}, headers=KEY)
    again = await client.post("/things", json={}, headers=KEY)

    assert (failed.status_code, again.status_code) == (409, 201)


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_an_odd_key_is_refused(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.post("/things", json={}, headers={"Idempotency-Key": key})

    assert answer.status_code == 422


async def test_old_keys_are_purged_and_young_ones_kept(
    client: httpx.AsyncClient, ground: TestGround, database: Database
) -> None:
    await client.post("/things", json={}, headers=KEY)
    ground.clock.advance(timedelta(hours=24))
    await client.post("/things", json={}, headers={"Idempotency-Key": "young"})

    assert await purge(database, NOW + timedelta(hours=24)) == 0
    assert await purge(database, NOW + timedelta(hours=26)) == 1
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(idempotency_keys)) == 1
