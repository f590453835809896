"""Statements of following the log: how far it was followed, and what is made of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict

import orjson
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.webhooks.domain.filters import Standing
from services.notification_service.webhooks.domain.words import DeliveryState, LaneState
from services.notification_service.webhooks.models import (
    deliveries,
    lanes,
    progress,
    standings,
)
from shared.db.bulk import upsert_rows
from shared.db.insert import insert_into

_NAME = "log"

_KNOWN_SQLITE = """
SELECT subject, category, department FROM webhook_standings
WHERE subject IN (SELECT value FROM json_each(?))
"""
_KNOWN_POSTGRESQL = """
SELECT subject, category, department FROM webhook_standings WHERE subject = ANY($1::varchar[])
"""


class Progress(NamedTuple):
    """How far the log was followed: next offsets by topic and partition, and their version."""

    positions: Mapping[str, Sequence[int]]
    version: int


class NewDelivery(TypedDict):
    """One event for one endpoint."""

    webhook_id: str
    event_id: str
    type: str
    subject: str
    event_time: datetime
    body: bytes


async def load(connection: AsyncConnection) -> Progress:
    """Return how far the log was followed."""
    chosen = select(progress.c.positions, progress.c.version).where(progress.c.name == _NAME)
    row = (await connection.execute(chosen)).one_or_none()
    return Progress({}, 0) if row is None else Progress._make(row)


async def store(connection: AsyncConnection, new: Progress) -> bool:
    """Move on from the version before; False where somebody else has moved."""
    if new.version == 1:
        row = {"name": _NAME, **new._asdict()}
        made = await connection.execute(
            insert_into(progress, connection.dialect.name).on_conflict_do_nothing(), row
        )
        return made.rowcount == 1
    moved = await connection.execute(
        update(progress)
        .where(progress.c.name == _NAME, progress.c.version == new.version - 1)
        .values(positions=new.positions, version=new.version)
    )
    return moved.rowcount == 1


async def known(connection: AsyncConnection, subjects: Collection[str]) -> dict[str, Standing]:
    """Return what is known of complaints."""
    # In one parameter: an import asks for a thousand at a time.
    if connection.dialect.name == "sqlite":
        found = await connection.exec_driver_sql(
            _KNOWN_SQLITE, (orjson.dumps(list(subjects)).decode(),)
        )
    else:
        found = await connection.exec_driver_sql(_KNOWN_POSTGRESQL, (list(subjects),))
    return {
        subject: Standing(category, department)
        for subject, category, department in map(tuple, found)
    }


async def remember(connection: AsyncConnection, found: Mapping[str, Standing]) -> None:
    """Keep what is known of complaints."""
    rows = [(subject, one.category, one.department) for subject, one in sorted(found.items())]
    await upsert_rows(connection, standings, rows)


async def add(connection: AsyncConnection, rows: Sequence[NewDelivery], now: datetime) -> None:
    """Add deliveries in their order; those that are there already stay as they are."""
    if not rows:
        return
    await _open_lanes(connection, rows, now)
    state = DeliveryState.PENDING
    given = [{**row, "state": state, "attempts": 0, "created_at": now} for row in rows]
    await connection.execute(
        insert_into(deliveries, connection.dialect.name).on_conflict_do_nothing(), given
    )


async def _open_lanes(
    connection: AsyncConnection, rows: Sequence[NewDelivery], now: datetime
) -> None:
    """Have a lane for each complaint and endpoint, and lock it: nobody may find it empty now."""
    made = insert_into(lanes, connection.dialect.name)
    # In order, as everybody locks lanes; setting a value to itself is how to lock what is there.
    locked = made.on_conflict_do_update(
        index_elements=[lanes.c.webhook_id, lanes.c.subject],
        set_={"due_at": lanes.c.due_at},
    )
    keys = sorted({(row["webhook_id"], row["subject"]) for row in rows})
    fresh = {"state": LaneState.OPEN, "due_at": now, "tries": 0}
    await connection.execute(
        locked, [{"webhook_id": one, "subject": subject, **fresh} for one, subject in keys]
    )
