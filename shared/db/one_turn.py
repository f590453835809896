"""aiosqlite's connection, with one turn of its thread for a statement where four were taken.

SQLAlchemy asks a driver for a cursor, has it execute, fetches and closes; aiosqlite makes of each
a turn of the connection's thread and a wait for it. At a hundred complaints a second that were
1,800 turns a second, seven in ten of them for cursors and for rolling back what had ended: a
third of the embedded product's processor time, and all the while a writer held its lock. Here a
statement is executed, read and let go in one turn; a transaction begins in the turn of its first
statement, and what nobody waits for the result of goes along with the next one, or the commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, ParamSpec, Self, TypeVar

import aiosqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.values import Row

_CHUNK = 64
"""Rows at a time of aiosqlite's own cursors, which nobody asks for."""

BEGIN = "BEGIN IMMEDIATE"

P = ParamSpec("P")
R = TypeVar("R")


def connect(file: str, **options: Any) -> OneTurnConnection:
    """Return a connection to await, for SQLAlchemy's `async_creator_fn`."""
    connection = OneTurnConnection(lambda: sqlite3.connect(file, **options), _CHUNK)
    # As SQLAlchemy does with those that it makes: a forgotten one must not keep the process.
    connection._thread.daemon = True  # noqa: SLF001 - our own superclass's
    return connection


class OneTurnConnection(aiosqlite.Connection):
    """A connection whose cursors take one turn of its thread for a statement."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], iter_chunk_size: int) -> None:
        super().__init__(connector, iter_chunk_size)
        self._put_off: list[Callable[[sqlite3.Connection], object]] = []
        self._is_broken = False
        self._asked = 0
        self._done = 0

    def cursor(self) -> OneTurnCursor:  # type: ignore[override]  # theirs is to be awaited
        """Return a cursor; nothing is asked of the database for it."""
        return OneTurnCursor(self)

    def put_off(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Have `work` done before the next statement or the commit, which fails where it does."""
        self._put_off.append(work)

    async def commit(self) -> None:
        """Commit what was done, and what was put off."""
        if self._put_off == [_begin_immediate]:
            self._put_off.clear()
        else:
            await self.in_one_turn(sqlite3.Connection.commit)

    async def rollback(self) -> None:
        """Roll back; at once where nothing is under way, neither transaction nor statement.

        Whoever was cancelled leaves a statement behind that may just begin a transaction.
        """
        self._put_off.clear()
        self._is_broken = False
        if self._asked != self._done or self.in_transaction:
            await super().rollback()

    async def in_one_turn(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Have what was put off and then `work` done in the connection's thread.

        Once something put off has failed, the beginning of the transaction perhaps, nothing more
        is done before the rollback: it would stand without what should have come before it.
        """
        before, self._put_off = self._put_off, []

        def all_of_it() -> R:
            if self._is_broken:
                raise sqlite3.ProgrammingError("what was put off in this transaction has failed")
            self._is_broken = bool(before)
            for each in before:
                each(self._conn)
            self._is_broken = False
            return work(self._conn)

        return await self._execute(all_of_it)

    async def _execute(self, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        # Two counts, each with one thread that changes it.
        self._asked += 1

        def counted() -> R:
            try:
                return fn(*args, **kwargs)
            finally:
                self._done += 1

        found: R = await super()._execute(counted)  # type: ignore[no-untyped-call]  # theirs has none
        return found


def put_off(connection: AsyncConnection, sql: str, rows: Sequence[Row]) -> None:
    """Have a statement executed for each of many rows, in the turn of the next one or the commit.

    Only within a transaction, and where nobody asks what became of it: its error is theirs.
    """
    pooled = (connection.sync_connection or _no_connection()).connection
    driver = pooled.driver_connection
    if not isinstance(driver, OneTurnConnection):
        raise TypeError(f"{type(driver)} puts nothing off")
    driver.put_off(lambda db: db.executemany(sql, rows).close())


def _no_connection() -> NoReturn:
    raise RuntimeError("the connection is not open")


def _begin_immediate(db: sqlite3.Connection) -> None:
    db.execute(BEGIN).close()


class OneTurnCursor:
    """What SQLAlchemy uses of aiosqlite's cursor; rows are read with the statement."""

    def __init__(self, connection: OneTurnConnection) -> None:
        self._connection = connection
        self._rows: list[tuple[Any, ...]] = []
        self.description: Sequence[Any] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Self:
        """Execute a statement and keep its rows."""
        if sql == BEGIN:
            self._connection.put_off(_begin_immediate)
            return self
        await self._connection.in_one_turn(lambda db: self._keep(db.execute(sql, parameters)))
        return self

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Execute a statement for each of many parameters."""
        await self._connection.in_one_turn(lambda db: self._keep(db.executemany(sql, parameters)))
        return self

    async def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Do nothing: the database's own cursor was let go at once."""

    def _keep(self, cursor: sqlite3.Cursor) -> None:
        try:
            self.description = cursor.description
            if cursor.description is not None:
                self._rows = cursor.fetchall()
            # After the rows: of what returns some it is known with the last of them.
            self.rowcount = cursor.rowcount
            self.lastrowid = cursor.lastrowid
        finally:
            cursor.close()
