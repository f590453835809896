# ruff: noqa: S608 (names of columns are our own; values are parameters)
"""Find the first complaint about the same matter, for a whole group in one query."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake_service.complaints.domain.repeats import NO_MATTER
from services.intake_service.complaints.repository.bulk import GroupConflict
from services.intake_service.customers.models import customers
from services.intake_service.customers.repository import among, driver
from shared.db.types import utc_text

_DEADLOCK = "40P01"
"""PostgreSQL's code for a transaction that was ended because two waited for each other."""


class Asked(NamedTuple):
    """A new complaint of a customer who complained before.

    `since`: from when on a complaint of the same category counts as one about the same matter.
    """

    complaint_id: str
    customer_id: str
    category: str
    since: datetime
    order_key: bytes | None
    contract_key: bytes | None
    product: str | None


def _first(same: str) -> str:
    # One look into the index that begins with customer and mark and goes on in the order of time.
    return (
        "(SELECT coalesce(c.repeat_of, c.id) FROM complaints c"
        f" WHERE c.customer_id = w.customer_id AND {same} ORDER BY c.received_at LIMIT 1)"
    )


_SAME_KIND = (
    f"c.category = w.category AND w.category <> '{NO_MATTER}' AND c.received_at >= w.since"
    " AND (c.order_key IS NULL OR w.order_key IS NULL OR c.order_key = w.order_key)"
)
_FIRSTS = ", ".join(
    _first(same)
    for same in (
        _SAME_KIND,
        "c.order_key = w.order_key",
        "c.contract_key = w.contract_key",
        "c.product = w.product",
    )
)
_COLUMNS = ", ".join(Asked._fields)
_POSTGRESQL = (
    f"SELECT w.complaint_id, {_FIRSTS} FROM unnest($1::text[], $2::text[], $3::text[],"
    f" $4::timestamptz[], $5::bytea[], $6::bytea[], $7::text[]) AS w ({_COLUMNS})"
)
_MARKS = f"({', '.join('?' * len(Asked._fields))})"
_LOCK = (
    select(customers.c.id)
    .where(among(customers.c.id, "ids", dialect="postgresql"))
    .order_by(customers.c.id)
    .with_for_update(key_share=True)
)


async def find_roots(connection: AsyncConnection, asked: Sequence[Asked]) -> dict[str, str]:
    """Return the first complaint about the matter of each of these; those without one are absent.

    Holds the customers until the transaction ends: whoever records a complaint of one of them at
    the same time waits, and then finds this one. On SQLite nobody else writes. Raises
    GroupConflict where two would wait for each other.
    """
    if not asked:
        return {}
    rows: Sequence[Sequence[Any]]
    if connection.dialect.name == "postgresql":
        await _hold(connection, {one.customer_id for one in asked})
        async with driver(connection) as raw:
            rows = await raw.fetch(_POSTGRESQL, *map(list, zip(*asked, strict=True)))
    else:
        rows = await _fetch_sqlite(connection, asked)
    found = ((row[0], [root for root in row[1:] if root is not None]) for row in rows)
    # Ids order complaints by when they were recorded: of several matters the oldest.
    return {complaint_id: min(roots) for complaint_id, roots in found if roots}


async def _hold(connection: AsyncConnection, customer_ids: Collection[str]) -> None:
    try:
        await connection.execute(_LOCK, {"ids": list(customer_ids)})
    except DBAPIError as failure:
        # An import changes customers in the order of its rows, and holds each until its commit.
        if getattr(failure.orig, "sqlstate", None) == _DEADLOCK:
            raise GroupConflict(str(failure.orig)) from failure
        raise


async def _fetch_sqlite(
    connection: AsyncConnection, asked: Sequence[Asked]
) -> Sequence[Sequence[Any]]:
    values = ", ".join([_MARKS] * len(asked))
    statement = f"WITH w ({_COLUMNS}) AS (VALUES {values}) SELECT w.complaint_id, {_FIRSTS} FROM w"
    bound = tuple(
        utc_text(value) if isinstance(value, datetime) else value for one in asked for value in one
    )
    return (await connection.exec_driver_sql(statement, bound)).all()
