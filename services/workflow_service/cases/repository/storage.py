"""Load cases under lock, and store changes: whatever their number, one statement per table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Change
from services.workflow_service.cases.models import case_history, cases
from services.workflow_service.cases.repository.rows import case_of, data_text, row_of
from services.workflow_service.clocks.repository import set_timers
from shared.db.bulk import insert_rows, upsert_rows


async def lock_cases(
    connection: AsyncConnection, ids: Iterable[str], *, skip_locked: bool = False
) -> dict[str, Case]:
    """Load cases for change, locked in the order of their ids so that no two wait for each other.

    `skip_locked` leaves out those that another transaction holds.
    """
    statement = (
        select(cases)
        .where(cases.c.id.in_(list(ids)))
        .order_by(cases.c.id)
        .with_for_update(skip_locked=skip_locked)
    )
    rows = (await connection.execute(statement)).mappings()
    return {row["id"]: case_of(row) for row in rows}


async def insert_opened(
    connection: AsyncConnection, changes: Sequence[Change], *, now: datetime
) -> None:
    """Store new cases with history and timers."""
    latest = _latest(changes)
    await insert_rows(connection, cases, [row_of(case) for case in latest])
    await _insert_history(connection, changes, now)
    await set_timers(connection, [(c.id, at, c.version) for c in latest if (at := c.next_point())])


async def store(connection: AsyncConnection, changes: Sequence[Change], *, now: datetime) -> None:
    """Store changed cases with history and timers; the caller holds their locks."""
    latest = _latest(changes)
    await upsert_rows(connection, cases, [row_of(case) for case in latest])
    await _insert_history(connection, changes, now)
    await set_timers(connection, [(c.id, c.next_point(), c.version) for c in latest])


def _latest(changes: Sequence[Change]) -> Sequence[Case]:
    """Return each case once, as its last change left it."""
    return list({change.case.id: change.case for change in changes}.values())


async def _insert_history(
    connection: AsyncConnection, changes: Sequence[Change], now: datetime
) -> None:
    rows: list[tuple[object, ...]] = []
    for change in changes:
        case = change.case
        for place, entry in enumerate(change.entries):
            rows.append(
                (
                    case.id,
                    case.version,
                    place,
                    entry.at,
                    now,
                    entry.by,
                    entry.action,
                    entry.from_state,
                    entry.to_state,
                    entry.why,
                    entry.words_id,
                    entry.note_id,
                    data_text(entry.data),
                )
            )
    await insert_rows(connection, case_history, rows)
