"""Read and write imports, rejected rows and uploaded mappings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import RowMapping, and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake_service.channels.domain.progress import Counts, Import, ImportState
from services.intake_service.channels.models import imports, mappings, rejects


class RejectRow(NamedTuple):
    """A rejected row as stored: `words` is encrypted."""

    line: int
    reason: str
    words: bytes


async def load(connection: AsyncConnection, import_id: str) -> Import | None:
    """Return one import, None for an unknown id."""
    query = select(imports).where(imports.c.id == import_id)
    found = (await connection.execute(query)).mappings().first()
    return None if found is None else _import(found)


async def list_newest(
    connection: AsyncConnection, *, limit: int, before: tuple[datetime, str] | None
) -> list[Import]:
    """Return imports, the newest first, from before a (started_at, id)."""
    query = select(imports).order_by(imports.c.started_at.desc(), imports.c.id.desc()).limit(limit)
    if before is not None:
        started_at, import_id = before
        query = query.where(
            or_(
                imports.c.started_at < started_at,
                and_(imports.c.started_at == started_at, imports.c.id < import_id),
            )
        )
    return [_import(row) for row in (await connection.execute(query)).mappings()]


async def begin(connection: AsyncConnection, new: Import, *, replica: str) -> None:
    """Write an import that begins; one of the same id begins anew, without its old rejects."""
    await connection.execute(delete(rejects).where(rejects.c.import_id == new.id))
    await connection.execute(delete(imports).where(imports.c.id == new.id))
    await connection.execute(
        insert(imports).values(
            id=new.id,
            mapping=new.mapping,
            state=new.state.value,
            replica=replica,
            data_key=new.wrapped_key,
            started_at=new.started_at,
            updated_at=new.updated_at,
            **_counts(new.counts),
        )
    )


async def advance(
    connection: AsyncConnection,
    import_id: str,
    counts: Counts,
    *,
    at: datetime,
    new_rejects: Sequence[RejectRow] = (),
) -> None:
    """Write how far an import is, and the rows rejected since."""
    await connection.execute(
        update(imports).where(imports.c.id == import_id).values(updated_at=at, **_counts(counts))
    )
    if new_rejects:
        await connection.execute(
            insert(rejects), [{"import_id": import_id, **row._asdict()} for row in new_rejects]
        )


async def end(
    connection: AsyncConnection,
    import_id: str,
    state: ImportState,
    *,
    at: datetime,
    failure: str | None = None,
) -> None:
    """Write how an import ended."""
    await connection.execute(
        update(imports)
        .where(imports.c.id == import_id)
        .values(state=state.value, failure=failure, updated_at=at, ended_at=at)
    )


async def interrupt_of(connection: AsyncConnection, replica: str, *, at: datetime) -> None:
    """Mark what a replica's former process left running."""
    await connection.execute(
        update(imports)
        .where(imports.c.replica == replica, imports.c.state == ImportState.RUNNING.value)
        .values(state=ImportState.INTERRUPTED.value, updated_at=at, ended_at=at)
    )


async def read_rejects(
    connection: AsyncConnection, import_id: str, *, after_line: int, limit: int
) -> list[RejectRow]:
    """Return rejected rows by line, from after a line."""
    query = (
        select(rejects.c.line, rejects.c.reason, rejects.c.words)
        .where(rejects.c.import_id == import_id, rejects.c.line > after_line)
        .order_by(rejects.c.line)
        .limit(limit)
    )
    return [RejectRow(*row) for row in await connection.execute(query)]


async def load_mapping(connection: AsyncConnection, name: str) -> str | None:
    """Return the document of an uploaded mapping."""
    query = select(mappings.c.document).where(mappings.c.name == name)
    found: str | None = await connection.scalar(query)
    return found


async def save_mapping(
    connection: AsyncConnection, name: str, document: str, *, at: datetime
) -> bool:
    """Store a mapping's document in place of the former; returns whether it is new."""
    done = await connection.execute(
        update(mappings).where(mappings.c.name == name).values(document=document, updated_at=at)
    )
    if done.rowcount:
        return False
    await connection.execute(insert(mappings).values(name=name, document=document, updated_at=at))
    return True


async def list_mappings(connection: AsyncConnection) -> list[str]:
    """Return the names of the uploaded mappings."""
    return list(await connection.scalars(select(mappings.c.name).order_by(mappings.c.name)))


def _counts(counts: Counts) -> dict[str, object]:
    return {
        "rows_read": counts.read,
        "accepted": counts.accepted,
        "existing": counts.existing,
        "rejected": counts.rejected,
        "warnings": dict(counts.warnings),
    }


def _import(found: RowMapping) -> Import:
    return Import(
        id=found[imports.c.id],
        mapping=found[imports.c.mapping],
        state=ImportState(found[imports.c.state]),
        counts=Counts(
            read=found[imports.c.rows_read],
            accepted=found[imports.c.accepted],
            existing=found[imports.c.existing],
            rejected=found[imports.c.rejected],
            warnings=Counter(found[imports.c.warnings]),
        ),
        failure=found[imports.c.failure],
        wrapped_key=found[imports.c.data_key],
        started_at=found[imports.c.started_at],
        updated_at=found[imports.c.updated_at],
        ended_at=found[imports.c.ended_at],
    )
