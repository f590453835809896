"""Statements of subscriptions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.webhooks.domain.words import DeliveryState
from services.notification_service.webhooks.models import deliveries, webhooks

_w = webhooks.c


class Webhook(NamedTuple):
    """One subscription, in the order of the table's columns."""

    id: str
    url: str
    types: Sequence[str]
    categories: Sequence[str]
    departments: Sequence[str]
    state: str
    reason: str | None
    version: int
    wrapped_key: bytes
    secrets: bytes
    from_positions: Mapping[str, Sequence[int]]
    created_by: str
    created_at: datetime
    updated_at: datetime
    failing_since: datetime | None
    probe_at: datetime | None
    deleted_at: datetime | None


async def add(connection: AsyncConnection, webhook: Webhook) -> None:
    """Store a new subscription."""
    await connection.execute(insert(webhooks).values(webhook._asdict()))


async def one(connection: AsyncConnection, webhook_id: str, *, lock: bool) -> Webhook | None:
    """Return a subscription that was not deleted, locked where it is to be changed."""
    chosen = select(webhooks).where(_w.id == webhook_id, _w.deleted_at.is_(None))
    row = (await connection.execute(chosen.with_for_update() if lock else chosen)).one_or_none()
    return None if row is None else Webhook._make(row)


async def page(connection: AsyncConnection, *, after: str | None, limit: int) -> Sequence[Webhook]:
    """Return subscriptions, the oldest first."""
    chosen = select(webhooks).where(_w.deleted_at.is_(None)).order_by(_w.id).limit(limit)
    if after is not None:
        chosen = chosen.where(_w.id > after)
    return [Webhook._make(row) for row in await connection.execute(chosen)]


async def live(connection: AsyncConnection) -> Sequence[Webhook]:
    """Return all subscriptions that were not deleted."""
    chosen = select(webhooks).where(_w.deleted_at.is_(None)).order_by(_w.id)
    return [Webhook._make(row) for row in await connection.execute(chosen)]


async def versions(connection: AsyncConnection, ids: Collection[str]) -> Mapping[str, int]:
    """Return the versions of subscriptions; whatever a person changes makes a new one."""
    chosen = select(_w.id, _w.version).where(_w.id.in_(ids))
    return {row[0]: row[1] for row in await connection.execute(chosen)}


async def count(connection: AsyncConnection) -> int:
    """Return how many subscriptions there are."""
    chosen = select(func.count()).select_from(webhooks).where(_w.deleted_at.is_(None))
    return int(await connection.scalar(chosen) or 0)


async def lock_many(connection: AsyncConnection, ids: Collection[str]) -> dict[str, Webhook]:
    """Lock subscriptions in order of id, the deleted ones too."""
    chosen = select(webhooks).where(_w.id.in_(ids)).order_by(_w.id).with_for_update()
    found = [Webhook._make(row) for row in await connection.execute(chosen)]
    return {one.id: one for one in found}


async def change(connection: AsyncConnection, webhook_id: str, **values: object) -> None:
    """Change columns of a subscription."""
    await connection.execute(update(webhooks).where(_w.id == webhook_id).values(values))


async def forget_beginnings(connection: AsyncConnection) -> None:
    """Have every subscription begin with the first event there is: the log is another one."""
    await connection.execute(update(webhooks).values(from_positions={}))


async def waiting(connection: AsyncConnection, webhook_id: str) -> tuple[int, int]:
    """Return how many deliveries are pending and how many parked."""
    d = deliveries.c
    counts = [
        await connection.scalar(
            select(func.count())
            .select_from(deliveries)
            .where(d.webhook_id == webhook_id, d.state == state)
        )
        for state in (DeliveryState.PENDING, DeliveryState.PARKED)
    ]
    return int(counts[0] or 0), int(counts[1] or 0)
