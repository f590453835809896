"""Write what messages came to, and say it: one transaction for all results that have gathered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.notification_service.messages.domain.results import Progress, Result
from services.notification_service.messages.domain.words import State
from services.notification_service.messages.repository import deliveries as repository
from services.notification_service.messages.repository.deliveries import Leased, Settled
from shared.events.base import NotificationEvent
from shared.events.deliveries import NotificationFailed, NotificationSent, NotificationSkipped
from shared.events.words import MessageChannel
from shared.messaging import Messaging, UnitOfWork

_SAID: dict[State, type[NotificationEvent]] = {
    State.SENT: NotificationSent,
    State.FAILED: NotificationFailed,
    State.SKIPPED: NotificationSkipped,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one leased message came to, and when."""

    row: Leased
    result: Result
    at: datetime


def progress_of(row: Leased) -> Progress:
    """Return how far a message was when it was leased."""
    channel = MessageChannel(row.channel) if row.channel else None
    return Progress(channel, row.tries, tuple(row.tried))


async def settle(messaging: Messaging, outcomes: Sequence[Outcome], *, by: str) -> None:
    """Write results and emit their events, with dense sequences per complaint.

    What is no longer this replica's to write is left alone: another one has taken it over.
    """
    async with messaging.unit_of_work() as work:
        held = await repository.settle(work.connection, [_settled(one) for one in outcomes], by=by)
        told = [one for one in outcomes if one.row.id in held and one.result.state in _SAID]
        await _say(work, told)


async def _say(work: UnitOfWork, outcomes: Sequence[Outcome]) -> None:
    counts = Counter(one.row.complaint_id for one in outcomes)
    if not counts:
        return
    last = await repository.take_sequences(work.connection, counts)
    for one in outcomes:
        last[one.row.complaint_id] += 1
        work.emit(_event(one), sequence=last[one.row.complaint_id], at=one.at)


def _event(outcome: Outcome) -> NotificationEvent:
    row, result = outcome.row, outcome.result
    return _SAID[result.state](
        complaint_id=row.complaint_id,
        number=row.number,
        notification_id=row.id,
        kind=row.kind,
        occurrence=row.occurrence,
        audience=row.audience,
        channel=result.progress.channel or "none",
        reason=result.reason if result.state is not State.SENT else None,
    )


def _settled(outcome: Outcome) -> Settled:
    result = outcome.result
    return {
        "of": outcome.row.id,
        "to_state": result.state,
        "to_channel": result.progress.channel,
        "to_tried": result.progress.tried,
        "to_tries": result.progress.tries,
        "to_reason": result.reason if result.state is not State.SENT else None,
        "to_sent_at": outcome.at if result.state is State.SENT else None,
        "to_next_attempt_at": result.next_attempt_at or outcome.at,
    }
