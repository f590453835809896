"""Write many rows in one statement: `unnest` on PostgreSQL, `executemany` on SQLite.

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

from shared.db.types import JsonDocument, UtcDateTime, utc_text

Row = tuple[object, ...]


async def insert_rows(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; raises IntegrityError where one exists."""
    await _write(connection, table, rows, replace=False)


async def upsert_rows(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, replacing whole those whose primary key exists."""
    await _write(connection, table, rows, replace=True)


async def _write(
    connection: AsyncConnection, table: Table, rows: Sequence[Row], *, replace: bool
) -> None:
    if not rows:
        return
    dialect = connection.dialect.name
    columns = [
        _converted(column, values, dialect)
        for column, values in zip(table.columns, zip(*rows, strict=True), strict=True)
    ]
    sql = _statement(table, dialect, replace)
    if dialect == "sqlite":
        await connection.exec_driver_sql(sql, list(zip(*columns, strict=True)))
    else:
        await connection.exec_driver_sql(sql, tuple(columns))


def _converted(column: Column[Any], values: tuple[object, ...], dialect: str) -> list[object]:
    if isinstance(column.type, UtcDateTime) and dialect == "sqlite":
        return [utc_text(value) if isinstance(value, datetime) else None for value in values]
    if isinstance(column.type, JsonDocument):
        return [None if value is None else _json_text(value) for value in values]
    return list(values)


def _json_text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


@cache
def _statement(table: Table, dialect: str, replace: bool) -> str:
    names = [f'"{column.name}"' for column in table.columns]
    if dialect == "sqlite":
        source = f"VALUES ({', '.join('?' * len(names))})"
    else:
        arrays = [f"${i}::{_array(c)}" for i, c in enumerate(table.columns, start=1)]
        source = f"SELECT * FROM unnest({', '.join(arrays)})"  # noqa: S608 - our own names
    sql = f"INSERT INTO {table.name} ({', '.join(names)}) {source}"
    if not replace:
        return sql
    keys = [f'"{column.name}"' for column in table.primary_key.columns]
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    return f"{sql} ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"


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
