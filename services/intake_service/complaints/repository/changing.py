"""What is appended to a complaint, and how it follows its case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

import orjson
from sqlalchemy import bindparam, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake_service.complaints.models import (
    additions,
    complaints,
    milestones,
    regradings,
)
from shared.db.types import utc_text


class AdditionValues(TypedDict):
    """The row of an addition."""

    id: str
    complaint_id: str
    kind: str
    by: str
    author: str | None
    fields: Sequence[str]
    text: bytes
    created_at: datetime


class RegradingValues(TypedDict):
    """The row of a regrading."""

    complaint_id: str
    sequence: int
    by: str
    why: bytes
    before: dict[str, str]
    after: dict[str, str]
    created_at: datetime


class ProgressValues(TypedDict):
    """How a complaint's case stands."""

    of_id: str
    status: str
    next_step: str | None
    next_due_at: datetime | None
    progress_at: datetime


class MilestoneValues(TypedDict):
    """The row of a milestone."""

    complaint_id: str
    sequence: int
    kind: str
    at: datetime


_FOLLOW = (
    update(complaints)
    .where(complaints.c.id == bindparam("of_id"))
    .values(
        {name: bindparam(name) for name in ("status", "next_step", "next_due_at", "progress_at")}
    )
)
_FOLLOW_SQLITE = """
UPDATE complaints SET
    status = json_extract(new.value, '$[1]'), next_step = json_extract(new.value, '$[2]'),
    next_due_at = json_extract(new.value, '$[3]'), progress_at = json_extract(new.value, '$[4]')
FROM json_each(?) AS new WHERE complaints.id = json_extract(new.value, '$[0]')
"""


async def add_addition(connection: AsyncConnection, values: AdditionValues) -> None:
    """Store an addition."""
    await connection.execute(insert(additions).values(**values))


async def add_regrading(connection: AsyncConnection, values: RegradingValues) -> None:
    """Store who overruled the classification and why."""
    await connection.execute(insert(regradings).values(**values))


async def set_sequence(connection: AsyncConnection, complaint_id: str, sequence: int) -> None:
    """Remember the last event said about a complaint whose row is locked."""
    await connection.execute(
        update(complaints).where(complaints.c.id == complaint_id).values(sequence=sequence)
    )


async def set_grade(connection: AsyncConnection, complaint_id: str, grade: dict[str, str]) -> None:
    """Store category, severity, urgency, priority and who decided."""
    await connection.execute(
        update(complaints).where(complaints.c.id == complaint_id).values(**grade)
    )


async def follow_cases(connection: AsyncConnection, progress: Sequence[ProgressValues]) -> None:
    """Store how these complaints' cases stand; complaints that are unknown here are passed over."""
    if not progress:
        return
    if connection.dialect.name == "sqlite":
        # Past SQLAlchemy's processing of each value, and in one step of the driver: an import
        # brings tens of thousands.
        rows = orjson.dumps([_as_text(values) for values in progress]).decode()
        await connection.exec_driver_sql(_FOLLOW_SQLITE, (rows,))
    else:
        await connection.execute(_FOLLOW, [dict(values) for values in progress])


def _as_text(values: ProgressValues) -> tuple[str | None, ...]:
    due_at = values["next_due_at"]
    return (
        values["of_id"],
        values["status"],
        values["next_step"],
        utc_text(due_at) if due_at else None,
        utc_text(values["progress_at"]),
    )


async def add_milestones(connection: AsyncConnection, rows: Sequence[MilestoneValues]) -> None:
    """Store what happened to cases."""
    if rows:
        await connection.execute(insert(milestones), [dict(row) for row in rows])
