"""One turn of the connection's thread a statement: what is put off, rolled back, cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, ProgrammingError

from shared.db import one_turn
from shared.db.bulk import execute, put_off_sqlite
from shared.db.database import Database
from shared.db.one_turn import OneTurnConnection
from shared.db.values import values_sqlite

_INSERT = "INSERT INTO things (id, word)"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database.open(f"sqlite:///{tmp_path / 'things.sqlite'}")
    async with opened.write() as connection:
        await connection.exec_driver_sql("CREATE TABLE things (id INTEGER PRIMARY KEY, word TEXT)")
    yield opened
    await opened.close()


async def words(database: Database) -> list[str]:
    async with database.read() as connection:
        found = await connection.exec_driver_sql("SELECT word FROM things ORDER BY id")
        return [row[0] for row in found]


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Count the turns that connections' threads take."""
    turns = [0]
    own = OneTurnConnection._execute

    async def execute(self: OneTurnConnection, *args: object) -> object:
        turns[0] += 1
        return await own(self, *args)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(OneTurnConnection, "_execute", execute)
        yield turns


async def test_a_read_takes_one_turn_and_a_write_one_a_statement_and_one_to_commit(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await words(database)  # the reader connects
    with counted(monkeypatch) as turns:
        await words(database)
        assert turns == [1]
        async with database.write() as connection:
            await connection.exec_driver_sql(f"{_INSERT} VALUES (1, 'a')")
            put_off_sqlite(connection, _INSERT, [(2, "b")])
        assert turns == [3]
    assert await words(database) == ["a", "b"]


async def test_a_transaction_in_which_nothing_was_said_takes_no_turn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counted(monkeypatch) as turns:
        async with database.write():
            pass
    assert turns == [0]


async def test_what_was_put_off_stands_before_the_next_statement(database: Database) -> None:
    async with database.write() as connection:
        put_off_sqlite(connection, _INSERT, [(number, "x") for number in range(60)])
        count = await connection.scalar(sa.text("SELECT count(*) FROM things"))
    assert count == 60


async def test_a_failure_of_what_was_put_off_undoes_the_whole_transaction(
    database: Database,
) -> None:
    async def twice() -> None:
        async with database.write() as connection:
            await connection.exec_driver_sql(f"{_INSERT} VALUES (1, 'a')")
            put_off_sqlite(connection, _INSERT, [(1, "again")])

    with pytest.raises(IntegrityError):
        await twice()
    async with database.write() as connection:
        await connection.exec_driver_sql(f"{_INSERT} VALUES (2, 'b')")
    assert await words(database) == ["b"]


async def test_how_many_rows_a_change_was_made_to_is_known(database: Database) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql(f"{_INSERT} VALUES (1, 'a'), (2, 'b')")
        changed = await connection.exec_driver_sql("UPDATE things SET word = 'c'")
        told = await connection.exec_driver_sql("UPDATE things SET word = 'd' RETURNING id")

    assert (changed.rowcount, told.rowcount, len(told.all())) == (2, 2, 2)


async def test_nothing_is_written_after_something_put_off_has_failed(database: Database) -> None:
    """Who swallows the failure and goes on must not write outside a transaction."""

    async def go_on() -> None:
        async with database.write() as connection:
            put_off_sqlite(connection, _INSERT, [(1, "a"), (1, "again")])
            with contextlib.suppress(IntegrityError):
                await connection.exec_driver_sql(f"{_INSERT} VALUES (2, 'b')")
            await connection.exec_driver_sql(f"{_INSERT} VALUES (3, 'c')")

    with pytest.raises(ProgrammingError):
        await go_on()
    assert await words(database) == []
    async with database.write() as connection:
        await connection.exec_driver_sql(f"{_INSERT} VALUES (4, 'd')")
    assert await words(database) == ["d"]


async def test_what_was_put_off_goes_with_the_transaction_that_was_rolled_back(
    database: Database,
) -> None:
    async def half_way() -> None:
        async with database.write() as connection:
            put_off_sqlite(connection, _INSERT, [(1, "a")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await half_way()
    assert await words(database) == []


async def test_a_writer_that_was_cancelled_anywhere_leaves_no_transaction_open(
    database: Database,
) -> None:
    """The statement of who was cancelled goes on in the thread; the next writer finds no trace."""

    begun, ended = set[int](), set[int]()

    async def whole(number: int) -> None:
        async with database.write() as connection:
            for step in range(5):
                begun.add(number)
                word = f"{number}.{step}"
                await connection.exec_driver_sql(f"{_INSERT} VALUES (NULL, ?)", (word,))
        ended.add(number)

    for number in range(60):
        task = asyncio.create_task(whole(number))
        # Some hands after the first statement was asked for, when it may be under way or done.
        while number not in begun:
            await asyncio.sleep(0)
        for _ in range(number % 12):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await whole(99)
    assert len(begun - ended) > 30, "most were to be cancelled in the middle"

    found = await words(database)
    assert found[-5:] == [f"99.{step}" for step in range(5)]
    by_writer = {word.partition(".")[0]: 0 for word in found}
    for word in found:
        by_writer[word.partition(".")[0]] += 1
    assert set(by_writer.values()) == {5}


async def test_rolling_back_waits_for_a_statement_that_somebody_left_behind(tmp_path: Path) -> None:
    connecting = one_turn.connect(str(tmp_path / "things.sqlite"), isolation_level=None)
    connection = await connecting
    assert isinstance(connection, OneTurnConnection)
    at_work, go_on = threading.Event(), threading.Event()

    def begin_late(db: sqlite3.Connection) -> None:
        at_work.set()
        go_on.wait(10)
        db.execute("BEGIN")

    left = asyncio.create_task(connection.in_one_turn(begin_late))
    await asyncio.to_thread(at_work.wait, 10)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    rolling_back = asyncio.create_task(connection.rollback())
    await asyncio.sleep(0)
    go_on.set()
    await rolling_back

    assert await connection.in_one_turn(lambda db: db.in_transaction) is False
    await connection.close()


async def test_it_is_the_driver_that_is_used(database: Database) -> None:
    async with database.write() as connection:
        raw = await connection.get_raw_connection()
        assert isinstance(raw.driver_connection, OneTurnConnection)
        assert isinstance(raw.driver_connection._conn, sqlite3.Connection)


async def test_statements_made_before_take_one_turn_and_raise_what_any_of_them_raises(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    things = sa.table("things", sa.column("id"), sa.column("word"))
    rows = [(n, f"word {n}") for n in range(1, 61)]
    made = values_sqlite(_INSERT, rows)
    assert len(made) == 2
    async with database.write() as connection:
        with counted(monkeypatch) as turns:
            await execute(connection, made)
        assert turns == [1]

    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await execute(connection, [(sql, list(rows)) for sql, rows in (made[1], made[0])])

    async with database.read() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(things)) == 60
