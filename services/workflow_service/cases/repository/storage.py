"""Load cases under lock, and store changes: whatever their number, one statement per table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Change
from services.workflow_service.cases.models import call_backs, case_history, cases
from services.workflow_service.cases.repository.rows import case_of, data_text, row_of
from services.workflow_service.clocks.models import timers
from services.workflow_service.clocks.repository import set_timers
from shared.db.bulk import Statement, execute_at_the_end, insert_rows, insertion, upsert_rows


async def lock_cases(connection: AsyncConnection, ids: Iterable[str]) -> dict[str, Case]:
    """Load cases for change, locked in the order of their ids: no two then wait for each other."""
    statement = (
        select(cases).where(cases.c.id.in_(list(ids))).order_by(cases.c.id).with_for_update()
    )
    rows = (await connection.execute(statement)).mappings()
    return {row["id"]: case_of(row) for row in rows}


async def lock_due(
    connection: AsyncConnection, now: datetime, *, limit: int, only: str | None = None
) -> list[Case]:
    """Load the cases whose timers are due, oldest first, or one of them, locked for change.

    Cases that another transaction holds are passed over, so replicas share what is due and none
    waits. That is also why the order of locking is free here: who never waits cannot be part of a
    deadlock. The timers are not locked, as only who holds a case moves its timer.
    """
    statement = (
        select(cases)
        .join(timers, timers.c.complaint_id == cases.c.id)
        .where(timers.c.due_at <= now)
        .order_by(timers.c.due_at, timers.c.complaint_id)
        .limit(limit)
        .with_for_update(of=cases, skip_locked=True)
    )
    if only is not None:
        statement = statement.where(timers.c.complaint_id == only)
    return [case_of(row) for row in (await connection.execute(statement)).mappings()]


@dataclass(frozen=True, slots=True)
class Opened:
    """New cases as they are to be stored, with history and timers; may be pickled."""

    statements: Sequence[Statement]
    points: Sequence[tuple[str, datetime]]


def opened_of(changes: Sequence[Change], *, now: datetime, dialect: str) -> Opened:
    """Return how new cases are stored in a database of that dialect."""
    latest = _latest(changes)
    points = [(case.id, case.next_point()) for case in latest]
    return Opened(
        [
            *insertion(cases, [row_of(case) for case in latest], dialect),
            *insertion(case_history, _history_rows(changes, now), dialect),
        ],
        [(case_id, at) for case_id, at in points if at is not None],
    )


async def insert_opened(connection: AsyncConnection, opened: Opened) -> None:
    """Store new cases with history and timers."""
    await execute_at_the_end(connection, opened.statements)
    if opened.points:
        await set_timers(connection, opened.points)


async def store(connection: AsyncConnection, changes: Sequence[Change], *, now: datetime) -> None:
    """Store changed cases with history and timers; the caller holds their locks."""
    latest = _latest(changes)
    await upsert_rows(connection, cases, [row_of(case) for case in latest])
    await insert_rows(connection, case_history, _history_rows(changes, now))
    await _index_call_backs(connection, latest)
    await set_timers(connection, [(c.id, c.next_point()) for c in latest])


def _latest(changes: Sequence[Change]) -> Sequence[Case]:
    """Return each case once, as its last change left it."""
    return list({change.case.id: change.case for change in changes}.values())


async def _index_call_backs(connection: AsyncConnection, latest: Sequence[Case]) -> None:
    rows = [(task.id, case.id, task.state.value) for case in latest for task in case.call_backs]
    await upsert_rows(connection, call_backs, rows)


def _history_rows(changes: Sequence[Change], now: datetime) -> Sequence[tuple[object, ...]]:
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
    return rows
