"""Statements over hand-overs and over what people decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.messages.domain.words import State
from services.notification_service.messages.models import complaints, decisions, notifications
from services.notification_service.messages.models import hand_overs as table

_n = notifications.c


class NewHandOver(TypedDict):
    """A row of `hand_overs` as it begins; `receipt_due_at` where the gateway sends receipts."""

    id: str
    notification_id: str
    complaint_id: str
    channel: str
    gateway: str
    reference: str | None
    address_masked: str | None
    digest: str | None
    template: str | None
    handed_over_at: datetime
    receipt_due_at: datetime | None
    arrival: str | None
    receipt_id: str | None


class NewDecision(TypedDict):
    """A row of `decisions`."""

    id: str
    notification_id: str
    action: str
    was: str
    by: str
    at: datetime


class Standing(NamedTuple):
    """Where a message stands, with what events about it say."""

    id: str
    complaint_id: str
    about: str
    number: str
    kind: str
    occurrence: int
    audience: str
    state: str
    channel: str | None
    tried: Sequence[str]
    mandatory: bool
    leased_until: datetime | None
    address_masked: str | None
    sent_at: datetime | None
    traceparent: str | None


_STANDING = (
    _n.id,
    _n.complaint_id,
    complaints.c.about,
    complaints.c.number,
    _n.kind,
    _n.occurrence,
    _n.audience,
    _n.state,
    _n.channel,
    _n.tried,
    _n.mandatory,
    _n.leased_until,
    _n.address_masked,
    _n.sent_at,
    _n.traceparent,
)


async def add(connection: AsyncConnection, rows: Sequence[NewHandOver]) -> None:
    """Write hand-overs."""
    if rows:
        await connection.execute(insert(table), [dict(row) for row in rows])


async def decided(connection: AsyncConnection, row: NewDecision) -> None:
    """Write what a person decided."""
    await connection.execute(insert(decisions), [dict(row)])


async def standing(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, Standing]:
    """Lock messages in the order of their ids and return where they stand."""
    chosen = (
        select(*_STANDING)
        .join(complaints, complaints.c.complaint_id == _n.complaint_id)
        .where(_n.id.in_(ids))
        .order_by(_n.id)
        .with_for_update(of=notifications)
    )
    found = [Standing._make(row) for row in await connection.execute(chosen)]
    return {one.id: one for one in found}


async def arrived(
    connection: AsyncConnection, standing: Standing, *, channel: str | None, at: datetime
) -> None:
    """Write that a message has arrived; nothing is sent any more."""
    await _change(
        connection,
        standing.id,
        {
            "state": State.DELIVERED,
            "channel": channel,
            "reason": None,
            # Where the answer was lost it is the receipt that tells of the sending.
            "sent_at": standing.sent_at or at,
            "delivered_at": at,
            "proof_due_at": None,
        },
    )


async def requeue(
    connection: AsyncConnection,
    message_id: str,
    *,
    tried: Sequence[str],
    reason: str | None,
    now: datetime,
) -> None:
    """Queue a message anew for a channel that is not among `tried`."""
    await _change(connection, message_id, _anew(tried, reason, now))


async def resend(connection: AsyncConnection, message_id: str, *, now: datetime) -> None:
    """Queue a message anew for every channel, by itself if it was in a digest.

    Under the digest's name mail readers would hide the second of two that are sent again.
    """
    alone = {"gathered": False, "digest_id": None}
    await _change(connection, message_id, _anew((), None, now) | alone)


def _anew(tried: Sequence[str], reason: str | None, now: datetime) -> dict[str, object]:
    return {
        "state": State.QUEUED,
        "channel": None,
        "tried": tuple(tried),
        "tries": 0,
        "doubtful": False,
        "reason": reason,
        "sent_at": None,
        "next_attempt_at": now,
    }


async def mark_sent(connection: AsyncConnection, message_id: str, *, at: datetime) -> None:
    """Write that a person knows a message to have been sent."""
    change = {"state": State.SENT, "reason": None, "sent_at": at}
    await _change(connection, message_id, change)


async def expect_proof(connection: AsyncConnection, message_id: str, *, due_at: datetime) -> None:
    """Ask for proof of a mandatory message anew."""
    await _change(connection, message_id, {"proof_due_at": due_at})


async def _change(
    connection: AsyncConnection, message_id: str, values: Mapping[str, object]
) -> None:
    change = update(notifications).where(_n.id == message_id).values(**values)
    await connection.execute(change)
