"""How far each complaint's story was taken in: one read and one write per batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.bulk import put_off_sqlite
from shared.messaging.batch import MarkKey, Marks

_LOAD_SQLITE = """
SELECT complaint_id, source, sequence FROM sequence_marks
WHERE complaint_id IN (SELECT value FROM json_each(?))
UNION ALL
SELECT complaint_id, '', 0 FROM dead_letters
WHERE state = 'parked' AND complaint_id IN (SELECT value FROM json_each(?))
"""
# One index look for each complaint. `= ANY` is planned once, while the table is still empty, as a
# scan of it, and stays so until it is first analysed. Parked complaints are few: there it may scan.
_LOAD_POSTGRESQL = """
SELECT mark.complaint_id, mark.source, mark.sequence
FROM unnest($1::varchar[]) AS wanted (complaint_id)
CROSS JOIN LATERAL (
    SELECT complaint_id, source, sequence FROM sequence_marks
    WHERE complaint_id = wanted.complaint_id
    OFFSET 0
) AS mark
UNION ALL
SELECT complaint_id, '', 0 FROM dead_letters
WHERE state = 'parked' AND complaint_id = ANY($1::varchar[])
"""

_STORE_SQLITE = "INSERT INTO sequence_marks (complaint_id, source, sequence)"
_MOVE_SQLITE = "ON CONFLICT (complaint_id, source) DO UPDATE SET sequence = excluded.sequence"
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

# For complaints that are all new: a join for marks to move would scan the table for nothing.
_STORE_NEW_POSTGRESQL = """
WITH made AS (
    INSERT INTO sequence_marks (complaint_id, source, sequence)
    SELECT * FROM unnest($1::varchar[], $2::varchar[], $3::int[])
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM made
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
        put_off_sqlite(connection, _STORE_SQLITE, rows, ending=_MOVE_SQLITE)
        return
    complaints, sources, sequences = (list(column) for column in zip(*rows, strict=True))
    expected = [old.get((complaint_id, source), 0) for complaint_id, source, _sequence in rows]
    if any(expected):
        result = await connection.exec_driver_sql(
            _STORE_POSTGRESQL, (complaints, sources, sequences, expected)
        )
    else:
        result = await connection.exec_driver_sql(
            _STORE_NEW_POSTGRESQL, (complaints, sources, sequences)
        )
    if result.scalar_one() != len(rows):
        raise MarksMoved
