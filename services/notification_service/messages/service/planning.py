"""Plan messages: from the facts of a batch to one intent per recipient, in a few statements."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from services.notification_service.messages.domain.conditions import Complaint
from services.notification_service.messages.domain.digest import gathered_until
from services.notification_service.messages.domain.intents import Intent, intents_of, with_rooms
from services.notification_service.messages.domain.routing import (
    URGENT,
    RoutingTable,
    subject_kind,
)
from services.notification_service.messages.domain.words import About, Reason, State
from services.notification_service.messages.repository import intents as repository
from services.notification_service.messages.repository.intents import (
    Grade,
    Known,
    NewComplaint,
    NewIntent,
)
from services.notification_service.messages.repository.routing import route_of
from services.notification_service.messages.repository.standing import (
    reconsider,
    reconsider_kinds,
)
from shared.events.base import ComplaintEvent, EventData
from shared.events.complaints import ComplaintReceived, ComplaintRegraded
from shared.events.signals import HotspotDetected, IncidentOpened
from shared.kernel import trace
from shared.kernel.ids import new_id
from shared.kernel.vault import Vault
from shared.messaging import UnitOfWork


class Planner:
    """Turns facts into intents. `wake` tells the sender that new ones were committed.

    `rooms` are the team's chats with the kinds that each hears too.
    """

    def __init__(
        self,
        *,
        vault: Vault,
        routing: RoutingTable,
        wake: Callable[[], None],
        digest_every: timedelta = timedelta(0),
        proof_after: timedelta = timedelta(hours=24),
        rooms: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self._rooms = rooms or {}
        self._proof_after = proof_after
        self._vault = vault
        self._routing = routing
        self._wake = wake
        self._digest_every = digest_every

    async def remember(self, work: UnitOfWork, batch: Iterable[ComplaintReceived]) -> None:
        """Keep what later messages need to know of new complaints; nobody is told yet."""
        rows: list[NewComplaint] = [
            {
                "complaint_id": event.complaint_id,
                "number": event.number,
                "language": event.language,
                "urgency": event.urgency,
                "category": event.category,
                "priority": event.priority,
                "about": About.COMPLAINT,
                "imported": event.imported,
                "sequence": 0,
                # Most imported complaints never get a message, so they get no key before one.
                "wrapped_key": None if event.imported else self._new_key(),
                "customer_id": event.customer_id,
                "region": event.region,
            }
            for event in batch
        ]
        await repository.remember(work.connection, rows)

    async def plan(self, work: UnitOfWork, batch: Sequence[EventData]) -> None:
        """Write the intents of a batch that holds at most one event of each subject."""
        spoken_of = [event for event in batch if self._routing.speaks_of(event)]
        if not spoken_of:
            return
        known = await self._make_room(work, spoken_of)
        told = [
            (event, found)
            for event in spoken_of
            if (found := intents_of(event, self._routing, _complaint(known, event)))
        ]
        untrue = {
            event.subject: kinds
            for event in spoken_of
            if (kinds := self._routing.withdrawn_by(event, _complaint(known, event) or Complaint()))
        }
        if not told and not untrue:
            return
        ids = {event.subject for event, _ in told} | untrue.keys()
        counts = await repository.last_occurrences(work.connection, sorted(ids))
        await self._withdraw(work, untrue, counts, known)
        rows = [
            self._row(
                work,
                event,
                intent,
                occurrence=counts.get((event.subject, intent.kind), 0) + 1,
                gathered_until=self._gathered_until(work, intent, _complaint(known, event)),
            )
            for event, found in told
            for intent in with_rooms(found, self._rooms)
        ]
        await repository.add_intents(work.connection, rows)
        work.after_commit(self._wake)

    async def _withdraw(
        self,
        work: UnitOfWork,
        untrue: Mapping[str, Collection[str]],
        counts: Mapping[tuple[str, str], int],
        known: Mapping[str, Known],
    ) -> None:
        """Keep which messages a fact has made untrue, and have those that wait looked at again."""
        withdrawn: dict[str, Mapping[str, int]] = {}
        for of, kinds in untrue.items():
            now = {str(kind): count for kind in kinds if (count := counts.get((of, kind)))}
            before = known[of].withdrawn or {} if of in known else {}
            if not now.items() <= before.items():
                withdrawn[of] = {**before, **now}
        if withdrawn:
            await repository.withdraw(work.connection, withdrawn)
            kinds = {of: untrue[of] for of in withdrawn}
            await reconsider_kinds(work.connection, kinds, now=work.now)

    def _gathered_until(
        self, work: UnitOfWork, intent: Intent, complaint: Complaint | None
    ) -> datetime | None:
        return gathered_until(
            intent,
            route_of(self._routing, intent.route, intent.kind),
            complaint.urgency if complaint else "",
            now=work.now,
            every=self._digest_every,
        )

    async def regrade(self, work: UnitOfWork, batch: Iterable[ComplaintRegraded]) -> None:
        """Keep how complaints are graded now: conditions and urgent channels go by it."""
        grades: list[Grade] = [
            {
                "of": event.complaint_id,
                "to_urgency": event.urgency,
                "to_category": event.category,
                "to_priority": event.priority,
            }
            for event in batch
        ]
        await repository.regrade(work.connection, grades)
        # What waits for the morning or the next digest goes at once where it is urgent now.
        urgent = [one["of"] for one in grades if one["to_urgency"] in URGENT]
        await reconsider(work.connection, urgent, now=work.now)
        work.after_commit(self._wake)

    async def _make_room(
        self, work: UnitOfWork, events: Sequence[EventData]
    ) -> Mapping[str, Known]:
        """Lock what events are about, give keys to those without, take in those never heard of."""
        known = await repository.lock(work.connection, [event.subject for event in events])
        keyless = [one.complaint_id for one in known.values() if one.wrapped_key is None]
        await repository.store_keys(work.connection, {one: self._new_key() for one in keyless})
        unknown = [event for event in events if event.subject not in known]
        await repository.remember(work.connection, [self._unheard_of(event) for event in unknown])
        return known

    def _unheard_of(self, event: EventData) -> NewComplaint:
        """Keep what a signal is about from its first event on.

        Make do where ComplaintReceived was dropped by an operator: intake knows the language.
        """
        return {
            "complaint_id": event.subject,
            "number": event.number if isinstance(event, ComplaintEvent) else "",
            "language": "",
            "urgency": "",
            "category": _category(event),
            "priority": "",
            "about": subject_kind(type(event)),
            "imported": False,
            "sequence": 0,
            "wrapped_key": self._new_key(),
            "customer_id": None,
            "region": None,
        }

    def _new_key(self) -> bytes:
        return self._vault.new_data_key().wrapped

    def _row(
        self,
        work: UnitOfWork,
        event: EventData,
        intent: Intent,
        *,
        occurrence: int,
        gathered_until: datetime | None,
    ) -> NewIntent:
        return {
            "id": new_id(),
            "complaint_id": event.subject,
            "kind": intent.kind,
            "occurrence": occurrence,
            "audience": intent.audience,
            "recipient": intent.recipient,
            "route": intent.route,
            "facts": intent.facts,
            "state": State.QUEUED,
            "tried": (),
            "attempts": 0,
            "tries": 0,
            "reason": Reason.GATHERED if gathered_until else None,
            "created_at": work.now,
            "next_attempt_at": gathered_until or work.now,
            "gathered": gathered_until is not None,
            "mandatory": intent.mandatory,
            "proof_due_at": work.now + self._proof_after if intent.mandatory else None,
            # Parsed: a producer that is not ours may write anything there.
            "traceparent": trace.parse(work.trace_of(event.subject)),
        }


def _category(event: EventData) -> str:
    """Return the category that a signal names; a complaint's is told by its own events."""
    match event:
        case HotspotDetected() | IncidentOpened():
            return event.category or ""
        case _:
            return ""


def _complaint(known: Mapping[str, Known], event: EventData) -> Complaint | None:
    found = known.get(event.subject)
    if found is None:
        return None
    return Complaint(found.language, found.urgency, found.category, found.priority)
