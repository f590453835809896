"""The table of what could not be handled, and the copies of it that go to the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.headers import pack
from shared.db.insert import insert_into
from shared.events import topics
from shared.kernel import logging
from shared.messaging import metrics
from shared.messaging.batch import BEHIND, Letter, LetterState
from shared.messaging.marks import MarksMoved
from shared.messaging.outbox_rows import OutboxRow
from shared.messaging.tables import dead_letters
from shared.messaging.unit_of_work import UnitOfWork

log = logging.get(__name__)

_LARGEST_COPY_BYTES = 512 * 1024
"""A larger record is copied without its value: with the reason beside it, it could be more than the
log takes, and the relay would try for ever. The letter itself has all of it."""


async def store(unit: UnitOfWork, letters: Sequence[Letter], group: str) -> None:
    """Store letters, and send a copy of each that does not merely wait behind another.

    One that is there already, because the log repeated it, is left as it is.
    """
    if not letters:
        return
    insert = insert_into(dead_letters, unit.connection.dialect.name)
    for letter in letters:
        row = _row(letter, unit.now)
        stored = await unit.connection.execute(
            insert.values(row).on_conflict_do_nothing().returning(dead_letters.c.id)
        )
        if stored.scalar_one_or_none() is not None and letter.reason != BEHIND:
            unit.emit_row(_copy(letter, group, unit.now))
            _say(letter, group)


async def lock(connection: AsyncConnection, complaints: Iterable[str]) -> set[str]:
    """Lock what is parked of these complaints; returns those that are parked still.

    SQLite needs no lock: it has one writer, and all of these are what the caller has just read.
    """
    wanted = set(complaints)
    if not wanted or connection.dialect.name == "sqlite":
        return wanted
    query = (
        sa.select(dead_letters.c.complaint_id)
        .where(dead_letters.c.state == LetterState.PARKED.value)
        .where(dead_letters.c.complaint_id.in_(wanted))
        .order_by(dead_letters.c.id)
        .with_for_update()
    )
    return {found for found in await connection.scalars(query) if found is not None}


async def lock_parked(connection: AsyncConnection, complaints: Iterable[str]) -> None:
    """Keep parked complaints from being released meanwhile.

    Raises MarksMoved if one of them has just been.
    """
    wanted = set(complaints)
    if wanted - await lock(connection, wanted):
        raise MarksMoved


async def measure(connection: AsyncConnection, group: str) -> None:
    """Count what is parked and what is dead, for the metrics."""
    query = sa.select(
        dead_letters.c.state,
        sa.func.count(),
        sa.func.count(sa.distinct(dead_letters.c.complaint_id)),
    ).group_by(dead_letters.c.state)
    counts = {
        state: (rows, complaints) for state, rows, complaints in await connection.execute(query)
    }
    for state in LetterState:
        metrics.DEAD.labels(group, state.value).set(counts.get(state.value, (0, 0))[0])
    metrics.PARKED.labels(group).set(counts.get(LetterState.PARKED.value, (0, 0))[1])


def _row(letter: Letter, now: datetime) -> dict[str, object]:
    record, _envelope, type_, source, complaint_id, sequence, _fault = letter.arrival
    return {
        "state": letter.state.value,
        "reason": letter.reason,
        "complaint_id": complaint_id,
        "source": source,
        "sequence": sequence,
        "type": type_,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "logged_at": datetime.fromtimestamp(record.timestamp_ms / 1000, UTC),
        "key": _storable(record.key),
        "headers": pack(record.headers),
        "value": record.value,
        "created_at": now,
    }


def _copy(letter: Letter, group: str, now: datetime) -> OutboxRow:
    """Make the copy for `redress.dead-letters.v1`: the record as it was, and why, and whose."""
    record = letter.arrival.record
    position = f"{record.topic}/{record.partition}/{record.offset}"
    why = (
        ("redress-reason", letter.reason.encode()),
        ("redress-state", letter.state.value.encode()),
        ("redress-group", group.encode()),
        ("redress-position", position.encode()),
    )
    return OutboxRow(
        complaint_id=None,
        sequence=None,
        topic=topics.DEAD_LETTERS,
        key=_storable(record.key),
        headers=pack((*record.headers, *why)),
        value=record.value if len(record.value) <= _LARGEST_COPY_BYTES else b"",
        created_at=now,
    )


def _storable(text: str) -> str:
    """PostgreSQL's text holds no NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _say(letter: Letter, group: str) -> None:
    record = letter.arrival.record
    say = log.error if letter.state is LetterState.PARKED else log.warning
    say(
        f"event.{letter.state.value}",
        group=group,
        reason=letter.reason,
        complaint_id=letter.arrival.complaint_id,
        type=letter.arrival.type,
        position=f"{record.topic}/{record.partition}/{record.offset}",
    )
