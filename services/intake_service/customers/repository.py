"""Rows of customers: read for a whole group at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, any_, bindparam, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
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


def among(column: ColumnElement[Any], name: str, *, dialect: str) -> ColumnElement[bool]:
    """Return `column = any of the list bound to name`.

    On PostgreSQL one array, so that lists of every length share one prepared statement.
    """
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(column.type)))
    return column.in_(bindparam(name, expanding=True))


_OWNERS_SQLITE = (
    select(
        customer_identities.c.blind_index,
        customers.c.id,
        customers.c.data_key,
        customers.c.details,
        customers.c.tier,
        customers.c.locale,
    )
    .join(customers, customers.c.id == customer_identities.c.customer_id)
    .where(customer_identities.c.blind_index.in_(bindparam("indexes", expanding=True)))
)
# One index look for each identity. A join with `= ANY` is planned once, while the tables are still
# empty, as scans of both, and stays so until they are first analysed: a third of PostgreSQL's work.
_OWNERS_POSTGRESQL = """
SELECT found.* FROM unnest($1::bytea[]) AS wanted (blind_index)
CROSS JOIN LATERAL (
    SELECT i.blind_index, c.id, c.data_key, c.details, c.tier, c.locale
    FROM customer_identities i JOIN customers c ON c.id = i.customer_id
    WHERE i.blind_index = wanted.blind_index
    LIMIT 1
) AS found
"""


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
            rows = await raw.fetch(_OWNERS_POSTGRESQL, list(blind_indexes))
    else:
        found = await connection.execute(_OWNERS_SQLITE, {"indexes": list(blind_indexes)})
        rows = found.all()
    return {row[0]: KnownCustomer(*row[1:]) for row in rows if row[2] is not None}


@asynccontextmanager
async def driver(connection: AsyncConnection) -> AsyncIterator[Any]:
    """Lend the asyncpg connection under an SQLAlchemy one; raises Unavailable where it is lost.

    A lost one is taken out of the pool: SQLAlchemy does not see what happens on it.
    """
    import asyncpg  # only here: where everything is SQLite it is three megabytes for nothing

    raw = (await connection.get_raw_connection()).driver_connection
    try:
        yield raw
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError) as failure:
        await connection.invalidate()
        reason = str(failure) or "not in time"
        raise Unavailable(f"the database does not answer: {reason}") from failure
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
