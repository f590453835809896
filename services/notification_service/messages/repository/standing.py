"""Statements of judging: what else is said of complaints and to customers, once per batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.messages.domain.judging import Newer
from services.notification_service.messages.domain.words import ROOM, WAITING, Reason, State
from services.notification_service.messages.models import complaints, notifications
from shared.events.words import Audience

_n = notifications.c
_NEWER = (_n.id, _n.complaint_id, _n.recipient, _n.kind, _n.route, _n.facts)
_GONE_OUT = (State.SENDING, State.SENT, State.DELIVERED, State.UNKNOWN)
# Of what may have gone out (`unknown`) the time of its last try stands where the next one would.
_GONE_OUT_AT = func.coalesce(_n.sent_at, _n.next_attempt_at)
_GIVEN_UP = (State.SKIPPED, State.FAILED, State.UNDELIVERED)


async def newer(
    connection: AsyncConnection,
    complaint_ids: Collection[str],
    *,
    than: str,
    kinds: Collection[str],
) -> Mapping[str, list[Newer]]:
    """Return messages of these kinds younger than the id `than`, by complaint.

    Those that were given up are left out: what they would have said is still unsaid. One that is
    superseded itself counts, since something newer stands behind it.
    """
    found: dict[str, list[Newer]] = defaultdict(list)
    if complaint_ids and kinds:
        chosen = select(*_NEWER).where(
            _n.complaint_id.in_(complaint_ids),
            _n.id > than,
            _n.kind.in_(kinds),
            or_(
                _n.state.not_in(_GIVEN_UP),
                _n.reason == Reason.SUPERSEDED,
            ),
        )
        for row in await connection.execute(chosen):
            found[row.complaint_id].append(Newer(*row))
    return found


async def heard(
    connection: AsyncConnection, complaint_ids: Collection[str]
) -> set[tuple[str, str, int]]:
    """Return the facts that one of the staff was told, or may be yet: complaint, kind, occurrence.

    A room does not count: nobody has to look there.
    """
    chosen = select(_n.complaint_id, _n.kind, _n.occurrence).where(
        _n.complaint_id.in_(complaint_ids),
        _n.audience == Audience.STAFF,
        _n.state.not_in(_GIVEN_UP),
        _n.recipient.not_like(f"{ROOM}%"),
    )
    return {(row[0], row[1], row[2]) for row in await connection.execute(chosen)}


async def told_lately(
    connection: AsyncConnection, customer_ids: Collection[str], *, since: datetime, now: datetime
) -> defaultdict[str, list[datetime]]:
    """Return when customers were written to, or may have been; what is under way counts as now."""
    found: defaultdict[str, list[datetime]] = defaultdict(list)
    if customer_ids:
        chosen = (
            select(complaints.c.customer_id, _GONE_OUT_AT, _n.state)
            .join(complaints, complaints.c.complaint_id == _n.complaint_id)
            .where(
                complaints.c.customer_id.in_(customer_ids),
                _n.audience == Audience.CUSTOMER,
                _n.state.in_(_GONE_OUT),
                since < _GONE_OUT_AT,
            )
        )
        for customer_id, told_at, state in await connection.execute(chosen):
            found[customer_id].append(now if state == State.SENDING else told_at)
    return found


async def said_lately(
    connection: AsyncConnection,
    complaint_ids: Collection[str],
    fingerprints: Collection[bytes],
    *,
    since: datetime,
) -> set[tuple[str, bytes]]:
    """Return which of these messages went out already, as complaint and fingerprint."""
    chosen = select(_n.complaint_id, _n.fingerprint).where(
        _n.complaint_id.in_(complaint_ids),
        _n.fingerprint.in_(fingerprints),
        _n.state.in_(_GONE_OUT),
        since < _GONE_OUT_AT,
    )
    return {(row[0], row[1]) for row in await connection.execute(chosen)}


async def reconsider_customer(
    connection: AsyncConnection, customer_id: str, *, now: datetime
) -> None:
    """Have what waits for this customer asked about again: they wish it otherwise now."""
    own = select(complaints.c.complaint_id).where(complaints.c.customer_id == customer_id)
    ids = list(await connection.scalars(own))
    await _reconsider(connection, ids, _n.audience == Audience.CUSTOMER, now)


async def reconsider(
    connection: AsyncConnection, complaint_ids: Collection[str], *, now: datetime
) -> None:
    """Have all that waits about these complaints asked about again: it is urgent now."""
    await _reconsider(connection, complaint_ids, true(), now)


async def reconsider_kinds(
    connection: AsyncConnection, kinds: Mapping[str, Collection[str]], *, now: datetime
) -> None:
    """Have what waits of these kinds asked about again, by complaint: it is not true any more."""
    every = frozenset(kind for named in kinds.values() for kind in named)
    await _reconsider(connection, kinds, _n.kind.in_(every), now)


async def _reconsider(
    connection: AsyncConnection,
    complaint_ids: Collection[str],
    which: ColumnElement[bool],
    now: datetime,
) -> None:
    if not complaint_ids:
        return
    waiting = (
        select(_n.id)
        .where(
            _n.complaint_id.in_(complaint_ids),
            which,
            _n.state == State.QUEUED,
            _n.reason.in_(WAITING),
            _n.next_attempt_at > now,
        )
        # What is in a sender's hands right now is left alone: waiting for it could be a ring.
        .with_for_update(skip_locked=True)
    )
    ids = list(await connection.scalars(waiting))
    if ids:
        change = update(notifications).where(_n.id.in_(ids)).values(next_attempt_at=now)
        await connection.execute(change)
