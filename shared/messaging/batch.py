"""What to do with a batch of records: pure decisions, no database.

Each record is a duplicate, a fact that nobody here reacts to, an event for a handler, or a letter
that cannot be delivered. Order within a complaint is kept; complaints do not wait for each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from shared.bus.port import LoggedRecord
from shared.events.base import EventData
from shared.events.envelope import BrokenEnvelope, Envelope
from shared.events.registry import REGISTRY, BrokenData, UnknownEvent
from shared.messaging.subscriptions import Incoming
from shared.messaging.tables import SUBJECT_LENGTH

MarkKey = tuple[str, str]
"""Subject and source."""
Marks = Mapping[MarkKey, int]
Wave = dict[type[EventData], list[Incoming[Any]]]

KNOWN_TYPES = frozenset(type_ for type_, _version in REGISTRY)
BEHIND = "waits behind an earlier event of this complaint"
_MAX_SEQUENCE = 2**31 - 1


class LetterState(StrEnum):
    """`parked` holds its complaint back; `dead` stands alone."""

    PARKED = "parked"
    DEAD = "dead"


class Arrival(NamedTuple):
    """What must be known of a record before anything of it is decoded; None where unreadable."""

    record: LoggedRecord
    envelope: Envelope | None
    type: str | None
    source: str | None
    complaint_id: str | None
    sequence: int | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that cannot be handled now, and why."""

    arrival: Arrival
    state: LetterState
    reason: str


@dataclass(slots=True)
class Plan:
    """What a batch comes to. `marks` are the new high-water marks of what it touches."""

    waves: list[Wave] = field(default_factory=list)
    marks: dict[MarkKey, int] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)
    handled: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0


def read_arrival(record: LoggedRecord) -> Arrival:
    """Read the four headers that decide."""
    try:
        envelope = record.envelope
    except BrokenEnvelope:
        return _read_what_can_be_read(record)
    _id, source, type_, _version, _time, subject, sequence, _trace = envelope
    if not (0 < sequence <= _MAX_SEQUENCE and _is_name(subject) and _is_name(source)):
        return _read_what_can_be_read(record)
    if type_ not in KNOWN_TYPES and not _is_name(type_):
        return _read_what_can_be_read(record)
    return Arrival(record, envelope, type_, source, subject, sequence, None)


def plan_batch(
    arrivals: Iterable[Arrival],
    *,
    marks: Marks,
    parked: Iterable[str],
    handled: Mapping[str, type[EventData]],
) -> Plan:
    """Decide about each record in turn. `handled` maps type names to the models with a handler."""
    planner = _Planner(marks, set(parked), handled)
    for arrival in arrivals:
        planner.take(arrival)
    return planner.plan


class _Planner:
    def __init__(
        self, marks: Marks, parked: set[str], handled: Mapping[str, type[EventData]]
    ) -> None:
        self.plan = Plan()
        self._old_marks = marks
        self._parked = parked
        self._handled = handled
        self._depth: dict[str, int] = {}

    def take(self, arrival: Arrival) -> None:
        _record, _envelope, type_, source, complaint_id, sequence, fault = arrival
        if complaint_id is None or source is None or sequence is None:
            self._letter(arrival, LetterState.DEAD, fault or "not readable")
            return
        key = (complaint_id, source)
        mark = self.plan.marks.get(key) or self._old_marks.get(key, 0)
        if sequence <= mark:
            self.plan.duplicates += 1
        elif complaint_id in self._parked:
            self._letter(arrival, LetterState.PARKED, BEHIND)
        elif fault is not None or type_ is None:
            self._park(arrival, fault or "not readable")
        elif sequence > mark + 1:
            self._park(arrival, f"a gap: {source} {mark + 1} should come next, not {sequence}")
        elif type_ in self._handled:
            self._hand_over(arrival, key)
        else:
            if type_ not in KNOWN_TYPES:
                self._letter(arrival, LetterState.DEAD, f"no event {type_} is known")
            self.plan.marks[key] = sequence

    def _hand_over(self, arrival: Arrival, key: MarkKey) -> None:
        try:
            incoming = open_arrival(arrival)
        except (BrokenEnvelope, UnknownEvent, BrokenData) as broken:
            self._park(arrival, str(broken))
            return
        complaint_id, _source = key
        depth = self._depth.get(complaint_id, 0)
        self._depth[complaint_id] = depth + 1
        if depth == len(self.plan.waves):
            self.plan.waves.append({})
        self.plan.waves[depth].setdefault(type(incoming.data), []).append(incoming)
        self.plan.marks[key] = incoming.envelope.sequence
        self.plan.handled[incoming.envelope.type] += 1

    def _park(self, arrival: Arrival, reason: str) -> None:
        if arrival.complaint_id is not None:
            self._parked.add(arrival.complaint_id)
        self._letter(arrival, LetterState.PARKED, reason)

    def _letter(self, arrival: Arrival, state: LetterState, reason: str) -> None:
        self.plan.letters.append(Letter(arrival, state, reason))


def open_arrival(arrival: Arrival) -> Incoming[EventData]:
    """Decode a record; raises BrokenEnvelope, UnknownEvent or BrokenData saying what is wrong."""
    record = arrival.record
    envelope = arrival.envelope or record.envelope
    data = record.data_under(envelope)
    if data.subject != envelope.subject:
        raise BrokenData(f"{envelope.type}: the data is not about the envelope's subject")
    if data.source != envelope.source:
        raise BrokenData(f"{envelope.type}: only {data.source} says it, not {envelope.source}")
    return Incoming(envelope, data, record)


def complaints_of(arrivals: Sequence[Arrival]) -> list[str]:
    """Return the complaints of a batch, each once, in a fixed order."""
    return sorted({a.complaint_id for a in arrivals if a.complaint_id is not None})


def _is_name(text: str) -> bool:
    return 0 < len(text) <= SUBJECT_LENGTH and text.isprintable()


def _read_what_can_be_read(record: LoggedRecord) -> Arrival:
    """Read a record whose headers are not in order, naming the first fault."""
    found = {name.lower(): value for name, value in record.headers}
    faults: list[str] = []
    texts: dict[str, str | None] = {}
    for name in ("ce_type", "ce_source", "ce_subject"):
        text = found.get(name, b"").decode(errors="replace")
        texts[name] = text if _is_name(text) else None
        if texts[name] is None:
            faults.append(f"header {name} is {'not readable' if name in found else 'missing'}")
    sequence: int | None = None
    try:
        sequence = int(found["ce_sequence"])
    except KeyError:
        faults.append("header ce_sequence is missing")
    except ValueError:
        faults.append("header ce_sequence is no number")
    if sequence is not None and not 0 < sequence <= _MAX_SEQUENCE:
        faults.append(f"header ce_sequence is out of range: it counts from 1 to {_MAX_SEQUENCE}")
        sequence = None
    fault = faults[0] if faults else None
    return Arrival(
        record, None, texts["ce_type"], texts["ce_source"], texts["ce_subject"], sequence, fault
    )
