"""Statements of sending: what is due, who has it in hand, what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    delete,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.webhooks.domain.words import LaneState, WebhookState
from services.notification_service.webhooks.models import deliveries, lanes, webhooks
from services.notification_service.webhooks.repository.subscriptions import Webhook
from shared.db.insert import insert_into

_l = lanes.c
_w = webhooks.c
_d = deliveries.c
# Literals, and not parameters: only so a planner sees that the partial indexes fit.
_OPEN = _l.state == literal_column("'open'")
_PENDING = _d.state == literal_column("'pending'")

Key = tuple[str, str]
"""Webhook and subject."""


class LeasedLane(NamedTuple):
    """A lane that this process has in hand."""

    webhook_id: str
    subject: str
    tries: int
    failing_since: datetime | None


class Waiting(NamedTuple):
    """A delivery to send."""

    id: int
    webhook_id: str
    subject: str
    event_id: str
    body: bytes


class SettledLane(TypedDict):
    """What becomes of a lane that still has something."""

    of_webhook: str
    of_subject: str
    to_state: str
    to_due_at: datetime
    to_tries: int
    to_failing_since: datetime | None


async def sendable(connection: AsyncConnection, now: datetime) -> Sequence[Webhook]:
    """Return the endpoints that have something due, and the suspended ones due for a probe."""
    mine = and_(_l.webhook_id == _w.id, _OPEN, _free(now))
    due = and_(_w.state == WebhookState.ACTIVE, exists().where(mine, _l.due_at <= now))
    probe = and_(_w.state == WebhookState.SUSPENDED, _w.probe_at <= now, exists().where(mine))
    chosen = select(webhooks).where(_w.deleted_at.is_(None), or_(due, probe)).order_by(_w.id)
    return [Webhook._make(row) for row in await connection.execute(chosen)]


async def claim_probe(
    connection: AsyncConnection, webhook_id: str, *, now: datetime, until: datetime
) -> bool:
    """Take the turn to probe a suspended endpoint, so that one replica does."""
    claimed = await connection.execute(
        update(webhooks)
        .where(_w.id == webhook_id, _w.state == WebhookState.SUSPENDED, _w.probe_at <= now)
        .values(probe_at=until)
    )
    return claimed.rowcount == 1


async def lease(
    connection: AsyncConnection,
    webhook_id: str,
    *,
    by: str,
    now: datetime,
    until: datetime,
    limit: int,
    only_due: bool,
) -> Sequence[LeasedLane]:
    """Take lanes that are due, those first that wait longest; without `only_due` any."""
    chosen = (
        select(_l.webhook_id, _l.subject, _l.tries, _l.failing_since)
        .where(_l.webhook_id == webhook_id, _OPEN, _free(now))
        .order_by(_l.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if only_due:
        chosen = chosen.where(_l.due_at <= now)
    found = [LeasedLane._make(row) for row in await connection.execute(chosen)]
    if found:
        taken = and_(_l.webhook_id == webhook_id, _l.subject.in_([one.subject for one in found]))
        await connection.execute(
            update(lanes).where(taken).values(leased_by=by, leased_until=until)
        )
    return found


async def first_of(
    connection: AsyncConnection, found: Sequence[LeasedLane], *, each: int
) -> Mapping[Key, Sequence[Waiting]]:
    """Return the first deliveries of lanes of one endpoint, in order."""
    if not found:
        return {}
    place = func.row_number().over(partition_by=_d.subject, order_by=_d.id).label("place")
    ranked = (
        select(_d.id, _d.webhook_id, _d.subject, _d.event_id, _d.body, place)
        .where(
            _d.webhook_id == found[0].webhook_id,
            _d.subject.in_([one.subject for one in found]),
            _PENDING,
        )
        .subquery()
    )
    c = ranked.c
    chosen = (
        select(c.id, c.webhook_id, c.subject, c.event_id, c.body)
        .where(c.place <= each)
        .order_by(c.id)
    )
    by_lane: dict[Key, list[Waiting]] = {}
    for row in await connection.execute(chosen):
        waiting = Waiting._make(row)
        by_lane.setdefault((waiting.webhook_id, waiting.subject), []).append(waiting)
    return by_lane


async def lock_held(
    connection: AsyncConnection, keys: Collection[Key], *, by: str
) -> dict[Key, str]:
    """Lock those of the lanes that this process still has in hand; returns their states."""
    chosen = (
        select(_l.webhook_id, _l.subject, _l.state)
        .where(_is_one_of(keys, _l.webhook_id, _l.subject), _l.leased_by == by)
        .order_by(_l.webhook_id, _l.subject)
        .with_for_update()
    )
    return {(row[0], row[1]): row[2] for row in await connection.execute(chosen)}


async def with_more(connection: AsyncConnection, keys: Collection[Key]) -> set[Key]:
    """Return those of the lanes in which something is still pending."""
    chosen = (
        select(_d.webhook_id, _d.subject)
        .where(_is_one_of(keys, _d.webhook_id, _d.subject), _PENDING)
        .distinct()
    )
    return {(row[0], row[1]) for row in await connection.execute(chosen)}


async def settle(connection: AsyncConnection, rows: Sequence[SettledLane]) -> None:
    """Let go of lanes that still have something."""
    if not rows:
        return
    change = (
        update(lanes)
        .where(_l.webhook_id == bindparam("of_webhook"), _l.subject == bindparam("of_subject"))
        .values(
            state=bindparam("to_state"),
            due_at=bindparam("to_due_at"),
            tries=bindparam("to_tries"),
            failing_since=bindparam("to_failing_since"),
            leased_by=None,
            leased_until=None,
        )
    )
    await connection.execute(change, [dict(row) for row in rows])


async def remove(connection: AsyncConnection, keys: Collection[Key]) -> None:
    """Remove lanes in which nothing waits any more."""
    if keys:
        await connection.execute(delete(lanes).where(_is_one_of(keys, _l.webhook_id, _l.subject)))


async def extend(
    connection: AsyncConnection, keys: Collection[Key], *, by: str, until: datetime
) -> None:
    """Keep lanes that are still in hand."""
    await connection.execute(
        update(lanes)
        .where(_is_one_of(keys, _l.webhook_id, _l.subject), _l.leased_by == by)
        .values(leased_until=until)
    )


async def release(connection: AsyncConnection, *, by: str) -> None:
    """Give back what this replica had in hand before a crash."""
    mine = select(_l.webhook_id, _l.subject).where(_l.leased_by == by)
    locked = mine.order_by(_l.webhook_id, _l.subject).with_for_update()
    await connection.execute(
        update(lanes)
        .where(tuple_(_l.webhook_id, _l.subject).in_(locked))
        .values(leased_by=None, leased_until=None)
    )


async def wake(
    connection: AsyncConnection, webhook_id: str, *, now: datetime, afresh: bool
) -> None:
    """Have all open lanes of an endpoint sent at once; `afresh` forgets their failures.

    In a transaction of its own: others hold lanes and wait for more, in order of their keys.
    """
    later = and_(_l.webhook_id == webhook_id, _OPEN, or_(_l.due_at > now, _l.tries > 0))
    locked = select(_l.webhook_id, _l.subject).where(later).order_by(_l.subject).with_for_update()
    values: dict[str, object] = {"due_at": now}
    if afresh:
        values |= {"tries": 0, "failing_since": None}
    await connection.execute(
        update(lanes).where(tuple_(_l.webhook_id, _l.subject).in_(locked)).values(values)
    )


async def reopen(connection: AsyncConnection, keys: Collection[Key], *, now: datetime) -> None:
    """Have lanes, open and due at once, whatever they were: something in them was changed."""
    if not keys:
        return
    made = insert_into(lanes, connection.dialect.name)
    fresh = {"state": LaneState.OPEN, "due_at": now, "tries": 0, "failing_since": None}
    opened = made.on_conflict_do_update(index_elements=[_l.webhook_id, _l.subject], set_=fresh)
    rows = [{"webhook_id": one, "subject": subject, **fresh} for one, subject in sorted(keys)]
    await connection.execute(opened, rows)


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(_l.leased_until.is_(None), _l.leased_until <= now)


def _is_one_of(
    keys: Collection[Key], webhook_id: ColumnElement[str], subject: ColumnElement[str]
) -> ColumnElement[bool]:
    """Endpoint by endpoint: SQLite looks no row up in an index by a list of pairs."""
    by_webhook: dict[str, list[str]] = {}
    for one, about in sorted(keys):
        by_webhook.setdefault(one, []).append(about)
    return or_(
        false(),
        *(and_(webhook_id == one, subject.in_(subjects)) for one, subjects in by_webhook.items()),
    )
