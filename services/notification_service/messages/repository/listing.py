"""Reading messages, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.messages.domain.words import About, State
from services.notification_service.messages.models import complaints, notifications

_n = notifications.c
# Not joined: only of the rows that a page shows is it looked up.
_ABOUT = (
    select(complaints.c.about)
    .where(complaints.c.complaint_id == _n.complaint_id)
    .correlate(notifications)
    .scalar_subquery()
)
_LISTED = (
    _n.id,
    _n.complaint_id.label("about_id"),
    _ABOUT.label("about"),
    _n.kind,
    _n.occurrence,
    _n.channel,
    _n.audience,
    _n.state,
    _n.attempts,
    _n.created_at,
    _n.sent_at,
    _n.reason,
    case((_n.state == State.QUEUED, _n.next_attempt_at)).label("next_attempt_at"),
    _n.digest_id,
)


class Listed(NamedTuple):
    """A message without its words."""

    id: str
    about_id: str
    about: str
    kind: str
    occurrence: int
    channel: str | None
    audience: str
    state: str
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    reason: str | None
    next_attempt_at: datetime | None
    digest_id: str | None


class Stored(NamedTuple):
    """A message with its sealed words."""

    listed: Listed
    number: str
    recipient: str
    address_masked: str | None
    wrapped_key: bytes | None
    content: bytes | None


async def page(
    connection: AsyncConnection,
    *,
    filters: Mapping[str, str],
    before: str | None,
    limit: int,
) -> Sequence[Listed]:
    """Return messages older than `before`; `filters` are columns and their values.

    `about` among them is the id of what they are about, `complaint_id` that of a complaint only.
    """
    chosen = _newest(select(*_LISTED), before, limit)
    index = _narrowest(filters)
    for name, value in filters.items():
        column = _n["complaint_id" if name == "about" else name]
        chosen = chosen.where((column if name == index else func.coalesce(column, "")) == value)
    if "complaint_id" in filters:
        chosen = chosen.where(_ABOUT == About.COMPLAINT)
    return [Listed._make(row) for row in await connection.execute(chosen)]


async def listed(connection: AsyncConnection, message_id: str) -> Listed | None:
    """Return one message."""
    row = (await connection.execute(select(*_LISTED).where(_n.id == message_id))).one_or_none()
    return None if row is None else Listed._make(row)


async def stored_page(
    connection: AsyncConnection, *, about: str | None, before: str | None, limit: int
) -> Sequence[Stored]:
    """Return messages with their words, about one thing (its id or number) or of all."""
    chosen = _newest(_with_words(), before, limit)
    if about is not None:
        # Found first: with both asked of the join every message there is would be looked at.
        c = complaints.c
        meant = select(c.complaint_id).where(or_(c.complaint_id == about, c.number == about))
        chosen = chosen.where(_n.complaint_id.in_(list(await connection.scalars(meant))))
    return [_stored(tuple(row)) for row in await connection.execute(chosen)]


async def stored(connection: AsyncConnection, message_id: str) -> Stored | None:
    """Return one message with its words."""
    row = (await connection.execute(_with_words().where(_n.id == message_id))).one_or_none()
    return None if row is None else _stored(tuple(row))


def _narrowest(filters: Mapping[str, str]) -> str:
    """Return the filter by whose index messages are found; the others are asked of what that finds.

    SQLite, which does not know how many there are of each, must not choose: of those that were
    sent there are millions, of one complaint a few.
    """
    for name in ("about", "complaint_id"):
        if name in filters:
            return name
    is_rare = filters.get("state", State.SENT) not in {State.SENT, State.DELIVERED}
    return "state" if is_rare or "channel" not in filters else "channel"


def _with_words() -> Select[tuple[object, ...]]:
    return select(
        *_LISTED,
        complaints.c.number,
        _n.recipient,
        _n.address_masked,
        complaints.c.wrapped_key,
        _n.content,
    ).join(complaints, complaints.c.complaint_id == _n.complaint_id)


def _newest(
    chosen: Select[tuple[object, ...]], before: str | None, limit: int
) -> Select[tuple[object, ...]]:
    if before is not None:
        chosen = chosen.where(_n.id < before)
    return chosen.order_by(_n.id.desc()).limit(limit)


def _stored(row: Sequence[object]) -> Stored:
    count = len(_LISTED)
    return Stored._make((Listed._make(row[:count]), *row[count:]))
