"""What waits or is broken, to operators: the same paths as in the other services."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from services.analytics_service.projections.jobs.folding import Folding
from services.analytics_service.projections.repository.store import ParkedEvent
from services.analytics_service.projections.service.batch import WAITS, record_of
from shared.events.envelope import BrokenEnvelope, Envelope
from shared.messaging.dead_letters import DeadLetter, LetterNotFound, Outcome


class ParkedLetters:
    """The parked records of analytics, for `shared.http.dead_letters`."""

    def __init__(self, folding: Folding) -> None:
        self._folding = folding

    async def list(self, *, after: int = 0, limit: int = 100) -> Sequence[DeadLetter]:
        """Return letters with an id above `after`, oldest first."""
        found = [_letter(event) for event in self._folding.parked() if event.id > after]
        return found[:limit]

    async def show(self, letter_id: int) -> DeadLetter:
        """Return one letter; raises LetterNotFound."""
        return _letter(self._find(letter_id))

    async def retry(self, letter: int | str) -> Outcome:
        """Fold a letter again, and what waits behind it."""
        complaint = self._find(letter).complaint_id
        return self._outcome(complaint, await self._folding.retry(complaint))

    async def drop(self, letter: int | str) -> Outcome:
        """Give a letter up, and fold what waits behind it."""
        event = self._find(letter)
        return self._outcome(event.complaint_id, await self._folding.drop(event))

    def _find(self, letter: int | str) -> ParkedEvent:
        for event in self._folding.parked():
            if letter in (event.id, event.complaint_id):
                return event
        raise LetterNotFound(f"Nothing parked has the id {letter}; it may have been folded.")

    def _outcome(self, complaint: str, handled: int) -> Outcome:
        waiting = [event for event in self._folding.parked() if event.complaint_id == complaint]
        return Outcome(handled, len(waiting), waiting[0].reason if waiting else None)


def _letter(event: ParkedEvent) -> DeadLetter:
    record = record_of(event)
    try:
        envelope: Envelope | None = record.envelope
    except BrokenEnvelope:
        envelope = None
    return DeadLetter(
        id=event.id,
        state="parked" if event.reason in WAITS else "dead",
        reason=event.reason,
        complaint_id=event.complaint_id,
        source=envelope.source if envelope else None,
        sequence=envelope.sequence if envelope else None,
        type=envelope.type if envelope else None,
        created_at=event.parked_at.replace(tzinfo=UTC),
        record=record,
    )
