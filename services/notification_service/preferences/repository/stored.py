"""Statements over preferences."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.preferences.domain.choices import Preferences
from services.notification_service.preferences.models import preference_changes, preferences
from shared.db.insert import insert_into

_p = preferences.c
_c = preference_changes.c


class Stored(NamedTuple):
    """A customer's preferences; version 0 is what holds before anybody has chosen."""

    customer_id: str
    version: int
    chosen: Preferences
    changed_by: str | None
    changed_at: datetime | None


_STORED = (_p.customer_id, _p.version, _p.document, _p.changed_by, _p.changed_at)


async def of_customers(
    connection: AsyncConnection, ids: Collection[str]
) -> Mapping[str, Preferences]:
    """Return what these customers chose, in one statement; who chose nothing is absent."""
    if not ids:
        return {}
    chosen = select(_p.customer_id, _p.document).where(_p.customer_id.in_(ids))
    rows = await connection.execute(chosen)
    return {row[0]: Preferences.model_validate(row[1]) for row in rows}


async def read(connection: AsyncConnection, customer_id: str) -> Stored | None:
    """Return one customer's preferences, None where nothing was chosen."""
    row = (await connection.execute(select(*_STORED).where(_p.customer_id == customer_id))).first()
    return None if row is None else _stored(tuple(row))


async def changes(connection: AsyncConnection, customer_id: str, *, limit: int) -> list[Stored]:
    """Return the last changes, newest first."""
    columns = (_c.customer_id, _c.version, _c.document, _c.changed_by, _c.changed_at)
    chosen = select(*columns).where(_c.customer_id == customer_id)
    rows = await connection.execute(chosen.order_by(_c.version.desc()).limit(limit))
    return [_stored(tuple(row)) for row in rows]


async def lock(connection: AsyncConnection, customer_id: str, empty: Preferences) -> Stored:
    """Lock one customer's row, made as version 0 where there is none, and return it."""
    row = {"customer_id": customer_id, "version": 0, "document": _document(empty)}
    made = insert_into(preferences, connection.dialect.name).on_conflict_do_nothing()
    await connection.execute(made, [row])
    chosen = select(*_STORED).where(_p.customer_id == customer_id).with_for_update()
    return _stored(tuple((await connection.execute(chosen)).one()))


async def change(connection: AsyncConnection, new: Stored) -> None:
    """Write the next version of a row that is locked, and that it was made."""
    row = {
        "version": new.version,
        "document": _document(new.chosen),
        "changed_by": new.changed_by,
        "changed_at": new.changed_at,
    }
    mine = update(preferences).where(_p.customer_id == new.customer_id)
    await connection.execute(mine.values(**row))
    made = insert(preference_changes)
    await connection.execute(made, [row | {"customer_id": new.customer_id}])


def _document(chosen: Preferences) -> dict[str, object]:
    return chosen.model_dump(mode="json", by_alias=True)


def _stored(row: tuple[object, ...]) -> Stored:
    customer_id, version, document, by, at = row
    return Stored._make((customer_id, version, Preferences.model_validate(document), by, at))
