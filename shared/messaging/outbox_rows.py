"""Rows of the outbox: what a transaction wants the log to have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.headers import pack_envelope
from shared.db.bulk import put_off_sqlite
from shared.db.types import utc_text
from shared.events.base import EventData
from shared.events.envelope import Envelope
from shared.kernel import trace
from shared.kernel.ids import new_id


class OutboxRow(NamedTuple):
    """One row, in the order of `COLUMNS`; all but `created_at` as both drivers take them."""

    complaint_id: str | None
    sequence: int | None
    topic: str
    key: str
    headers: str
    value: bytes
    created_at: datetime


COLUMNS = OutboxRow._fields

_INSERT_SQLITE = f"INSERT INTO outbox ({', '.join(COLUMNS)})"
_INSERT_POSTGRESQL = f"""
INSERT INTO outbox ({", ".join(COLUMNS)})
SELECT {", ".join(COLUMNS)} FROM unnest(
    $1::varchar[], $2::int[], $3::varchar[], $4::text[], $5::text[], $6::bytea[], $7::timestamptz[]
) WITH ORDINALITY AS rows ({", ".join(COLUMNS)}, place)
ORDER BY place
"""  # noqa: S608 - our own names


def outbox_row(
    data: EventData, *, sequence: int, at: datetime, traceparent: str | None = None
) -> OutboxRow:
    """Make the row of one event that happened at `at`, by default in the current trace."""
    subject = data.subject
    envelope = Envelope(
        id=new_id(),
        source=data.source.value,
        type=type(data).__name__,
        version=data.schema_version,
        time=at,
        subject=subject,
        sequence=sequence,
        traceparent=traceparent or trace.current.get(),
    )
    return OutboxRow(
        complaint_id=subject,
        sequence=sequence,
        topic=data.topic,
        key=subject,
        headers=pack_envelope(envelope),
        value=data.__pydantic_serializer__.to_json(data),
        created_at=at,
    )


async def insert(connection: AsyncConnection, rows: Sequence[OutboxRow]) -> None:
    """Write rows in one statement, in their order."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        written = [(*row[:6], utc_text(row.created_at)) for row in rows]
        put_off_sqlite(connection, _INSERT_SQLITE, written)
    else:
        columns = tuple(list(column) for column in zip(*rows, strict=True))
        await connection.exec_driver_sql(_INSERT_POSTGRESQL, columns)
