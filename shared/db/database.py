"""One service's database: how to read it, how to write it, whichever dialect it is.

SQLite (rule 9): WAL, synchronous FULL, `BEGIN IMMEDIATE`, and exactly one connection that
writes or checkpoints, because older SQLite versions lose a WAL reset with two. Writers queue
for it in order of arrival; readers are `query_only` and never wait for it.
PostgreSQL: an ordinary pool for both.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal, Self

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from shared.db import one_turn
from shared.db.failures import hung, reached
from shared.kernel.errors import ConfigurationError

Dialect = Literal["sqlite", "postgresql"]

READERS = 3
"""Each is a thread and up to a megabyte; the one that was used last is used first."""
_PATIENCE_SECONDS = 30.0
"""For a lock of SQLite, and for a statement on PostgreSQL, whose server may hang or be cut off:
TCP itself would wait a quarter of an hour."""
_CONNECT_SECONDS = 10.0


class Database:
    """Opens transactions on one database."""

    def __init__(self, *, dialect: Dialect, writer: AsyncEngine, reader: AsyncEngine) -> None:
        self.dialect: Dialect = dialect
        self._writer = writer
        self._reader = reader
        self._turn = asyncio.Lock() if dialect == "sqlite" else None

    @classmethod
    def open(
        cls,
        url: str,
        *,
        setting: str = "REDRESS_DATABASE_URL",
        pool_size: int = 10,
        patient: bool = False,
    ) -> Self:
        """Open `sqlite:///FILE` or `postgresql://…`; raises ConfigurationError naming `setting`.

        Nothing is connected yet. The folder of a SQLite file is made. With `patient` statements may
        take as long as they do: an index of a large table is not made in half a minute.
        """
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise ConfigurationError(setting, "is not a database URL") from None
        backend = parsed.get_backend_name()
        if backend == "sqlite":
            return cls._open_sqlite(parsed, setting)
        if backend == "postgresql":
            return cls._open_postgresql(parsed, pool_size, patient=patient)
        raise ConfigurationError(setting, f"{backend} is neither sqlite nor postgresql")

    @classmethod
    def _open_sqlite(cls, url: URL, setting: str) -> Self:
        if not url.database or url.database == ":memory:":
            raise ConfigurationError(setting, "a SQLite database needs a file")
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        url = url.set(drivername="sqlite+aiosqlite")
        options: dict[str, Any] = {
            "poolclass": AsyncAdaptedQueuePool,
            "max_overflow": 0,
            "pool_use_lifo": True,
            "hide_parameters": True,
            "connect_args": {
                "isolation_level": None,
                "timeout": _PATIENCE_SECONDS,
                "async_creator_fn": one_turn.connect,
            },
        }
        writer = create_async_engine(url, pool_size=1, **options)
        reader = create_async_engine(url, pool_size=READERS, **options)
        event.listen(writer.sync_engine, "connect", _prepare_writer)
        event.listen(writer.sync_engine, "begin", _begin_immediate)
        event.listen(reader.sync_engine, "connect", _prepare_reader)
        return cls(dialect="sqlite", writer=writer, reader=reader)

    @classmethod
    def _open_postgresql(cls, url: URL, pool_size: int, *, patient: bool) -> Self:
        engine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=False,
            # An error that is logged with its statement must not quote what customers wrote.
            hide_parameters=True,
            connect_args={
                "command_timeout": None if patient else _PATIENCE_SECONDS,
                "timeout": _CONNECT_SECONDS,
            },
        )
        event.listen(engine.sync_engine, "handle_error", hung)
        return cls(dialect="postgresql", writer=engine, reader=engine)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that may write; committed at the end, rolled back on an exception.

        Raises Unavailable where the database cannot be reached or its disk is full.
        """
        async with self._turn or nullcontext(), reached(self._writer.begin()) as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection that only reads, each statement on a consistent snapshot.

        Two statements may see two states of the database, in both dialects.
        """
        async with reached(self._reader.connect()) as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._reader.dispose()
        if self._writer is not self._reader:
            await self._writer.dispose()


def _prepare_writer(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.close()


def _prepare_reader(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only=ON")
    # A quarter of the usual: every commit makes a reader's pages stale, and there are many readers.
    cursor.execute("PRAGMA cache_size=-512")
    cursor.execute("PRAGMA wal_autocheckpoint=0")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql(one_turn.BEGIN)
