"""Find cases and their history without locking anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, case, func, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from services.workflow_service.cases.domain.case import Case, Entry
from services.workflow_service.cases.domain.lifecycle import OPEN_STATES
from services.workflow_service.cases.domain.segments import OUTSIDE, WENT_OVER, Past
from services.workflow_service.cases.models import case_history, cases
from services.workflow_service.cases.repository.rows import case_of
from shared.events.words import CaseState


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases are asked for; several values of one field are alternatives."""

    states: Sequence[str] = ()
    owners: Sequence[str] = ()
    departments: Sequence[str] = ()
    priorities: Sequence[str] = ()
    complaint_id: str | None = None
    overdue: bool | None = None
    watched: bool | None = None
    approvers: Sequence[str] = ()


async def find_case(
    connection: AsyncConnection, *, case_id: str, number: str | None = None
) -> Case | None:
    """Return the case with a number where one is given, else with an id."""
    match = cases.c.id == case_id if number is None else cases.c.number == number
    row = (await connection.execute(select(cases).where(match))).mappings().one_or_none()
    return case_of(row) if row is not None else None


async def numbered(connection: AsyncConnection, numbers: Iterable[str]) -> list[Case]:
    """Return the cases with these numbers, the oldest first."""
    statement = select(cases).where(cases.c.number.in_(list(numbers))).order_by(cases.c.id)
    return [case_of(row) for row in (await connection.execute(statement)).mappings()]


async def list_cases(
    connection: AsyncConnection,
    wanted: CaseFilter,
    *,
    now: datetime,
    before_id: str | None,
    limit: int,
) -> list[Case]:
    """Return cases, the newest first, at most `limit` of those before `before_id`."""
    statement = _filtered(select(cases), wanted, now)
    if before_id is not None:
        statement = statement.where(cases.c.id < before_id)
    statement = statement.order_by(cases.c.id.desc()).limit(limit)
    return [case_of(row) for row in (await connection.execute(statement)).mappings()]


async def list_due(
    connection: AsyncConnection, wanted: CaseFilter, *, now: datetime, limit: int
) -> list[Case]:
    """Return cases in which a milestone is waited for, the one that is due first on top."""
    statement = _filtered(select(cases), wanted, now).where(cases.c.due_at.is_not(None))
    statement = statement.order_by(cases.c.due_at, cases.c.id).limit(limit)
    return [case_of(row) for row in (await connection.execute(statement)).mappings()]


async def open_cases(connection: AsyncConnection, *, after_id: str, limit: int) -> list[Case]:
    """Return cases that something is waited for in, in the order of their ids."""
    rows = await connection.execute(_open_after(select(cases), after_id, limit))
    return [case_of(row) for row in rows.mappings()]


async def open_ids(connection: AsyncConnection, *, after_id: str, limit: int) -> list[str]:
    """Return the ids of cases that something is waited for in, in order."""
    found = await connection.execute(_open_after(select(cases.c.id), after_id, limit))
    return [row.id for row in found]


def _open_after(statement: Select[Any], after_id: str, limit: int) -> Select[Any]:
    is_open = cases.c.state.in_([state.value for state in (*OPEN_STATES, CaseState.RESOLVED)])
    return statement.where(cases.c.id > after_id, is_open).order_by(cases.c.id).limit(limit)


async def pasts_of(
    connection: AsyncConnection, customers: Iterable[str], *, since: datetime
) -> dict[str, Past]:
    """Return what each customer's cases since then come to; who has none is absent."""
    # The causes are looked at as text: a list of few words, in the rows of a few customers.
    asked = type_coerce(cases.c.causes, Text).contains(f'"{WENT_OVER}"')
    outside = or_(asked, cases.c.channel.in_([str(channel) for channel in OUTSIDE]))
    statement = (
        select(cases.c.customer_id, func.count(), func.max(case((outside, 1), else_=0)))
        .where(cases.c.customer_id.in_(list(customers)), cases.c.opened_at >= since)
        .group_by(cases.c.customer_id)
    )
    rows = await connection.execute(statement)
    return {customer: Past(count, bool(escalated)) for customer, count, escalated in rows}


async def history_of(connection: AsyncConnection, case_id: str) -> list[Entry]:
    """Return a case's history in the order in which it was recorded."""
    h = case_history.c
    statement = (
        select(
            *(h.at, h.by, h.action, h.from_state, h.to_state),
            *(h.why, h.words_id, h.note_id, h.data, h.recorded_at),
        )
        .where(h.complaint_id == case_id)
        .order_by(h.version, h.place)
    )
    rows = await connection.execute(statement)
    return [Entry(**row) for row in rows.mappings()]


def _filtered(
    statement: Select[tuple[object, ...]], wanted: CaseFilter, now: datetime
) -> Select[tuple[object, ...]]:
    for column, values in (
        (cases.c.state, wanted.states),
        (cases.c.owner, wanted.owners),
        (cases.c.department, wanted.departments),
        (cases.c.priority, wanted.priorities),
        (cases.c.approver, wanted.approvers),
    ):
        if values:
            statement = statement.where(column.in_(list(values)))
    if wanted.complaint_id is not None:
        statement = statement.where(cases.c.id == wanted.complaint_id)
    if wanted.watched is not None:
        listed = cases.c.watched.is_not(None)
        statement = statement.where(listed if wanted.watched else ~listed)
    if wanted.overdue is True:
        statement = statement.where(cases.c.due_at <= now)
    if wanted.overdue is False:
        statement = statement.where((cases.c.due_at > now) | cases.c.due_at.is_(None))
    return statement
