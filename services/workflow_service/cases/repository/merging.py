"""Find the cases of earlier and later complaints about the same matter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.workflow_service.cases.domain.lifecycle import NOT_BEGUN
from services.workflow_service.cases.models import IS_OPEN, cases

_GATE = 0x52656472
"""The advisory lock of opening cases; any number that nobody else uses in this database."""


async def gate_openings(connection: AsyncConnection, *, alone: bool) -> None:
    """Keep openings that look for a missing case apart from all others until they commit.

    Two processes that open a complaint and its repeat at the same moment would each miss what the
    other has not committed yet. Who opens takes the lock with others; who missed something takes it
    alone, and looks again. SQLite has one writer.
    """
    if connection.dialect.name != "postgresql":
        return
    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    await connection.execute(text(f"SELECT {lock}({_GATE})"))


async def going_on(connection: AsyncConnection, ids: Iterable[str]) -> dict[str, str]:
    """Return for each case that exists the one in which it goes on, by default itself."""
    found: dict[str, str] = {}
    looked_for = set(ids)
    while looked_for:
        statement = select(cases.c.id, cases.c.merged_into).where(cases.c.id.in_(looked_for))
        rows = (await connection.execute(statement)).all()
        found |= {case_id: into or case_id for case_id, into in rows}
        looked_for = {into for _, into in rows if into is not None} - found.keys()
    return {case_id: _end_of(found, case_id) for case_id in found}


def _end_of(found: dict[str, str], case_id: str) -> str:
    while found[case_id] != case_id:
        case_id = found[case_id]
    return case_id


async def are_settled(connection: AsyncConnection, ids: Iterable[str]) -> set[str]:
    """Return which of these cases nobody works on any more, resolved ones too."""
    statement = select(cases.c.id).where(cases.c.id.in_(set(ids)), text(f"NOT ({IS_OPEN})"))
    return set((await connection.execute(statement)).scalars())


async def open_repeats_of(connection: AsyncConnection, ids: Iterable[str]) -> list[str]:
    """Return the open cases of complaints that repeat these."""
    statement = select(cases.c.id).where(cases.c.repeat_of.in_(set(ids)), text(IS_OPEN))
    return list((await connection.execute(statement)).scalars())


async def repeats_waiting_for(
    connection: AsyncConnection, ids: Sequence[str]
) -> Sequence[tuple[str, str]]:
    """Return untouched cases that were opened before the complaints they repeat: (case, root)."""
    if not ids:
        return ()
    statement = (
        select(cases.c.id, cases.c.repeat_of)
        .where(
            cases.c.repeat_of.in_(ids),
            cases.c.merged_into.is_(None),
            cases.c.state.in_([state.value for state in NOT_BEGUN]),
        )
        .order_by(cases.c.id)
    )
    return [(case_id, root_id) for case_id, root_id in await connection.execute(statement)]
