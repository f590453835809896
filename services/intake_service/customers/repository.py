"""Rows of customers: read for a whole group at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import asyncpg
from sqlalchemy import ColumnElement, Select, any_, bindparam, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake_service.customers.models import (
    customer_identities,
    customers,
    personal_data_access,
)
from shared.kernel.errors import Unavailable


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """A customer as stored."""

    id: str
    data_key: bytes
    details: bytes | None
    tier: str
    locale: str | None


_ASYNCPG: Dialect = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]  # has no types


def among(column: ColumnElement[Any], name: str, *, dialect: str) -> ColumnElement[bool]:
    """Return `column = any of the list bound to name`.

    On PostgreSQL one array, so that lists of every length share one prepared statement.
    """
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(column.type)))
    return column.in_(bindparam(name, expanding=True))


@cache
def _owners(dialect: str) -> Select[Any]:
    return (
        select(
            customer_identities.c.blind_index,
            customers.c.id,
            customers.c.data_key,
            customers.c.details,
            customers.c.tier,
            customers.c.locale,
        )
        .join(customers, customers.c.id == customer_identities.c.customer_id)
        .where(among(customer_identities.c.blind_index, "indexes", dialect=dialect))
    )


_LOOKS = insert(personal_data_access)


async def find_owners(
    connection: AsyncConnection, blind_indexes: Collection[bytes]
) -> dict[bytes, KnownCustomer]:
    """Return who owns each of these identities, in one query; those nobody owns are absent."""
    if not blind_indexes:
        return {}
    rows: Sequence[Sequence[Any]]
    if connection.dialect.name == "postgresql":
        # Past SQLAlchemy, which would open a transaction: two round trips of five for a group.
        async with driver(connection) as raw:
            rows = await raw.fetch(_owners_text(), list(blind_indexes))
    else:
        found = await connection.execute(_owners("sqlite"), {"indexes": list(blind_indexes)})
        rows = found.all()
    return {row[0]: KnownCustomer(*row[1:]) for row in rows if row[2] is not None}


@cache
def _owners_text() -> str:
    return str(_owners("postgresql").compile(dialect=_ASYNCPG))


@asynccontextmanager
async def driver(connection: AsyncConnection) -> AsyncIterator[Any]:
    """Lend the asyncpg connection under an SQLAlchemy one; raises Unavailable where it is lost.

    A lost one is taken out of the pool: SQLAlchemy does not see what happens on it.
    """
    raw = (await connection.get_raw_connection()).driver_connection
    try:
        yield raw
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError) as failure:
        await connection.invalidate()
        raise Unavailable(f"the database does not answer: {failure}") from failure
    except (asyncpg.InsufficientResourcesError, asyncpg.OperatorInterventionError) as failure:
        await connection.invalidate()
        raise Unavailable(f"the database does not answer: {failure}") from failure


async def load(connection: AsyncConnection, customer_id: str) -> KnownCustomer | None:
    """Return one customer; None for an unknown or erased one."""
    row = (
        await connection.execute(
            select(
                customers.c.id,
                customers.c.data_key,
                customers.c.details,
                customers.c.tier,
                customers.c.locale,
            ).where(customers.c.id == customer_id, customers.c.data_key.is_not(None))
        )
    ).one_or_none()
    return None if row is None else KnownCustomer(*row)


async def record_looks(
    connection: AsyncConnection,
    complaints: Collection[tuple[str, str]],
    *,
    principal: str,
    purpose: str,
    at: datetime,
) -> None:
    """Write down who saw the personal data of these (complaint, customer) pairs, and what for."""
    rows = [
        {
            "complaint_id": complaint_id,
            "customer_id": customer_id,
            "principal": principal,
            "purpose": purpose,
            "at": at,
        }
        for complaint_id, customer_id in complaints
    ]
    if rows:
        await connection.execute(_LOOKS, rows)
