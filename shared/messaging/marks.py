"""How far each complaint's story was taken in: one read and one write per batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messaging.batch import MarkKey, Marks

_LOAD = """
SELECT complaint_id, source, sequence FROM sequence_marks WHERE complaint_id {among}
UNION ALL
SELECT complaint_id, '', 0 FROM dead_letters WHERE state = 'parked' AND complaint_id {among}
"""
_LOAD_SQLITE = _LOAD.format(among="IN (SELECT value FROM json_each(?))")
_LOAD_POSTGRESQL = _LOAD.format(among="= ANY($1::varchar[])")

_STORE_SQLITE = """
INSERT INTO sequence_marks (complaint_id, source, sequence) VALUES (?, ?, ?)
ON CONFLICT (complaint_id, source) DO UPDATE SET sequence = excluded.sequence
"""
# Compare and set: a consumer that lost its partition and does not know it yet must not pass.
_STORE_POSTGRESQL = """
WITH input AS (
    SELECT * FROM unnest($1::varchar[], $2::varchar[], $3::int[], $4::int[])
        AS input (complaint_id, source, sequence, expected)
), moved AS (
    UPDATE sequence_marks SET sequence = input.sequence FROM input
    WHERE sequence_marks.complaint_id = input.complaint_id
        AND sequence_marks.source = input.source
        AND sequence_marks.sequence = input.expected
    RETURNING 1
), made AS (
    INSERT INTO sequence_marks (complaint_id, source, sequence)
    SELECT complaint_id, source, sequence FROM input WHERE expected = 0
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM moved) + (SELECT count(*) FROM made)
"""


class MarksMoved(Exception):
    """Somebody else took in the same events meanwhile: read the marks again."""


class Standing(NamedTuple):
    """What is known of some complaints: their marks, and which of them are parked."""

    marks: Marks
    parked: frozenset[str]


async def load(connection: AsyncConnection, complaints: Sequence[str]) -> Standing:
    """Read marks and parked complaints in one statement."""
    if not complaints:
        return Standing({}, frozenset())
    if connection.dialect.name == "sqlite":
        text = orjson.dumps(complaints).decode()
        result = await connection.exec_driver_sql(_LOAD_SQLITE, (text, text))
    else:
        result = await connection.exec_driver_sql(_LOAD_POSTGRESQL, (list(complaints),))
    marks: dict[MarkKey, int] = {}
    parked: set[str] = set()
    for complaint_id, source, sequence in map(tuple, result):
        if source:
            marks[complaint_id, source] = sequence
        else:
            parked.add(complaint_id)
    return Standing(marks, frozenset(parked))


async def store(connection: AsyncConnection, new: Mapping[MarkKey, int], old: Marks) -> None:
    """Write marks in one statement; raises MarksMoved where `old` is not true any more."""
    if not new:
        return
    rows = [(*key, sequence) for key, sequence in sorted(new.items())]
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql(_STORE_SQLITE, rows)
        return
    complaints, sources, sequences = (list(column) for column in zip(*rows, strict=True))
    expected = [old.get((complaint_id, source), 0) for complaint_id, source, _sequence in rows]
    result = await connection.exec_driver_sql(
        _STORE_POSTGRESQL, (complaints, sources, sequences, expected)
    )
    if result.scalar_one() != len(rows):
        raise MarksMoved
