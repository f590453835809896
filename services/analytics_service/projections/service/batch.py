"""One batch of records: which are new, which wait, and what they make of the facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import orjson

from services.analytics_service.projections.domain.facts import SEQUENCE_OF, Fact, StageChange
from services.analytics_service.projections.domain.folding import follow_case, naive, new_fact
from services.analytics_service.projections.domain.stages import set_stages
from services.analytics_service.projections.repository.store import (
    Changes,
    ParkedEvent,
    Store,
)
from shared.bus.port import LoggedRecord, TopicPartition, next_positions
from shared.events.base import EventData, WorkflowEvent
from shared.events.complaints import ComplaintReceived
from shared.events.envelope import BrokenEnvelope, Envelope, Headers
from shared.events.registry import EVENT_TYPES, REGISTRY, BrokenData, UnknownEvent
from shared.events.topics import SIGNALS

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Reactions = Mapping[type[EventData], Any]

WAITS_FOR_COMPLAINT = "waits for its ComplaintReceived"
WAITS_FOR_PREDECESSOR = "waits for the event before it"
WAITS = frozenset({WAITS_FOR_COMPLAINT, WAITS_FOR_PREDECESSOR})

# Looked up once: models are abstract classes to Python, which asks at length who is whose.
_MOVES_CASE = frozenset(model for model in EVENT_TYPES if issubclass(model, WorkflowEvent))


class Batch:
    """The state of one fold; thrown away if its transaction fails.

    A record is dropped when its source's last sequence on the fact row has passed it, folded when
    it is the next, and parked when one before it is missing.
    """

    def __init__(
        self,
        store: Store,
        reactions: Reactions,
        parked: Mapping[str, list[ParkedEvent]],
        now: datetime,
    ) -> None:
        self._store = store
        self._now = naive(now)
        self._reactions = reactions
        self._ids: frozenset[str] = frozenset()
        self._facts: dict[str, Fact] = {}
        self._new: set[str] = set()
        self._touched: set[str] = set()
        self._stages: list[StageChange] = []
        self._positions: dict[TopicPartition, int] = {}
        self._as_of: datetime | None = None
        self._released: list[ParkedEvent] = []
        self.parked = {complaint: list(events) for complaint, events in parked.items()}
        self.newly_parked: list[ParkedEvent] = []
        self.folded = 0

    def load(self, keys: Iterable[str]) -> None:
        """Read the facts that records with these keys are about."""
        self._ids = frozenset(filter(_is_id, set(keys)))
        self._facts = self._store.facts(self._ids)

    def take(self, records: Sequence[LoggedRecord], refused: str | None = None) -> None:
        """Fold records or park them; at once where the store has `refused` one.

        Signals are about no complaint: there is no fact that they could change or wait for.
        """
        for record in records:
            if record.topic == SIGNALS:
                continue
            reason = refused or self._try(record)
            if reason is not None:
                self._park(record, reason)
        self._positions |= next_positions(records)

    def release(self) -> None:
        """Fold what was parked for complaints that have got further meanwhile."""
        for complaint in self._touched & self.parked.keys():
            self.retry(complaint)

    def retry(self, complaint: str) -> None:
        """Fold what is parked for a complaint, in any order that works, as far as it goes."""
        waiting = self.parked.get(complaint, [])
        progress = True
        while progress:
            progress = False
            for event in list(waiting):
                if self._try(record_of(event)) is None:
                    self._forget(event)
                    progress = True

    def give_up(self, event: ParkedEvent) -> None:
        """Forget a parked record, and go on as if it had been folded."""
        self._forget(event)
        try:
            envelope = record_of(event).envelope
        except BrokenEnvelope:
            return
        column, fact = SEQUENCE_OF.get(envelope.source), self._facts.get(envelope.subject)
        if column and fact is not None:
            setattr(fact, column, max(getattr(fact, column), envelope.sequence))
            self._touched.add(envelope.subject)
            self.retry(envelope.subject)

    def changes(self) -> Changes:
        """Return what is to be written."""
        for complaint in self._touched:
            set_stages(self._facts[complaint])
        return Changes(
            new=[self._facts[each] for each in sorted(self._new)],
            changed=[self._facts[each] for each in self._touched - self._new],
            stages=self._stages,
            parked=self.newly_parked,
            released=self._released,
            positions=self._positions,
            as_of=naive(self._as_of) if self._as_of else None,
        )

    def _try(self, record: LoggedRecord) -> str | None:
        """Fold an event; return why it could not be, None where it was or had been before."""
        try:
            envelope = record.envelope
        except BrokenEnvelope as wrong:
            return str(wrong)
        if envelope.subject != record.key or record.key not in self._ids:
            return f"key {record.key} and subject {envelope.subject} are not one complaint's id"
        return self._fold(record, envelope)

    def _fold(self, record: LoggedRecord, envelope: Envelope) -> str | None:
        column = SEQUENCE_OF.get(envelope.source)
        if column is None:
            return f"source {envelope.source} is not known"
        fact = self._facts.get(envelope.subject)
        last: int = getattr(fact, column) if fact else 0
        if envelope.sequence <= last:
            return None
        model = REGISTRY.get((envelope.type, envelope.version))
        if fact is None and model is not ComplaintReceived:
            return WAITS_FOR_COMPLAINT
        if envelope.sequence > last + 1:
            return WAITS_FOR_PREDECESSOR
        try:
            fact = self._react(fact, model, record, envelope)
        except (BrokenData, UnknownEvent, ValueError) as wrong:
            return str(wrong)
        setattr(fact, column, envelope.sequence)
        self._touched.add(envelope.subject)
        if self._as_of is None or envelope.time > self._as_of:
            self._as_of = envelope.time
        self.folded += 1
        return None

    def _react(
        self,
        fact: Fact | None,
        model: type[EventData] | None,
        record: LoggedRecord,
        envelope: Envelope,
    ) -> Fact:
        if model is None:
            raise UnknownEvent(f"no event {envelope.type} of version {envelope.version} is known")
        reaction = self._reactions.get(model)
        moves_case = model in _MOVES_CASE
        if fact is not None and reaction is None and not moves_case:
            return fact
        data = record.data_under(envelope)
        if data.subject != envelope.subject:
            raise BrokenData(f"{envelope.type}: the data is about another complaint")
        if fact is None:
            fact = self._facts[envelope.subject] = new_fact(cast("ComplaintReceived", data))
            self._new.add(envelope.subject)
            return fact
        at = naive(envelope.time)
        before = fact.state if fact.workflow_sequence else None
        if reaction is not None:
            reaction(fact, data, at)
        if moves_case:
            follow_case(fact, cast("WorkflowEvent", data))
        if moves_case and fact.state != before:
            self._stages.append(
                StageChange(
                    fact.complaint_id,
                    envelope.sequence,
                    at,
                    envelope.type,
                    before,
                    fact.state,
                    fact.department,
                )
            )
        return fact

    def _park(self, record: LoggedRecord, reason: str) -> None:
        waiting = self.parked.setdefault(record.key, [])
        # A replay brings records again that are parked already.
        place = (record.topic, record.partition, record.offset)
        if any((each.topic, each.partition, each.offset) == place for each in waiting):
            return
        event = ParkedEvent(
            id=0,  # the projector numbers what is really stored
            complaint_id=record.key,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            timestamp_ms=record.timestamp_ms,
            headers=_packed(record.headers),
            value=record.value,
            reason=reason,
            parked_at=self._now,
        )
        waiting.append(event)
        self.newly_parked.append(event)

    def _forget(self, event: ParkedEvent) -> None:
        waiting = self.parked[event.complaint_id]
        waiting.remove(event)
        if not waiting:
            del self.parked[event.complaint_id]
        if event in self.newly_parked:
            self.newly_parked.remove(event)
        else:
            self._released.append(event)


def record_of(event: ParkedEvent) -> LoggedRecord:
    """Return a parked record as it came."""
    pairs: list[list[str]] = orjson.loads(event.headers)
    return LoggedRecord(
        event.topic,
        event.partition,
        event.offset,
        event.timestamp_ms,
        event.complaint_id,
        event.value,
        tuple((name, text.encode("latin-1")) for name, text in pairs),
    )


def _packed(headers: Headers) -> str:
    return orjson.dumps([[name, value.decode("latin-1")] for name, value in headers]).decode()


def _is_id(key: str) -> bool:
    return _UUID.fullmatch(key) is not None
