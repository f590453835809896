"""Whose fault a failure is: what passes by itself is Unavailable, all else stays what it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from shared.db.bulk import insert_rows
from shared.db.database import READERS, Database
from shared.kernel.errors import Unavailable

METADATA = sa.MetaData()
NOTES = sa.Table(
    "notes",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("words", sa.Text),
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database.open(database_url, pool_size=2)
    async with opened.write() as connection:
        await connection.run_sync(METADATA.create_all)
        await connection.execute(NOTES.insert(), [{"id": 1}, {"id": 2}])
    yield opened
    await opened.close()


async def test_an_os_error_of_the_callers_own_passes_as_it_is(database: Database) -> None:
    with pytest.raises(FileNotFoundError):
        async with database.write():
            raise FileNotFoundError("template.j2")


async def test_wrong_sql_is_not_taken_for_a_database_that_is_away(database: Database) -> None:
    with pytest.raises(DBAPIError):
        async with database.write() as connection:
            await connection.execute(sa.text("SELECT nothing FROM notes"))


async def test_a_value_that_does_not_fit_is_not_taken_for_a_database_that_is_away(
    database: Database,
) -> None:
    with pytest.raises((DBAPIError, OverflowError)):
        async with database.write() as connection:
            await insert_rows(connection, NOTES, [(2**70, "")])


async def test_an_error_does_not_quote_what_customers_wrote(database: Database) -> None:
    with pytest.raises(DBAPIError) as raised:
        async with database.write() as connection:
            await connection.execute(NOTES.insert(), {"id": 1, "words": "li.na@example.org"})

    assert "example.org" not in str(raised.value)


async def test_a_transaction_after_an_error_finds_a_working_connection(database: Database) -> None:
    for _ in range(5):
        with pytest.raises(DBAPIError):
            async with database.write() as connection:
                await connection.execute(NOTES.insert(), {"id": 1})

    async with database.write() as connection:
        await connection.execute(NOTES.insert(), {"id": 3})


async def test_a_transaction_after_a_cancelled_one_finds_a_working_connection(
    database: Database,
) -> None:
    async def write_half(started: asyncio.Event) -> None:
        async with database.write() as connection:
            started.set()
            await connection.execute(NOTES.update().values(words="half"))
            await asyncio.Event().wait()

    for _ in range(5):
        started = asyncio.Event()
        task = asyncio.create_task(write_half(started))
        await started.wait()
        task.cancel()
        await asyncio.wait([task])

    async with database.write() as connection:
        words = (await connection.scalars(sa.select(NOTES.c.words))).all()
    assert words == [None, None]


async def test_waiting_in_vain_for_a_connection_is_unavailable(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database.open(sqlite_url)
    monkeypatch.setattr(database._reader.sync_engine.pool, "_timeout", 0.01)

    async def read_and(barrier: asyncio.Barrier) -> None:
        async with database.read() as connection:
            await connection.execute(sa.text("SELECT 1"))
            await barrier.wait()

    barrier = asyncio.Barrier(READERS + 1)
    readers = [asyncio.create_task(read_and(barrier)) for _ in range(READERS + 1)]
    done, holding = await asyncio.wait(readers, return_when=asyncio.FIRST_COMPLETED)
    for task in holding:
        task.cancel()
    await asyncio.wait(holding)
    await database.close()

    (refused,) = done
    assert isinstance(refused.exception(), Unavailable)


@pytest.mark.postgres
async def test_a_deadlock_is_unavailable_for_the_one_that_loses(postgres_url: str) -> None:
    database = Database.open(postgres_url)
    async with database.write() as connection:
        await connection.run_sync(METADATA.create_all)
        await connection.execute(NOTES.insert(), [{"id": 1}, {"id": 2}])

    async def touch(first: int, second: int, barrier: asyncio.Barrier) -> None:
        async with database.write() as connection:
            await connection.execute(NOTES.update().values(words="x").where(NOTES.c.id == first))
            await barrier.wait()
            await connection.execute(NOTES.update().values(words="x").where(NOTES.c.id == second))

    barrier = asyncio.Barrier(2)
    results = await asyncio.gather(
        touch(1, 2, barrier), touch(2, 1, barrier), return_exceptions=True
    )
    await database.close()

    assert [type(result) for result in results if result is not None] == [Unavailable]


@pytest.mark.postgres
async def test_a_database_that_does_not_exist_yet_is_unavailable(postgres_url: str) -> None:
    database = Database.open(postgres_url + "_missing")

    with pytest.raises(Unavailable, match="does not exist"):
        async with database.read() as connection:
            await connection.execute(sa.text("SELECT 1"))
    await database.close()
