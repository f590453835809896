"""Statements of receipts: keep them, find the messages that they belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.messages.domain.words import State
from services.notification_service.messages.models import hand_overs, notifications
from services.notification_service.receipts.models import receipts
from shared.db.insert import insert_into

_r, _h, _n = receipts.c, hand_overs.c, notifications.c


class NewReceipt(TypedDict):
    """A row of `receipts`."""

    id: str
    gateway: str
    key: str
    reference: str | None
    message_id: str | None
    arrival: str
    code: str | None
    happened_at: datetime | None
    received_at: datetime


class Matched(NamedTuple):
    """A receipt whose message is known; `hand_over_id` where the gateway's answer was kept."""

    receipt_id: str
    gateway: str
    arrival: str
    code: str | None
    happened_at: datetime | None
    received_at: datetime
    reference: str | None
    notification_id: str
    hand_over_id: str | None


class Awaited(NamedTuple):
    """A hand-over whose receipt did not come in time."""

    hand_over_id: str
    notification_id: str
    channel: str


async def keep(connection: AsyncConnection, rows: Sequence[NewReceipt]) -> int:
    """Write receipts and return how many are new: a duplicate stays as it is."""
    if not rows:
        return 0
    insert = insert_into(receipts, connection.dialect.name)
    adding = insert.on_conflict_do_nothing().returning(_r.id)
    found = await connection.execute(adding.values([dict(row) for row in rows]))
    return len(found.all())


async def in_digests(
    connection: AsyncConnection, references: Sequence[str]
) -> dict[str, list[str]]:
    """Return the messages in each digest that is among our references; other mails are left out."""
    found: dict[str, list[str]] = defaultdict(list)
    if references:
        chosen = select(_n.digest_id, _n.id).where(_n.digest_id.in_(references)).order_by(_n.id)
        for digest_id, message_id in await connection.execute(chosen):
            found[digest_id].append(message_id)
    return dict(found)


async def anything_to_do(connection: AsyncConnection, *, now: datetime) -> bool:
    """Tell whether a receipt waits or one is overdue: asked each second, so without a lock."""
    waiting = select(_r.id).where(_r.applied_at.is_(None)).limit(1)
    late = select(_h.id).where(_h.arrival.is_(None), _h.receipt_due_at <= now).limit(1)
    for chosen in (waiting, late):
        if (await connection.execute(chosen)).first() is not None:
            return True
    return False


async def forget(connection: AsyncConnection, *, before: datetime, at: datetime) -> int:
    """Stop looking for the messages of receipts that came before; returns how many there were."""
    old = (_r.applied_at.is_(None), _r.received_at < before)
    done = await connection.execute(update(receipts).where(*old).values(applied_at=at))
    return done.rowcount


async def matched(connection: AsyncConnection, *, now: datetime, limit: int) -> list[Matched]:
    """Return receipts whose message is known and not in a sender's hands, oldest first."""
    columns = (
        _r.id,
        _r.gateway,
        _r.arrival,
        _r.code,
        _r.happened_at,
        _r.received_at,
        _r.reference,
        _n.id,
    )
    # By the gateway's name for it, else by our own reference: then the answer was lost.
    by_name = and_(_h.gateway == _r.gateway, _h.reference == _r.reference)
    settled = and_(
        _n.state != State.SENDING, or_(_n.leased_until.is_(None), _n.leased_until <= now)
    )
    chosen = (
        select(*columns, _h.id)
        .select_from(receipts)
        .outerjoin(hand_overs, by_name)
        .join(notifications, _n.id == func.coalesce(_h.notification_id, _r.message_id))
        .where(_r.applied_at.is_(None), settled)
        .order_by(_r.id)
        .limit(limit)
    )
    return [Matched._make(row) for row in await connection.execute(chosen)]


async def latest(connection: AsyncConnection, notification_ids: Sequence[str]) -> dict[str, str]:
    """Return the newest hand-over of each message."""
    chosen = (
        select(_h.notification_id, func.max(_h.id))
        .where(_h.notification_id.in_(notification_ids))
        .group_by(_h.notification_id)
    )
    return {row[0]: row[1] for row in await connection.execute(chosen)}


async def channel_of(connection: AsyncConnection, hand_over_id: str) -> str | None:
    """Return the channel of a hand-over."""
    found: str | None = await connection.scalar(select(_h.channel).where(_h.id == hand_over_id))
    return found


async def applied(
    connection: AsyncConnection, receipt_id: str, *, hand_over_id: str | None, at: datetime
) -> bool:
    """Write that a receipt has had its effect; False where another replica was faster."""
    mine = (_r.id == receipt_id, _r.applied_at.is_(None))
    done = await connection.execute(update(receipts).where(*mine).values(applied_at=at))
    if done.rowcount == 0:
        return False
    if hand_over_id is not None:
        arrival = select(_r.arrival).where(_r.id == receipt_id).scalar_subquery()
        change = update(hand_overs).where(_h.id == hand_over_id)
        # The first last word holds: a `delivered` is not undone by what comes after it.
        change = change.where(or_(_h.arrival.is_(None), _h.arrival != "delivered"))
        await connection.execute(change.values(arrival=arrival, receipt_id=receipt_id))
    return True


async def overdue(connection: AsyncConnection, *, now: datetime, limit: int) -> list[Awaited]:
    """Lock hand-overs whose receipt should have come by now."""
    chosen = (
        select(_h.id, _h.notification_id, _h.channel)
        .where(_h.arrival.is_(None), _h.receipt_due_at <= now)
        .order_by(_h.receipt_due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Awaited._make(row) for row in await connection.execute(chosen)]


async def missing(connection: AsyncConnection, hand_over_ids: Sequence[str]) -> None:
    """Write that no receipt came for these in time; one that comes later still counts."""
    change = update(hand_overs).where(_h.id.in_(hand_over_ids))
    await connection.execute(change.values(arrival="missing"))
