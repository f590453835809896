"""Statements of planning: what is known of complaints, and the intents of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple, TypedDict

from pydantic import JsonValue
from sqlalchemy import Table, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.messages.models import complaints, notifications
from shared.db.bulk import insert_sqlite
from shared.db.insert import insert_into


class Known(NamedTuple):
    """What is known of a complaint."""

    complaint_id: str
    wrapped_key: bytes | None
    language: str
    urgency: str
    category: str
    priority: str
    withdrawn: Mapping[str, int] | None


class Grade(TypedDict):
    """How a complaint is graded now."""

    of: str
    to_urgency: str
    to_category: str
    to_priority: str


class NewComplaint(TypedDict):
    """A row of `complaints`."""

    complaint_id: str
    number: str
    language: str
    urgency: str
    category: str
    priority: str
    about: str
    imported: bool
    sequence: int
    wrapped_key: bytes | None
    customer_id: str | None
    region: str | None


_REMEMBER_SQLITE = f"INSERT INTO complaints ({', '.join(NewComplaint.__annotations__)})"
_REMEMBERED = itemgetter(*NewComplaint.__annotations__)


class NewIntent(TypedDict):
    """A row of `notifications` as it begins."""

    id: str
    complaint_id: str
    kind: str
    occurrence: int
    audience: str
    recipient: str
    route: str | None
    facts: Mapping[str, JsonValue]
    state: str
    tried: Sequence[str]
    attempts: int
    tries: int
    reason: str | None
    created_at: datetime
    next_attempt_at: datetime
    gathered: bool
    mandatory: bool
    proof_due_at: datetime | None
    traceparent: str | None


async def remember(connection: AsyncConnection, rows: Sequence[NewComplaint]) -> None:
    """Write complaints; those that are known stay as they are."""
    if rows and connection.dialect.name == "sqlite":
        # Past SQLAlchemy's processing of each value: an import brings tens of thousands.
        written = list(map(_REMEMBERED, rows))
        await insert_sqlite(connection, _REMEMBER_SQLITE, written, ending="ON CONFLICT DO NOTHING")
    else:
        await _insert_new(connection, complaints, rows)


async def add_intents(connection: AsyncConnection, rows: Sequence[NewIntent]) -> None:
    """Write intents; one that exists for its fact and recipient stays as it is."""
    await _insert_new(connection, notifications, rows)


async def knows_customer(connection: AsyncConnection, customer_id: str) -> bool:
    """Tell whether a complaint of this customer was heard of."""
    chosen = select(complaints.c.complaint_id).where(complaints.c.customer_id == customer_id)
    return (await connection.execute(chosen.limit(1))).first() is not None


async def lock(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, Known]:
    """Lock complaints in the order of their ids, so that no two transactions wait in a ring."""
    chosen = (
        select(*(complaints.c[name] for name in Known._fields))
        .where(complaints.c.complaint_id.in_(ids))
        .order_by(complaints.c.complaint_id)
        .with_for_update(key_share=True)
    )
    return {row.complaint_id: Known(*row) for row in await connection.execute(chosen)}


async def regrade(connection: AsyncConnection, grades: Sequence[Grade]) -> None:
    """Keep how complaints are graded now; one that is not known yet is left out."""
    c = complaints.c
    change = (
        update(complaints)
        .where(c.complaint_id == bindparam("of"))
        .values(
            urgency=bindparam("to_urgency"),
            category=bindparam("to_category"),
            priority=bindparam("to_priority"),
        )
    )
    await connection.execute(change, [dict(grade) for grade in grades])


async def store_keys(connection: AsyncConnection, keys: Mapping[str, bytes]) -> None:
    """Give complaints their data keys."""
    if not keys:
        return
    change = (
        update(complaints)
        .where(complaints.c.complaint_id == bindparam("of"))
        .values(wrapped_key=bindparam("key"))
    )
    await connection.execute(change, [{"of": of, "key": key} for of, key in keys.items()])


async def withdraw(connection: AsyncConnection, withdrawn: Mapping[str, Mapping[str, int]]) -> None:
    """Keep, by complaint, how many messages of each kind are not to be sent any more."""
    change = (
        update(complaints)
        .where(complaints.c.complaint_id == bindparam("of"))
        .values(withdrawn=bindparam("counts"))
    )
    rows = [{"of": of, "counts": counts} for of, counts in withdrawn.items()]
    await connection.execute(change, rows)


async def last_occurrences(
    connection: AsyncConnection, ids: Sequence[str]
) -> dict[tuple[str, str], int]:
    """Return how often each complaint's customer or staff were told of each kind."""
    c = notifications.c
    counted = (
        select(c.complaint_id, c.kind, func.max(c.occurrence))
        .where(c.complaint_id.in_(ids))
        .group_by(c.complaint_id, c.kind)
    )
    return {(row[0], row[1]): row[2] for row in await connection.execute(counted)}


async def spread(
    connection: AsyncConnection,
    intent_id: str,
    group_name: str,
    people: Sequence[str],
    new_id: Callable[[], str],
) -> bool:
    """Turn an intent for a group into one for each person: the same row goes to the first.

    Who has one for this fact already, by another row of the table, is told once. False where that
    is everybody; what is not the group's any more stays as it is.
    """
    c = notifications.c
    # Another group's intent for the same fact may be spread by another replica at this moment.
    await _lock_room(connection, intent_id)
    chosen = select(notifications).where(c.id == intent_id, c.recipient == group_name)
    group = (await connection.execute(chosen.with_for_update())).one_or_none()
    if group is None:
        return True
    same = (c.complaint_id, c.kind, c.occurrence)
    told = select(c.recipient).where(*(column == getattr(group, column.name) for column in same))
    known = set(await connection.scalars(told))
    left = [person for person in people if person not in known]
    if not left:
        return False
    shared = {
        column.name: value for column, value in zip(notifications.columns, group, strict=True)
    } | {"leased_by": None, "leased_until": None}
    rows = [shared | {"id": new_id(), "recipient": person} for person in left[1:]]
    if rows:
        await connection.execute(insert(notifications), rows)
    change = update(notifications).where(c.id == intent_id)
    await connection.execute(change.values(recipient=left[0], leased_by=None, leased_until=None))
    return True


async def _lock_room(connection: AsyncConnection, intent_id: str) -> None:
    of = select(notifications.c.complaint_id).where(notifications.c.id == intent_id)
    chosen = select(complaints.c.complaint_id).where(
        complaints.c.complaint_id == of.scalar_subquery()
    )
    await connection.execute(chosen.with_for_update(key_share=True))


async def _insert_new(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[NewComplaint] | Sequence[NewIntent],
) -> None:
    if not rows:
        return
    dialect = connection.dialect.name
    given = [dict(row) for row in rows]
    await connection.execute(insert_into(table, dialect).on_conflict_do_nothing(), given)
