"""Use cases of notices: tell what proves that a customer was told, and alarm where nothing does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from prometheus_client import Counter

from services.notification_service.messages.domain.words import Kind, State
from services.notification_service.messages.repository import intents
from services.notification_service.messages.repository.intents import NewIntent
from services.notification_service.notices import repository
from services.notification_service.notices.domain.proof import Proof
from services.notification_service.notices.repository import Notice, Told
from services.notification_service.recipients.domain.groups import OPERATORS
from shared.events.words import Audience
from shared.http.pagination import PageRequest
from shared.kernel import logging
from shared.kernel.ids import new_id
from shared.messaging import Messaging, UnitOfWork

log = logging.get(__name__)

_BATCH = 200
_AGAIN = timedelta(minutes=15)
_UNPROVEN = Counter(
    "redress_notices_unproven_total", "Mandatory notices without proof in time", ["kind"]
)


class Notices:
    """Proof of notice."""

    def __init__(self, messaging: Messaging, *, wake_sender: Callable[[], None]) -> None:
        self._messaging = messaging
        self._wake_sender = wake_sender

    async def of(self, complaint_id: str, page: PageRequest) -> list[Notice]:
        """Return one page of a complaint's notices and one more, oldest first."""
        after = str(page.after[0]) if page.after else None
        async with self._messaging.database.read() as connection:
            told = await repository.told(connection, complaint_id, after=after, limit=page.fetch)
            ids = [one.id for one in told]
            handed = await repository.handed_over(connection, ids)
            decided = await repository.decided(connection, ids)
        return [Notice(one, handed.get(one.id, ()), decided.get(one.id, ())) for one in told]

    async def watch(self) -> int:
        """Raise the alarm for notices whose proof is due and is not there, once for each."""
        async with self._messaging.unit_of_work() as work:
            due = await repository.unproven(work.connection, now=work.now, limit=_BATCH)
            if not due:
                return 0
            handed = await repository.handed_over(work.connection, [one.id for one in due])
            proofs = {one.id: Notice(one, handed.get(one.id, ())).proof for one in due}
            waiting = [one.id for one in due if proofs[one.id] is Proof.AWAITED]
            missing = [one for one in due if _is_missing(one, proofs[one.id])]
            settled = [one.id for one in due if one.id not in waiting]
            await repository.ask_again(work.connection, settled, due_at=None)
            await repository.ask_again(work.connection, waiting, due_at=work.now + _AGAIN)
            await self._alarm(work, missing)
        return len(due)

    async def _alarm(self, work: UnitOfWork, missing: Sequence[Told]) -> None:
        if not missing:
            return
        ids = sorted({one.complaint_id for one in missing})
        await intents.lock(work.connection, ids)
        counts = await intents.last_occurrences(work.connection, ids)
        rows: list[NewIntent] = []
        for one in missing:
            key = (one.complaint_id, str(Kind.OPERATOR_ALERT))
            counts[key] = counts.get(key, 0) + 1
            rows.append(_alert(one, counts[key], work))
            _UNPROVEN.labels(one.kind).inc()
            log.error(
                "notice.unproven",
                message=one.id,
                complaint_id=one.complaint_id,
                kind=one.kind,
                state=one.state,
                reason=one.reason,
            )
        await intents.add_intents(work.connection, rows)
        work.after_commit(self._wake_sender)


def _is_missing(told: Told, proof: Proof) -> bool:
    # What was skipped has its named reason: superseded, no address, no consent.
    return proof is Proof.NONE and told.state != State.SKIPPED


def _alert(told: Told, occurrence: int, work: UnitOfWork) -> NewIntent:
    due_at = told.proof_due_at or work.now
    return {
        "id": new_id(),
        "complaint_id": told.complaint_id,
        "kind": Kind.OPERATOR_ALERT,
        "occurrence": occurrence,
        "audience": Audience.STAFF,
        "recipient": OPERATORS,
        "route": None,
        "facts": {"clock": "notice", "due_at": due_at.isoformat()},
        "state": State.QUEUED,
        "tried": (),
        "attempts": 0,
        "tries": 0,
        "reason": None,
        "created_at": work.now,
        "next_attempt_at": work.now,
        "gathered": False,
        "mandatory": False,
        "proof_due_at": None,
        "traceparent": told.traceparent,
    }
