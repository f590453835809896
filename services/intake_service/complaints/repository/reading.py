"""Find complaints and what belongs to them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake_service.complaints.models import additions, complaints, milestones
from services.intake_service.customers.models import customers


@dataclass(frozen=True, slots=True)
class StoredComplaint:
    """A complaint's row with its customer's key; `data_key` is None once the customer is erased."""

    id: str
    number: str
    customer_id: str
    source_system: str | None
    source_id: str | None
    channel: str
    received_at: datetime
    occurred_at: datetime | None
    tier: str
    language: str
    locale: str
    category: str
    decided_by: str
    suggested_category: str
    severity: str
    urgency: str
    priority: str
    motive: str | None
    region: str | None
    product: str | None
    demands: Sequence[str]
    imported: bool
    repeat_of: str | None
    words: bytes
    sequence: int
    status: str
    next_step: str | None
    next_due_at: datetime | None
    progress_at: datetime | None
    data_key: bytes | None
    details: bytes | None


@dataclass(frozen=True, slots=True)
class StoredAddition:
    """An addition's row."""

    id: str
    complaint_id: str
    kind: str
    by: str
    fields: Sequence[str]
    text: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Milestone:
    """Something that happened to the case and that the customer may see."""

    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ListFilter:
    """Which complaints a list shows; None leaves a field open."""

    status: str | None = None
    category: str | None = None
    channel: str | None = None
    customer_id: str | None = None


_OF_CUSTOMER = ("data_key", "details")
_COLUMNS = [
    (customers if name in _OF_CUSTOMER else complaints).c[name]
    for name in StoredComplaint.__dataclass_fields__
]


def _selection(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(*_COLUMNS)
        .join(customers, customers.c.id == complaints.c.customer_id)
        .where(*conditions)
    )


async def find(
    connection: AsyncConnection, *, id_: str | None = None, number: str | None = None
) -> StoredComplaint | None:
    """Return a complaint by id or number, None for an unknown one."""
    condition = complaints.c.id == id_ if id_ else complaints.c.number == number
    return await _one(connection, _selection(condition))


async def find_by_token(connection: AsyncConnection, token_hash: bytes) -> StoredComplaint | None:
    """Return the complaint of a tracking token, None for an unknown one."""
    return await _one(connection, _selection(complaints.c.token_hash == token_hash))


async def lock(connection: AsyncConnection, complaint_id: str) -> StoredComplaint | None:
    """Return a complaint and hold its row until the transaction ends."""
    selection = _selection(complaints.c.id == complaint_id).with_for_update(of=complaints)
    return await _one(connection, selection)


async def find_many(
    connection: AsyncConnection, complaint_ids: Collection[str]
) -> list[StoredComplaint]:
    """Return the complaints of these ids; unknown ones are absent."""
    rows = await connection.execute(_selection(complaints.c.id.in_(list(complaint_ids))))
    return [_stored(row) for row in rows]


async def list_page(
    connection: AsyncConnection, wanted: ListFilter, *, before: str | None, fetch: int
) -> list[StoredComplaint]:
    """Return complaints, the newest first, that were recorded before the complaint `before`."""
    selection = _selection()
    for name in ("status", "category", "channel", "customer_id"):
        value = getattr(wanted, name)
        if value is not None:
            selection = selection.where(complaints.c[name] == value)
    if before is not None:
        selection = selection.where(complaints.c.id < before)
    rows = await connection.execute(selection.order_by(complaints.c.id.desc()).limit(fetch))
    return [_stored(row) for row in rows]


async def additions_of(connection: AsyncConnection, complaint_id: str) -> list[StoredAddition]:
    """Return a complaint's additions, oldest first."""
    columns = [additions.c[name] for name in StoredAddition.__dataclass_fields__]
    rows = await connection.execute(
        select(*columns)
        .where(additions.c.complaint_id == complaint_id)
        .order_by(additions.c.created_at, additions.c.id)
    )
    return [StoredAddition(*row) for row in rows]


async def milestones_of(connection: AsyncConnection, complaint_id: str) -> list[Milestone]:
    """Return what happened to a complaint's case, oldest first."""
    rows = await connection.execute(
        select(milestones.c.kind, milestones.c.at)
        .where(milestones.c.complaint_id == complaint_id)
        .order_by(milestones.c.sequence)
    )
    return [Milestone(*row) for row in rows]


async def _one(connection: AsyncConnection, selection: Select[Any]) -> StoredComplaint | None:
    row = (await connection.execute(selection)).one_or_none()
    return None if row is None else _stored(row)


def _stored(row: Row[Any]) -> StoredComplaint:
    return StoredComplaint(**row._mapping)  # noqa: SLF001 - public in SQLAlchemy


async def has_case(connection: AsyncConnection, complaint_id: str) -> bool:
    """Tell whether workflow's first word about a complaint has come; False for an unknown one."""
    query = select(complaints.c.progress_at).where(complaints.c.id == complaint_id)
    return await connection.scalar(query) is not None
