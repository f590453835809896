"""Statements of sending: lease, mark, settle, recover (architecture.md rule 8)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict

from pydantic import JsonValue
from sqlalchemy import ColumnElement, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.messages.domain.words import State
from services.notification_service.messages.models import complaints, notifications

_n = notifications.c


class Leased(NamedTuple):
    """A queued message that this replica may prepare, with what is known of what it is about."""

    id: str
    complaint_id: str
    kind: str
    occurrence: int
    audience: str
    recipient: str
    route: str | None
    facts: Mapping[str, JsonValue]
    channel: str | None
    tried: Sequence[str]
    tries: int
    doubtful: bool
    reason: str | None
    created_at: datetime
    about: str
    number: str
    language: str
    urgency: str
    category: str
    wrapped_key: bytes
    customer_id: str | None
    region: str | None
    gathered: bool
    digest_id: str | None
    withdrawn: Mapping[str, int] | None
    traceparent: str | None

    @property
    def is_withdrawn(self) -> bool:
        """Whether a fact that came after it has made it untrue."""
        return self.occurrence <= (self.withdrawn or {}).get(self.kind, 0)

    @property
    def untouched(self) -> bool:
        """Whether no gateway can have had it; a crash while it was sent counts as no try."""
        return self.tries == 0 and not self.tried and not self.doubtful


class Marked(TypedDict):
    """What is written before a message is handed over."""

    of: str
    to_channel: str
    to_tries: int
    to_address: bytes
    to_masked: str
    to_content: bytes
    to_fingerprint: bytes
    to_digest: str | None
    to_template: str


class Settled(TypedDict):
    """What a try, or the decision not to try, came to."""

    of: str
    to_state: str
    to_channel: str | None
    to_tried: Sequence[str]
    to_tries: int
    to_doubtful: bool
    to_reason: str | None
    to_sent_at: datetime | None
    to_next_attempt_at: datetime


class Crashed(NamedTuple):
    """A message whose sender went away between handing over and writing down."""

    id: str
    channel: str
    tries: int


class Recovered(TypedDict):
    """What becomes of a message that was left in `sending`."""

    of: str
    to_state: str
    to_reason: str
    to_tries: int
    to_doubtful: bool
    to_next_attempt_at: datetime


_LEASED = (
    _n.id,
    _n.complaint_id,
    _n.kind,
    _n.occurrence,
    _n.audience,
    _n.recipient,
    _n.route,
    _n.facts,
    _n.channel,
    _n.tried,
    _n.tries,
    _n.doubtful,
    _n.reason,
    _n.created_at,
    complaints.c.about,
    complaints.c.number,
    complaints.c.language,
    complaints.c.urgency,
    complaints.c.category,
    complaints.c.wrapped_key,
    complaints.c.customer_id,
    complaints.c.region,
    _n.gathered,
    _n.digest_id,
    complaints.c.withdrawn,
    _n.traceparent,
)


async def lease(
    connection: AsyncConnection, *, by: str, now: datetime, until: datetime, limit: int
) -> list[Leased]:
    """Take queued messages that are due, oldest first, so that no other replica prepares them.

    What is gathered for a digest is not among them.
    """
    wanted = (*_due(now), _n.gathered.is_(False))
    return await _take(connection, wanted, by=by, until=until, limit=limit)


async def lease_gathered(
    connection: AsyncConnection, *, by: str, now: datetime, until: datetime, limit: int
) -> list[Leased]:
    """Take what was gathered for one recipient and is due: the whole of one digest.

    What was in a digest that did not arrive comes again as the same one, so that a mail which was
    taken after all is known again by its Message-ID and never lacks an item.
    """
    wanted = (*_due(now), _n.gathered)
    first = select(_n.recipient, _n.digest_id).where(*wanted)
    row = (await connection.execute(first.order_by(_n.next_attempt_at, _n.id).limit(1))).first()
    if row is None:
        return []
    same = (_n.recipient == row.recipient, _n.digest_id.is_not_distinct_from(row.digest_id))
    return await _take(connection, (*wanted, *same), by=by, until=until, limit=limit)


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        _n.state == State.QUEUED,
        _n.next_attempt_at <= now,
        or_(_n.leased_until.is_(None), _n.leased_until <= now),
    )


async def _take(
    connection: AsyncConnection,
    wanted: Sequence[ColumnElement[bool]],
    *,
    by: str,
    until: datetime,
    limit: int,
) -> list[Leased]:
    chosen = (
        select(*_LEASED)
        .join(complaints, complaints.c.complaint_id == _n.complaint_id)
        .where(*wanted)
        .order_by(_n.next_attempt_at, _n.id)
        .limit(limit)
        .with_for_update(of=notifications, skip_locked=True)
    )
    found = [Leased._make(row) for row in await connection.execute(chosen)]
    if found:
        taken = _n.id.in_([one.id for one in found])
        await connection.execute(
            update(notifications).where(taken).values(leased_by=by, leased_until=until)
        )
    return found


async def latest(connection: AsyncConnection, complaint_id: str, kind: str) -> Leased | None:
    """Return the last message of a kind about a complaint, whatever became of it."""
    chosen = (
        select(*_LEASED)
        .join(complaints, complaints.c.complaint_id == _n.complaint_id)
        .where(_n.complaint_id == complaint_id, _n.kind == kind)
        .order_by(_n.id.desc())
        .limit(1)
    )
    row = (await connection.execute(chosen)).one_or_none()
    return Leased._make(row) if row is not None else None


async def mark_sending(
    connection: AsyncConnection, rows: Sequence[Marked], *, by: str, until: datetime
) -> set[str]:
    """Mark messages `sending` and return the ids of those whose lease is still held."""
    if not rows:
        return set()
    change = (
        update(notifications)
        .where(_n.id == bindparam("of"), _n.state == State.QUEUED, _n.leased_by == by)
        .values(
            state=State.SENDING,
            channel=bindparam("to_channel"),
            attempts=_n.attempts + 1,
            tries=bindparam("to_tries"),
            address=bindparam("to_address"),
            address_masked=bindparam("to_masked"),
            content=bindparam("to_content"),
            fingerprint=bindparam("to_fingerprint"),
            digest_id=func.coalesce(bindparam("to_digest"), _n.digest_id),
            template_version=bindparam("to_template"),
            leased_until=until,
        )
    )
    await connection.execute(change, [dict(row) for row in rows])
    return await _held(connection, [row["of"] for row in rows], by=by, state=State.SENDING)


async def settle(connection: AsyncConnection, rows: Sequence[Settled], *, by: str) -> set[str]:
    """Write what became of messages; returns the ids that were still this replica's to write."""
    held = await _held(connection, [row["of"] for row in rows], by=by)
    kept = [dict(row) for row in rows if row["of"] in held]
    if kept:
        change = (
            update(notifications)
            .where(_n.id == bindparam("of"))
            .values(
                state=bindparam("to_state"),
                channel=bindparam("to_channel"),
                tried=bindparam("to_tried"),
                tries=bindparam("to_tries"),
                doubtful=bindparam("to_doubtful"),
                reason=bindparam("to_reason"),
                sent_at=bindparam("to_sent_at"),
                next_attempt_at=bindparam("to_next_attempt_at"),
                leased_by=None,
                leased_until=None,
            )
        )
        await connection.execute(change, kept)
    return held


async def take_sequences(connection: AsyncConnection, counts: Mapping[str, int]) -> dict[str, int]:
    """Reserve `counts` sequences per complaint; returns the last one used before."""
    c = complaints.c
    chosen = (
        select(c.complaint_id, c.sequence)
        .where(c.complaint_id.in_(list(counts)))
        .order_by(c.complaint_id)
        .with_for_update(key_share=True)
    )
    found: dict[str, int] = {row[0]: row[1] for row in await connection.execute(chosen)}
    change = (
        update(complaints)
        .where(c.complaint_id == bindparam("of"))
        .values(sequence=c.sequence + bindparam("by"))
    )
    await connection.execute(change, [{"of": of, "by": by} for of, by in counts.items()])
    return found


async def extend(
    connection: AsyncConnection, ids: Collection[str], *, by: str, until: datetime
) -> None:
    """Keep messages that are still under way."""
    mine = (_n.id.in_(ids), _n.leased_by == by)
    await connection.execute(update(notifications).where(*mine).values(leased_until=until))


async def crashed(
    connection: AsyncConnection, *, by: str, everything: bool, now: datetime, known: Collection[str]
) -> list[Crashed]:
    """Lock messages left in `sending`: those whose lease has ended, with `everything` also ours.

    `known` are the messages that this process itself still has in hand.
    """
    ended = _n.leased_until <= now
    chosen = (
        select(_n.id, _n.channel, _n.tries)
        .where(_n.state == State.SENDING, or_(ended, _n.leased_by == by) if everything else ended)
        .order_by(_n.id)
        .with_for_update(skip_locked=True)
    )
    found = [Crashed._make(row) for row in await connection.execute(chosen)]
    return [one for one in found if one.id not in known]


async def recover(connection: AsyncConnection, rows: Sequence[Recovered]) -> None:
    """Write what becomes of messages that were left in `sending`."""
    if rows:
        change = (
            update(notifications)
            .where(_n.id == bindparam("of"))
            .values(
                state=bindparam("to_state"),
                reason=bindparam("to_reason"),
                tries=bindparam("to_tries"),
                doubtful=bindparam("to_doubtful"),
                next_attempt_at=bindparam("to_next_attempt_at"),
                leased_by=None,
                leased_until=None,
            )
        )
        await connection.execute(change, [dict(row) for row in rows])


async def release(connection: AsyncConnection, *, by: str, known: Collection[str]) -> None:
    """Give back what this replica had leased, not begun to send, and has not in hand any more."""
    mine = (_n.state == State.QUEUED, _n.leased_by == by, _n.id.not_in(known))
    change = update(notifications).where(*mine).values(leased_by=None, leased_until=None)
    await connection.execute(change)


async def _held(
    connection: AsyncConnection, ids: Sequence[str], *, by: str, state: State | None = None
) -> set[str]:
    chosen = select(_n.id).where(_n.id.in_(ids), _n.leased_by == by).order_by(_n.id)
    if state is not None:
        chosen = chosen.where(_n.state == state)
    return set(await connection.scalars(chosen.with_for_update()))
