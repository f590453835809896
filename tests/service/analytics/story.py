"""Records as the log would hold them, for stories told to analytics."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.bus.port import LoggedRecord
from shared.events import cases, deliveries
from shared.events.base import EventData
from shared.events.envelope import Envelope, Headers
from shared.events.topics import partition_of
from tests.harness.complaints import received

BEGAN = datetime(2026, 9, 1, tzinfo=UTC)


def id_at(at: datetime, salt: int) -> str:
    """Make a UUIDv7 of an instant; `salt` tells several of one millisecond apart."""
    milliseconds = int(at.timestamp() * 1000)
    text = f"{milliseconds:012x}7{salt >> 62 & 0xFFF:03x}8{salt & 0xFFFFFFFFFFFFFFF:015x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@dataclass
class Log:
    """Numbers the records of each partition, as a log does."""

    offsets: dict[tuple[str, int], int] = field(default_factory=dict)
    sequences: dict[tuple[str, str], int] = field(default_factory=dict)
    records: list[LoggedRecord] = field(default_factory=list)

    def say(self, data: EventData, at: datetime, *, sequence: int | None = None) -> LoggedRecord:
        """Append an event with the next sequence of its source, or a given one."""
        key = data.subject
        if sequence is None:
            sequence = self.sequences.get((key, data.source), 0) + 1
        self.sequences[key, data.source] = sequence
        envelope = Envelope(
            id=f"{key}-{data.source}-{sequence}",
            source=data.source,
            type=type(data).__name__,
            version=data.schema_version,
            time=at,
            subject=key,
            sequence=sequence,
        )
        return self.append(data.topic, key, data.model_dump_json().encode(), envelope.to_headers())

    def append(self, topic: str, key: str, value: bytes, headers: Headers) -> LoggedRecord:
        """Append a record as it is."""
        place = (topic, partition_of(key))
        offset = self.offsets.get(place, 0)
        self.offsets[place] = offset + 1
        record = LoggedRecord(topic, place[1], offset, 0, key, value, headers)
        self.records.append(record)
        return record


@dataclass
class Story:
    """One complaint told event by event."""

    log: Log
    complaint_id: str
    at: datetime
    number: str = "7K3F-9Q2M-X"
    version: int = 0

    def received(self, **fields: object) -> Story:
        """The complaint arrives."""
        values: dict[str, object] = {
            "number": self.number,
            "region": "CN-31",
            "h3": "872830828ffffff",
            "product": "SKU-88",
            "customer_id": "c-1",
            **fields,
        }
        data = received(self.complaint_id, self.at, **values)
        self.log.say(data, self.at)
        return self

    def opened(self, *, owner: str | None = None, department: str | None = "logistics") -> Story:
        """The case is opened with its clocks."""
        due = {"acknowledge": 60, "assign": 3600, "first_reply": 14400, "propose": 86400}
        due["resolve"] = 3 * 86400
        clocks = tuple(
            cases.ClockDue(kind=kind, due_at=self.at + timedelta(seconds=seconds))
            for kind, seconds in due.items()
        )
        return self.case(
            cases.CaseOpened,
            state="assigned" if owner else "received",
            owner=owner,
            department=department,
            priority="P2",
            policy="default/1",
            clocks=clocks,
        )

    def after(self, **span: float) -> Story:
        """Let time pass."""
        self.at += timedelta(**span)
        return self

    def case(self, model: type[EventData], *, state: str, **fields: object) -> Story:
        """Workflow says something."""
        self.version += 1
        values = {"state": state, "version": self.version, **self._ids(), **fields}
        self.log.say(model.model_validate(values), self.at)
        return self

    def sent(self, kind: str = "acknowledgement", *, skipped: bool = False) -> Story:
        """Notification says something about a message to the customer."""
        model = deliveries.NotificationSkipped if skipped else deliveries.NotificationSent
        values = {
            "notification_id": "n",
            "kind": kind,
            "occurrence": 1,
            "audience": "customer",
            "channel": "sms",
            **self._ids(),
        }
        self.log.say(model.model_validate(values), self.at)
        return self

    def _ids(self) -> dict[str, object]:
        return {"complaint_id": self.complaint_id, "number": self.number}


CATEGORIES = ("logistics.short", "logistics.late", "product.quality", "service.attitude", "other")
REGIONS = ("CN-31", "CN-11", "CN-44", None)
CELLS = ("872830828ffffff", "872830829ffffff", "87283082affffff", None)


def tell_many(count: int, *, seed: int = 1) -> Log:
    """Tell `count` complaints with different ways and ends, spread over some weeks."""
    chance = random.Random(seed)
    log = Log()
    for salt, story in enumerate(_stories(log, count, chance)):
        _tell(story, chance, salt)
    return log


def _stories(log: Log, count: int, chance: random.Random) -> Iterator[Story]:
    at = BEGAN
    for salt in range(count):
        at += timedelta(seconds=chance.expovariate(1 / 900))
        yield Story(log, id_at(at, salt), at, f"N-{salt:06d}")


def _tell(story: Story, chance: random.Random, salt: int) -> None:
    story.received(
        category=chance.choice(CATEGORIES),
        region=chance.choice(REGIONS),
        h3=chance.choice(CELLS),
        product=chance.choice(("SKU-88", "SKU-7", None)),
        channel=chance.choice(("web", "hotline", "email")),
        severity=chance.choice(("minor", "moderate", "major")),
        priority=chance.choice(("P1", "P2", "P3", "P4")),
        tier=chance.choice(("standard", "gold")),
    )
    story.opened(
        owner=chance.choice(("li.na", None)), department=chance.choice(("logistics", None))
    )
    story.after(seconds=chance.uniform(1, 90)).sent()
    if chance.random() < 0.2:
        return
    if chance.random() < 0.3:
        due = story.at + timedelta(minutes=5)
        story.after(minutes=5).case(
            cases.ClockBreached, state="assigned", clock="first_reply", due_at=due, late_seconds=0.5
        )
        story.case(cases.Escalated, state="assigned", level=1, previous_level=0, cause="breach")
    story.after(hours=chance.uniform(0.1, 9)).case(cases.CustomerContacted, state="assigned")
    story.after(hours=chance.uniform(1, 50)).case(
        cases.SolutionProposed, state="proposed", round=1, options=(), words_id="w"
    )
    story.after(hours=chance.uniform(1, 90)).case(
        cases.Resolved, state="resolved", outcome="solved", words_id="w"
    )
    if chance.random() < 0.1:
        story.after(hours=5).case(cases.Reopened, state="assigned", round=2)
    elif chance.random() < 0.7:
        story.after(hours=30).case(cases.Closed, state="closed", outcome="solved")
