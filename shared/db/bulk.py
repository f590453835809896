"""Write many rows in one statement: `unnest` on PostgreSQL, long `VALUES` on SQLite.

Rows are tuples in the order of the table's columns, values as Python has them; a `JsonDocument`
may be given as text that is JSON already.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Boolean, Column, Integer, LargeBinary, Table, Text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.one_turn import put_off
from shared.db.types import JsonDocument, UtcDateTime, utc_text
from shared.db.values import Row, values_sqlite


async def insert_sqlite(
    connection: AsyncConnection, insert: str, rows: Sequence[Row], *, ending: str = ""
) -> None:
    """Insert rows into SQLite; `insert` goes up to VALUES, `ending` is what follows the values."""
    await execute(connection, values_sqlite(insert, rows, ending))


def put_off_sqlite(
    connection: AsyncConnection, insert: str, rows: Sequence[Row], *, ending: str = ""
) -> None:
    """Insert rows into SQLite in the turn of the next statement or the commit, whose error it is.

    For what ends a transaction: nobody waits for it alone.
    """
    for sql, group in values_sqlite(insert, rows, ending):
        put_off(connection, sql, group)


Statement = tuple[str, Any]
"""A statement and its parameters, as the driver of its dialect takes them; may be pickled."""


async def insert_rows(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; raises IntegrityError where one exists."""
    await execute(connection, insertion(table, rows, connection.dialect.name))


async def upsert_rows(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, replacing whole those whose primary key exists."""
    await execute(connection, _statements(table, rows, connection.dialect.name, replace=True))


def insertion(table: Table, rows: Sequence[Row], dialect: str) -> Sequence[Statement]:
    """Return the statements that insert rows, which any process may make for who executes them."""
    return _statements(table, rows, dialect, replace=False)


async def execute(connection: AsyncConnection, statements: Sequence[Statement]) -> None:
    """Execute statements made for the connection's dialect; raises what any of them raises.

    On SQLite in one turn of its thread: a turn takes milliseconds in a busy process (ADR 12).
    """
    if connection.dialect.name == "sqlite":
        for sql, rows in statements[:-1]:
            put_off(connection, sql, rows)
        statements = statements[-1:]
    for sql, parameters in statements:
        await connection.exec_driver_sql(sql, parameters)


async def execute_at_the_end(connection: AsyncConnection, statements: Sequence[Statement]) -> None:
    """Execute statements that nobody waits for alone.

    On SQLite in the turn of the next statement or the commit, whose error theirs is then.
    """
    if connection.dialect.name != "sqlite":
        await execute(connection, statements)
        return
    for sql, rows in statements:
        put_off(connection, sql, rows)


def _statements(
    table: Table, rows: Sequence[Row], dialect: str, *, replace: bool
) -> Sequence[Statement]:
    if not rows:
        return ()
    columns = [
        _converted(column, values, dialect)
        for column, values in zip(table.columns, zip(*rows, strict=True), strict=True)
    ]
    insert, source, ending = _statement(table, replace)
    if dialect == "sqlite":
        return values_sqlite(insert, list(zip(*columns, strict=True)), ending)
    return [(f"{insert} {source} {ending}", tuple(columns))]


def _converted(column: Column[Any], values: tuple[object, ...], dialect: str) -> list[object]:
    if isinstance(column.type, UtcDateTime) and dialect == "sqlite":
        return [utc_text(value) if isinstance(value, datetime) else None for value in values]
    if isinstance(column.type, JsonDocument):
        return [None if value is None else _json_text(value) for value in values]
    return list(values)


def _json_text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


@cache
def _statement(table: Table, replace: bool) -> tuple[str, str, str]:
    """Return the statement in three parts; the middle one is PostgreSQL's source of rows."""
    names = [f'"{column.name}"' for column in table.columns]
    insert = f"INSERT INTO {table.name} ({', '.join(names)})"
    arrays = [f"${i}::{_array(c)}" for i, c in enumerate(table.columns, start=1)]
    source = f"SELECT * FROM unnest({', '.join(arrays)})"  # noqa: S608 - our own names
    if not replace:
        return insert, source, ""
    keys = [f'"{column.name}"' for column in table.primary_key.columns]
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    return insert, source, f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"


def _array(column: Column[Any]) -> str:
    kind = column.type
    if isinstance(kind, UtcDateTime):
        return "timestamptz[]"
    if isinstance(kind, Boolean):
        return "bool[]"
    if isinstance(kind, Integer):
        return "int[]"
    if isinstance(kind, LargeBinary):
        return "bytea[]"
    if isinstance(kind, JsonDocument | Text):
        return "text[]"
    return "varchar[]"
