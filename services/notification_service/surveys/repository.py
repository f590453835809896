"""Statements over surveys."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.messages.models import complaints
from services.notification_service.surveys.models import surveys
from shared.db.insert import insert_into

_s = surveys.c


class NewSurvey(TypedDict):
    """A row as it begins."""

    id: str
    complaint_id: str
    round: int
    token_hash: bytes
    asked_at: datetime
    expires_at: datetime


class Stored(NamedTuple):
    """A row with what is known of its complaint; `wrapped_key` opens the words."""

    id: str
    complaint_id: str
    round: int
    asked_at: datetime
    expires_at: datetime
    score: int | None
    wants_call: bool | None
    words: bytes | None
    answered_at: datetime | None
    number: str
    language: str
    wrapped_key: bytes | None


_STORED = (
    *(_s.id, _s.complaint_id, _s.round, _s.asked_at, _s.expires_at),
    *(_s.score, _s.wants_call, _s.words, _s.answered_at),
    *(complaints.c.number, complaints.c.language, complaints.c.wrapped_key),
)


async def add(connection: AsyncConnection, rows: Sequence[NewSurvey]) -> None:
    """Write surveys; one that exists for its round stays as it is."""
    if not rows:
        return
    made = insert_into(surveys, connection.dialect.name).on_conflict_do_nothing()
    written = [dict(row) for row in rows]
    await connection.execute(made, written)


async def find(
    connection: AsyncConnection, token_hash: bytes, *, for_change: bool = False
) -> Stored | None:
    """Return the survey of a token, locked where it is to be changed."""
    chosen = _chosen().where(_s.token_hash == token_hash)
    if for_change:
        chosen = chosen.with_for_update(of=surveys)
    row = (await connection.execute(chosen)).first()
    return None if row is None else Stored._make(row)


async def answer(
    connection: AsyncConnection,
    survey_id: str,
    *,
    score: int,
    wants_call: bool,
    words: bytes | None,
    at: datetime,
) -> None:
    """Write the answer of a survey that is locked."""
    mine = update(surveys).where(_s.id == survey_id)
    await connection.execute(
        mine.values(score=score, wants_call=wants_call, words=words, answered_at=at)
    )


async def whereabouts(
    connection: AsyncConnection, complaint_id: str
) -> tuple[str | None, str | None]:
    """Return a complaint's customer and region, each None where it is not known."""
    c = complaints.c
    chosen = select(c.customer_id, c.region).where(c.complaint_id == complaint_id)
    row = (await connection.execute(chosen)).one()
    return row.customer_id, row.region


async def page(
    connection: AsyncConnection, *, complaint_id: str | None, before: str | None, limit: int
) -> list[Stored]:
    """Return surveys, the newest first."""
    chosen = _chosen().order_by(_s.id.desc()).limit(limit)
    if complaint_id is not None:
        chosen = chosen.where(_s.complaint_id == complaint_id)
    if before is not None:
        chosen = chosen.where(_s.id < before)
    return [Stored._make(row) for row in await connection.execute(chosen)]


async def answered(connection: AsyncConnection, complaint_ids: Collection[str]) -> list[Stored]:
    """Return the answered surveys of complaints, the latest round last."""
    chosen = _chosen().where(_s.complaint_id.in_(complaint_ids), _s.answered_at.is_not(None))
    rows = await connection.execute(chosen.order_by(_s.complaint_id, _s.round))
    return [Stored._make(row) for row in rows]


def _chosen() -> Select[tuple[object, ...]]:
    return select(*_STORED).join(complaints, complaints.c.complaint_id == _s.complaint_id)
