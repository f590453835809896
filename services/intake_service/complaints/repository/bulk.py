# ruff: noqa: S608 (names of tables and columns are our own; values are parameters)
"""Many rows into several tables at once, in the fastest way each dialect has.

PostgreSQL: one statement for everything, `WITH a AS (INSERT … SELECT FROM unnest(…)), …`, through
the raw asyncpg connection: one round trip, all or nothing by itself. SQLite: one turn of its
thread. Column types come from the tables, so the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Integer, LargeBinary, Table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake_service.customers.repository import driver
from shared.db.bulk import Statement, execute
from shared.db.types import UtcDateTime, utc_text
from shared.db.values import values_sqlite
from shared.kernel.errors import Conflict

Row = tuple[object, ...]


class GroupConflict(Conflict):
    """Another's row is in the way of the group's: a source, a key, an identity or a number."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Which columns of which table a row fills; `updates` replaces by the first column instead."""

    table: Table
    columns: tuple[str, ...]
    updates: bool = False

    def __hash__(self) -> int:
        return hash((self.table.name, self.columns, self.updates))


async def write_rows(
    connection: AsyncConnection, parts: Sequence[tuple[Shape, Sequence[Row]]]
) -> None:
    """Write every part, or raise GroupConflict and write none; the order is that of references.

    On PostgreSQL it must be the only change of its transaction: the driver's own connection is
    used, and SQLAlchemy has begun a transaction there only where it read something before.
    """
    filled = [(shape, rows) for shape, rows in parts if rows]
    if not filled:
        return
    if connection.dialect.name == "postgresql":
        await _write_postgresql(connection, filled)
    else:
        await _write_sqlite(connection, filled)


async def _write_sqlite(
    connection: AsyncConnection, parts: Sequence[tuple[Shape, Sequence[Row]]]
) -> None:
    statements: list[Statement] = []
    for shape, rows in parts:
        values = _sqlite_values(shape, rows)
        if shape.updates:
            statements.append((_sqlite_update(shape), values))
        else:
            statements += values_sqlite(_sqlite_insert(shape), values)
    try:
        await execute(connection, statements)
    except IntegrityError as failure:
        raise GroupConflict(str(failure.orig)) from failure


async def _write_postgresql(
    connection: AsyncConnection, parts: Sequence[tuple[Shape, Sequence[Row]]]
) -> None:
    import asyncpg  # only here: where everything is SQLite it is three megabytes for nothing

    statement = _postgresql_statement(tuple(shape for shape, _ in parts))
    arrays = [list(column) for _, rows in parts for column in zip(*rows, strict=True)]
    async with driver(connection) as raw:
        try:
            await raw.execute(statement, *arrays)
        except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError) as failure:
            # Two processes that write the same customers in another order lock each other out.
            raise GroupConflict(str(failure)) from failure


def _sqlite_values(shape: Shape, rows: Sequence[Row]) -> list[Row]:
    # Column by column: only those that hold instants need a look at their values.
    columns: list[Sequence[object]] = list(zip(*rows, strict=True))
    for place, name in enumerate(shape.columns):
        if isinstance(shape.table.c[name].type, UtcDateTime):
            columns[place] = [
                utc_text(value) if isinstance(value, datetime) else None for value in columns[place]
            ]
    return list(zip(*columns, strict=True))


@cache
def _sqlite_update(shape: Shape) -> str:
    names = shape.columns
    changes = ", ".join(f"{name} = ?{place}" for place, name in enumerate(names[1:], 2))
    return f"UPDATE {shape.table.name} SET {changes} WHERE {names[0]} = ?1"


@cache
def _sqlite_insert(shape: Shape) -> str:
    return f"INSERT INTO {shape.table.name} ({_listed(shape.columns)})"


@cache
def _postgresql_statement(shapes: tuple[Shape, ...]) -> str:
    fragments: list[str] = []
    first = 1
    for place, shape in enumerate(shapes):
        fragments.append(f"p{place} AS ({_postgresql_part(shape, first)})")
        first += len(shape.columns)
    return f"WITH {', '.join(fragments)} SELECT 1"


def _postgresql_part(shape: Shape, first: int) -> str:
    name, names = shape.table.name, shape.columns
    arrays = ", ".join(
        f"${first + place}::{_postgresql_type(shape.table.c[column].type)}[]"
        for place, column in enumerate(names)
    )
    if not shape.updates:
        return f"INSERT INTO {name} ({_listed(names)}) SELECT * FROM unnest({arrays})"
    changes = ", ".join(f"{_quoted(column)} = u.{_quoted(column)}" for column in names[1:])
    return (
        f"UPDATE {name} AS t SET {changes} FROM unnest({arrays}) "
        f"AS u({_listed(names)}) WHERE t.{_quoted(names[0])} = u.{_quoted(names[0])}"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return f'"{name}"'


def _postgresql_type(type_: Any) -> str:
    for python_type, name in (
        (LargeBinary, "bytea"),
        (UtcDateTime, "timestamptz"),
        (Boolean, "boolean"),
        (Integer, "bigint"),
    ):
        if isinstance(type_, python_type):
            return name
    return "text"
