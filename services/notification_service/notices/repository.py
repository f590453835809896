"""Statements of proof: what a complaint's customer was told, and what lacks its proof."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.messages.models import decisions, hand_overs, notifications
from services.notification_service.notices.domain.proof import Handing, Proof, proof_of
from services.notification_service.receipts.models import receipts
from shared.events.words import Audience

_n, _h, _r, _d = notifications.c, hand_overs.c, receipts.c, decisions.c


class Told(NamedTuple):
    """A message to the customer, without its words."""

    id: str
    complaint_id: str
    kind: str
    occurrence: int
    mandatory: bool
    state: str
    channel: str | None
    address_masked: str | None
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    proof_due_at: datetime | None
    reason: str | None
    template_version: str | None
    traceparent: str | None


class HandOver(NamedTuple):
    """One time that a gateway took it, and the receipt."""

    notification_id: str
    channel: str
    address_masked: str | None
    gateway: str
    reference: str | None
    digest: str | None
    template: str | None
    handed_over_at: datetime
    receipt_due_at: datetime | None
    arrival: str | None
    receipt_id: str | None
    receipt_code: str | None
    receipt_happened_at: datetime | None
    receipt_received_at: datetime | None


class Decided(NamedTuple):
    """What a person decided."""

    notification_id: str
    action: str
    was: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to the customer with everything that proves it."""

    told: Told
    hand_overs: Sequence[HandOver]
    decisions: Sequence[Decided] = ()

    @property
    def proof(self) -> Proof:
        """How far it is proven."""
        handings = [Handing(one.receipt_due_at, one.arrival) for one in self.hand_overs]
        return proof_of(self.told.state, handings)


_TOLD = tuple(_n[name] for name in Told._fields)


async def told(
    connection: AsyncConnection, complaint_id: str, *, after: str | None, limit: int
) -> list[Told]:
    """Return what the complaint's customer was told or should have been, oldest first."""
    chosen = select(*_TOLD).where(_n.complaint_id == complaint_id, _n.audience == Audience.CUSTOMER)
    if after is not None:
        chosen = chosen.where(_n.id > after)
    chosen = chosen.order_by(_n.id).limit(limit)
    return [Told._make(row) for row in await connection.execute(chosen)]


async def handed_over(
    connection: AsyncConnection, ids: Sequence[str]
) -> Mapping[str, Sequence[HandOver]]:
    """Return the hand-overs of messages with their receipts, oldest first."""
    chosen = (
        select(
            *(_h[name] for name in HandOver._fields[:11]),
            _r.code,
            _r.happened_at,
            _r.received_at,
        )
        .outerjoin(receipts, _r.id == _h.receipt_id)
        .where(_h.notification_id.in_(ids))
        .order_by(_h.id)
    )
    found: dict[str, list[HandOver]] = defaultdict(list)
    for row in await connection.execute(chosen):
        found[row[0]].append(HandOver._make(row))
    return found


async def decided(
    connection: AsyncConnection, ids: Sequence[str]
) -> Mapping[str, Sequence[Decided]]:
    """Return what people decided about messages, oldest first."""
    columns = tuple(_d[name] for name in Decided._fields)
    chosen = select(*columns).where(_d.notification_id.in_(ids)).order_by(_d.id)
    found: dict[str, list[Decided]] = defaultdict(list)
    for row in await connection.execute(chosen):
        found[row[0]].append(Decided._make(row))
    return found


async def unproven(connection: AsyncConnection, *, now: datetime, limit: int) -> list[Told]:
    """Lock messages whose proof is due by now."""
    chosen = (
        select(*_TOLD)
        .where(_n.proof_due_at <= now)
        .order_by(_n.proof_due_at, _n.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Told._make(row) for row in await connection.execute(chosen)]


async def ask_again(
    connection: AsyncConnection, ids: Sequence[str], *, due_at: datetime | None
) -> None:
    """Ask for the proof of messages at another time, or no more."""
    change = update(notifications).where(_n.id.in_(ids)).values(proof_due_at=due_at)
    await connection.execute(change)
