"""Write what messages came to, and say it: one transaction for all results that have gathered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from services.notification_service.messages.domain.results import Progress, Result
from services.notification_service.messages.domain.words import State
from services.notification_service.messages.repository import deliveries as repository
from services.notification_service.messages.repository import hand_overs, intents, standing
from services.notification_service.messages.repository.deliveries import Leased, Settled
from services.notification_service.messages.repository.hand_overs import NewHandOver
from services.notification_service.messages.repository.intents import NewIntent
from services.notification_service.messages.service.saying import Saying, say
from shared.events.base import NotificationEvent
from shared.events.deliveries import NotificationFailed, NotificationSent, NotificationSkipped
from shared.events.words import MessageChannel
from shared.kernel import logging
from shared.kernel.ids import new_id
from shared.messaging import Messaging, UnitOfWork

log = logging.get(__name__)

_SAID: dict[State, type[NotificationEvent]] = {
    State.SENT: NotificationSent,
    State.FAILED: NotificationFailed,
    State.UNDELIVERED: NotificationFailed,
    State.SKIPPED: NotificationSkipped,
}


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What a gateway took; `receipt_due_at` where it says later what became of it."""

    gateway: str
    reference: str | None
    address_masked: str
    digest: str
    template: str | None
    receipt_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one leased message came to, and when; `handed` where a gateway took it.

    `stand_ins` are told of the same fact because its recipient cannot be: none is left where they
    are empty, and it can wait where they are None.
    """

    row: Leased
    result: Result
    at: datetime
    handed: HandedOver | None = None
    stand_ins: tuple[str, ...] | None = None


def progress_of(row: Leased) -> Progress:
    """Return how far a message was when it was leased."""
    channel = MessageChannel(row.channel) if row.channel else None
    return Progress(channel, row.tries, tuple(row.tried), row.doubtful)


async def settle(messaging: Messaging, outcomes: Sequence[Outcome], *, by: str) -> None:
    """Write results and emit their events, with dense sequences per complaint.

    What is no longer this replica's to write is left alone: another one has taken it over.
    """
    async with messaging.unit_of_work() as work:
        held = await repository.settle(work.connection, [_settled(one) for one in outcomes], by=by)
        told = [one for one in outcomes if one.row.id in held and one.result.state in _SAID]
        await hand_overs.add(work.connection, _taken(outcomes, held))
        await say(work, [_saying(one) for one in told])
        # Last: the complaints are locked by then, in the order of their ids.
        await intents.add_intents(work.connection, _for_stand_ins(outcomes, held))
        await _say_who_is_lost(work, [one.row for one in outcomes if _handed_on(one, held)])


def _handed_on(outcome: Outcome, held: Collection[str]) -> bool:
    return outcome.stand_ins is not None and outcome.row.id in held


async def _say_who_is_lost(work: UnitOfWork, rows: Sequence[Leased]) -> None:
    """Log facts that cannot wait and that all who could hear of them were given up for."""
    if not rows:
        return
    heard = await standing.heard(work.connection, {row.complaint_id for row in rows})
    lost = {fact: row for row in rows if (fact := _fact(row)) not in heard}
    for row in lost.values():
        said = {"message": row.id, "kind": row.kind, "number": row.number}
        work.after_commit(partial(log.error, "message.nobody_reached", **said))


def _fact(row: Leased) -> tuple[str, str, int]:
    return row.complaint_id, row.kind, row.occurrence


def _for_stand_ins(outcomes: Sequence[Outcome], held: Collection[str]) -> list[NewIntent]:
    return [
        {
            "id": new_id(),
            "complaint_id": one.row.complaint_id,
            "kind": one.row.kind,
            "occurrence": one.row.occurrence,
            "audience": one.row.audience,
            "recipient": person,
            "route": one.row.route,
            "facts": {**one.row.facts, "instead_of": one.row.recipient},
            "state": State.QUEUED,
            "tried": (),
            "attempts": 0,
            "tries": 0,
            "reason": None,
            "created_at": one.at,
            "next_attempt_at": one.at,
            "gathered": False,
            "mandatory": False,
            "proof_due_at": None,
            "traceparent": one.row.traceparent,
        }
        for one in outcomes
        if one.row.id in held
        for person in one.stand_ins or ()
    ]


def _settled(outcome: Outcome) -> Settled:
    result = outcome.result
    return {
        "of": outcome.row.id,
        "to_state": result.state,
        "to_channel": result.progress.channel,
        "to_tried": result.progress.tried,
        "to_tries": result.progress.tries,
        "to_doubtful": result.progress.doubtful,
        "to_reason": result.reason if result.state is not State.SENT else None,
        "to_sent_at": outcome.at if result.state is State.SENT else None,
        "to_next_attempt_at": result.next_attempt_at or outcome.at,
    }


def _taken(outcomes: Sequence[Outcome], held: Collection[str]) -> list[NewHandOver]:
    return [
        {
            "id": new_id(),
            "notification_id": one.row.id,
            "complaint_id": one.row.complaint_id,
            "channel": one.result.progress.channel or "none",
            "gateway": one.handed.gateway,
            "reference": one.handed.reference,
            "address_masked": one.handed.address_masked,
            "digest": one.handed.digest,
            "template": one.handed.template,
            "handed_over_at": one.at,
            "receipt_due_at": one.handed.receipt_due_at,
            "arrival": None,
            "receipt_id": None,
        }
        for one in outcomes
        if one.handed is not None and one.row.id in held
    ]


def _saying(outcome: Outcome) -> Saying:
    result = outcome.result
    reason = result.reason if result.state is not State.SENT else None
    model = _SAID[result.state]
    return Saying(model, outcome.row, result.progress.channel, reason, outcome.at)
