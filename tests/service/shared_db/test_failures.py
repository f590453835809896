"""Whose fault a failure is: what passes by itself is Unavailable, all else stays what it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from shared.db.bulk import insert_rows
from shared.db.database import READERS, Database
from shared.kernel.errors import Unavailable
from tests.harness.databases import PostgresServerForTests

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


@pytest.fixture
async def hanging(
    postgres_server: PostgresServerForTests, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[], None]]:
    """Makes the server hang, as a disk that does not come back; it goes on after the test."""
    server = postgres_server.local
    if server is None:
        pytest.skip("a PostgreSQL server that was given is not ours to stop")
    monkeypatch.setattr("shared.db.database._PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr("shared.db.database._CONNECT_SECONDS", 0.5)
    stopped: list[psutil.Process] = []

    def hang() -> None:
        root = psutil.Process(server.pid)
        stopped.extend([root, *root.children(recursive=True)])
        for process in stopped:
            process.suspend()

    yield hang
    for process in stopped:
        process.resume()


@pytest.mark.postgres
async def test_a_server_that_hangs_is_not_waited_for_without_end(
    postgres_url: str, hanging: Callable[[], None]
) -> None:
    database = Database.open(postgres_url)
    async with database.write() as connection:
        await connection.run_sync(METADATA.create_all)

    hanging()

    async with asyncio.timeout(20):
        for _ in range(2):  # on a connection that was open, and on a new one
            with pytest.raises(Unavailable, match="database"):
                async with database.write() as connection:
                    await connection.execute(NOTES.insert(), {"id": 7})
            with pytest.raises(Unavailable, match="database"):
                async with database.read() as connection:
                    await connection.execute(sa.select(NOTES))


@pytest.mark.postgres
async def test_a_commit_that_hangs_is_told_and_its_connection_not_used_again(
    postgres_url: str, hanging: Callable[[], None]
) -> None:
    database = Database.open(postgres_url, pool_size=1)
    async with database.write() as connection:
        await connection.run_sync(METADATA.create_all)

    async def commit_while_it_hangs() -> None:
        async with database.write() as connection:
            await connection.execute(NOTES.insert(), {"id": 7})
            hanging()

    async with asyncio.timeout(20):
        with pytest.raises(Unavailable, match="does not answer in time"):
            await commit_while_it_hangs()


@pytest.mark.postgres
async def test_who_is_patient_waits_for_a_long_statement(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.db.database._PATIENCE_SECONDS", 0.2)
    database = Database.open(postgres_url, patient=True)

    async with database.read() as connection:
        await connection.execute(sa.text("SELECT pg_sleep(0.5)"))

    await database.close()


@pytest.mark.postgres
async def test_after_a_server_hung_it_is_used_as_before(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.db.database._PATIENCE_SECONDS", 0.2)
    database = Database.open(postgres_url, pool_size=1)
    with pytest.raises(Unavailable):
        async with database.read() as connection:
            await connection.execute(sa.text("SELECT pg_sleep(1)"))

    async with database.read() as connection:
        assert (await connection.execute(sa.text("SELECT 1"))).scalar_one() == 1

    await database.close()
