"""Statements of deliveries: listing, outcomes, sending again, clearing away."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict

from sqlalchemy import (
    and_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.webhooks.domain.words import DeliveryState
from services.notification_service.webhooks.models import deliveries, lanes, webhooks

_d = deliveries.c
_LISTED = (
    _d.id,
    _d.event_id,
    _d.type,
    _d.subject,
    _d.event_time,
    _d.state,
    _d.attempts,
    _d.last_status,
    _d.last_error,
    _d.last_attempt_at,
    # A lane that was woken goes earlier than its failed delivery was told at first.
    case((_d.next_attempt_at.is_not(None), lanes.c.due_at)).label("next_attempt_at"),
    _d.created_at,
    _d.delivered_at,
)
_OF_LANE = and_(lanes.c.webhook_id == _d.webhook_id, lanes.c.subject == _d.subject)
_PENDING = _d.state == literal_column("'pending'")
_IS_LIVE = webhooks.c.deleted_at.is_(None)
_PARKED = _d.state == DeliveryState.PARKED
_VALUES = 5000
_AGAIN = update(deliveries).values(
    state=DeliveryState.PENDING, next_attempt_at=None, delivered_at=None
)

Key = tuple[str, str]


class Listed(NamedTuple):
    """A delivery without its body."""

    id: int
    event_id: str
    type: str
    subject: str
    event_time: datetime
    state: str
    attempts: int
    last_status: int | None
    last_error: str | None
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    created_at: datetime
    delivered_at: datetime | None


class Tried(TypedDict):
    """What one try came to."""

    of: int
    to_state: str
    to_status: int | None
    to_error: str | None
    to_attempt_at: datetime
    to_next_attempt_at: datetime | None
    to_delivered_at: datetime | None


class Portion(NamedTuple):
    """Some lanes of an endpoint, with ids of deliveries in them: compact, as there may be many."""

    subjects: list[str]
    ids: array[int]


class Expired(NamedTuple):
    """A delivery that was kept for as long as was promised."""

    id: int
    webhook_id: str
    subject: str
    state: str


async def page(
    connection: AsyncConnection,
    webhook_id: str,
    *,
    filters: Mapping[str, str],
    before: int | None,
    limit: int,
) -> Sequence[Listed]:
    """Return deliveries of an endpoint, the newest first; `filters` are columns and values."""
    chosen = (
        select(*_LISTED)
        .outerjoin(lanes, _OF_LANE)
        .where(_d.webhook_id == webhook_id)
        .order_by(_d.id.desc())
        .limit(limit)
    )
    if before is not None:
        chosen = chosen.where(_d.id < before)
    # Of one complaint there are few, of one state there may be millions: SQLite, which does not
    # know that, must not be offered the index by states as well.
    is_narrow = "subject" in filters or "event_id" in filters
    for name, value in filters.items():
        column = func.coalesce(_d[name], "") if name == "state" and is_narrow else _d[name]
        chosen = chosen.where(column == value)
    return [Listed._make(row) for row in await connection.execute(chosen)]


async def write(connection: AsyncConnection, rows: Sequence[Tried]) -> None:
    """Write what tries came to."""
    if not rows:
        return
    change = (
        update(deliveries)
        .where(_d.id == bindparam("of"))
        .values(
            state=bindparam("to_state"),
            attempts=_d.attempts + 1,
            last_status=bindparam("to_status"),
            last_error=bindparam("to_error"),
            last_attempt_at=bindparam("to_attempt_at"),
            next_attempt_at=bindparam("to_next_attempt_at"),
            delivered_at=bindparam("to_delivered_at"),
        )
    )
    await connection.execute(change, [dict(row) for row in rows])


async def lanes_of(connection: AsyncConnection, webhook_id: str, event_id: str) -> set[Key]:
    """Return the lane of the delivery of one event; empty where there is none."""
    chosen = select(_d.webhook_id, _d.subject).where(
        _d.webhook_id == webhook_id, _d.event_id == event_id
    )
    return {(row[0], row[1]) for row in await connection.execute(chosen)}


async def portions_between(
    connection: AsyncConnection, webhook_id: str, start: datetime, end: datetime, *, lanes_each: int
) -> list[Portion]:
    """Return the deliveries of events from a time to another, by a few lanes each."""
    chosen = (
        select(_d.subject, _d.id)
        .where(_d.webhook_id == webhook_id, _d.event_time >= start, _d.event_time < end)
        .order_by(_d.subject, _d.id)
    )
    portions: list[Portion] = []
    last: str | None = None
    for subject, delivery_id in await connection.execute(chosen):
        if subject != last:
            if not portions or len(portions[-1].subjects) >= lanes_each:
                portions.append(Portion([], array("q")))
            portions[-1].subjects.append(subject)
            last = subject
        portions[-1].ids.append(delivery_id)
    return portions


async def queue_again(connection: AsyncConnection, webhook_id: str, event_id: str) -> int:
    """Have a delivery sent again, whatever became of it; returns how many that are."""
    chosen = (_d.webhook_id == webhook_id, _d.event_id == event_id)
    return (await connection.execute(_AGAIN.where(*chosen))).rowcount


async def queue_these_again(connection: AsyncConnection, ids: Sequence[int]) -> int:
    """Have deliveries sent again, whatever became of them; returns how many are still there."""
    count = 0
    for start in range(0, len(ids), _VALUES):
        some = _d.id.in_(ids[start : start + _VALUES])
        count += (await connection.execute(_AGAIN.where(some))).rowcount
    return count


async def queue_parked_again(connection: AsyncConnection, keys: Collection[Key]) -> int:
    """Have what was given up in some lanes sent again; returns how many."""
    count = 0
    for webhook_id, subjects in _portions(keys):
        changed = await connection.execute(
            update(deliveries)
            .where(_d.webhook_id == webhook_id, _PARKED, _d.subject.in_(subjects))
            .values(state=DeliveryState.PENDING, next_attempt_at=None)
        )
        count += changed.rowcount
    return count


async def parked_in(connection: AsyncConnection, keys: Collection[Key], *, but: str) -> set[Key]:
    """Return those of the lanes in which another event than `but` was given up."""
    found: set[Key] = set()
    for webhook_id, subjects in _portions(keys):
        chosen = select(_d.webhook_id, _d.subject).where(
            _d.webhook_id == webhook_id, _PARKED, _d.subject.in_(subjects), _d.event_id != but
        )
        found |= {(row[0], row[1]) for row in await connection.execute(chosen)}
    return found


def _portions(keys: Collection[Key]) -> Iterator[tuple[str, Sequence[str]]]:
    """Part lanes by endpoint, and so that no statement has more values than a database takes."""
    by_webhook: dict[str, list[str]] = {}
    for webhook_id, subject in sorted(keys):
        by_webhook.setdefault(webhook_id, []).append(subject)
    for webhook_id, subjects in by_webhook.items():
        for start in range(0, len(subjects), _VALUES):
            yield webhook_id, subjects[start : start + _VALUES]


async def skip(connection: AsyncConnection, webhook_id: str, event_id: str) -> bool:
    """Let a complaint go on without a delivery that was not taken; False where there is none."""
    waiting = _d.state.in_([DeliveryState.PENDING, DeliveryState.PARKED])
    changed = await connection.execute(
        update(deliveries)
        .where(_d.webhook_id == webhook_id, _d.event_id == event_id, waiting)
        .values(state=DeliveryState.SKIPPED, next_attempt_at=None)
    )
    return changed.rowcount == 1


async def expired(
    connection: AsyncConnection, *, before: datetime, limit: int
) -> Sequence[Expired]:
    """Return deliveries that were made before a time, the oldest first."""
    chosen = (
        select(_d.id, _d.webhook_id, _d.subject, _d.state)
        .where(_d.created_at < before)
        .order_by(_d.created_at, _d.id)
        .limit(limit)
    )
    return [Expired._make(row) for row in await connection.execute(chosen)]


async def remove(connection: AsyncConnection, ids: Collection[int]) -> None:
    """Remove deliveries."""
    await connection.execute(delete(deliveries).where(_d.id.in_(ids)))


async def remove_some_of_deleted(connection: AsyncConnection, *, limit: int) -> int:
    """Remove some of what deleted subscriptions left, and those themselves once nothing is left.

    Returns how many rows went.
    """
    chosen = select(webhooks.c.id).where(webhooks.c.deleted_at.is_not(None)).limit(1)
    webhook_id = await connection.scalar(chosen)
    if webhook_id is None:
        return 0
    gone = 0
    ids = select(_d.id).where(_d.webhook_id == webhook_id).limit(limit)
    gone += (await connection.execute(delete(deliveries).where(_d.id.in_(ids)))).rowcount
    key = tuple_(lanes.c.webhook_id, lanes.c.subject)
    some = select(lanes.c.webhook_id, lanes.c.subject).where(lanes.c.webhook_id == webhook_id)
    locked = some.order_by(lanes.c.subject).limit(limit).with_for_update()
    gone += (await connection.execute(delete(lanes).where(key.in_(locked)))).rowcount
    if gone == 0:
        await connection.execute(delete(webhooks).where(webhooks.c.id == webhook_id))
    return gone


async def oldest_pending(connection: AsyncConnection) -> datetime | None:
    """Return when the oldest delivery was made that waits for an endpoint still there."""
    # Ids grow with the times at which deliveries are made.
    first = (
        select(_d.created_at)
        .where(_d.webhook_id == webhooks.c.id, _PENDING)
        .order_by(_d.id)
        .limit(1)
        .correlate(webhooks)
        .scalar_subquery()
    )
    found: datetime | None = await connection.scalar(select(func.min(first)).where(_IS_LIVE))
    return found


async def parked(connection: AsyncConnection) -> int:
    """Return how many deliveries are parked at endpoints still there."""
    # Endpoint by endpoint, as the index has it; a join would walk through all deliveries.
    of_one = (
        select(func.count())
        .select_from(deliveries)
        .where(_d.webhook_id == webhooks.c.id, _PARKED)
        .correlate(webhooks)
        .scalar_subquery()
    )
    counted = select(func.sum(of_one)).select_from(webhooks).where(_IS_LIVE)
    return int(await connection.scalar(counted) or 0)


async def endpoints(connection: AsyncConnection) -> Mapping[str, int]:
    """Return how many endpoints are in each state."""
    w = webhooks.c
    chosen = select(w.state, func.count()).where(w.deleted_at.is_(None)).group_by(w.state)
    return {row[0]: row[1] for row in await connection.execute(chosen)}
