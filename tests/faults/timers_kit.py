"""Complaints whose clocks run out, and what workflow said when they did."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from shared.bus.kafka import KafkaBus
from shared.bus.local_log import LocalLog
from shared.bus.port import Bus, Record
from shared.events import topics
from shared.events.base import EventData, Source
from shared.events.cases import ClockBreached, ClockWarned, Escalated
from shared.events.complaints import ComplaintReceived
from shared.events.envelope import Envelope
from shared.events.registry import decode
from shared.kernel.ids import new_id, new_number
from tests.harness.product import Product, eventually

FIRST_REPLY = {
    ("warned", "first_reply", 0.5),
    ("warned", "first_reply", 0.8),
    ("breached", "first_reply"),
}
"""What becomes of a first reply that nobody gives, by the stories' policy."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event that workflow said, and when."""

    sequence: int
    at: datetime
    data: EventData


Effect = tuple[object, datetime | None]

Stories = dict[str, list[Told]]
"""What workflow said about each complaint, in the order of the log."""


def received(received_at: datetime, priority: str) -> ComplaintReceived:
    """Return a complaint that came in at `received_at`."""
    return ComplaintReceived(
        complaint_id=new_id(),
        number=new_number(),
        received_at=received_at,
        channel="web",
        category="logistics.short",
        suggested_category="logistics.short",
        severity="moderate",
        urgency="high",
        priority=priority,
        language="zh",
        customer_id=new_id(),
    )


def say(kafka: str, complaints: Sequence[ComplaintReceived]) -> None:
    """Put complaints into the log, as intake would."""

    async def publish() -> None:
        bus = KafkaBus(kafka)
        await bus.start()
        try:
            producer = await bus.producer()
            await producer.publish([_record(complaint) for complaint in complaints])
        finally:
            await bus.stop()

    asyncio.run(publish())


def stories(product: Product) -> Stories:
    """Return what is in the log; the embedded product, whose log has one writer, must be stopped.

    A relay that was killed may have said something again: that is taken once, but must be the same.
    """
    kafka = product.environment.get("REDRESS_KAFKA_BOOTSTRAP")
    return asyncio.run(_stories(KafkaBus(kafka) if kafka else LocalLog(product.home / "log.db")))


def wait_for_each(
    complaints: Iterable[str], condition: Callable[[str], object], *, what: str
) -> None:
    """Wait until something is true of each complaint."""
    for complaint in complaints:
        eventually(partial(condition, complaint), what=what)


def is_breached(product: Product, complaint: str) -> bool:
    """Tell whether the first reply of a case was not given in time."""
    case = product.case(complaint) or {"clocks": []}
    return any(c["kind"] == "first_reply" and c["state"] == "breached" for c in case["clocks"])


def check_effects(told: Stories, complaints: Iterable[str], expected: Iterable[object]) -> None:
    """Check that each clock had its effects once, none early, and that no sequence is missing.

    On the next level a milestone that was missed has another clock, with a due time of its own.
    """
    for complaint in complaints:
        story = told[complaint]
        found = effects(story)
        assert {effect for effect, _due_at in found} >= set(expected), (complaint, found)
        assert set(found.values()) <= {1}, (complaint, found)
        assert [one.sequence for one in story] == list(range(1, len(story) + 1)), complaint
        for one in story:
            assert not isinstance(one.data, ClockBreached) or one.data.late_seconds >= 0


def effects(story: Iterable[Told]) -> Counter[Effect]:
    """Count what time did to a case, and to which of its clocks."""
    return Counter(effect for one in story if (effect := _effect(one.data)) is not None)


def _effect(data: EventData) -> Effect | None:
    match data:
        case ClockWarned():
            return ("warned", data.clock, round(data.share, 3)), data.due_at
        case ClockBreached():
            return ("breached", data.clock), data.due_at
        case Escalated(cause="breach"):
            return ("escalated", data.level), None
        case _:
            return None


async def _stories(bus: Bus) -> Stories:
    await bus.start()
    try:
        ends = await bus.end_positions(topics.COMPLAINTS)
        reader = await bus.reader(dict.fromkeys(ends, 0))
        left, found = sum(ends.values()), dict[tuple[str, int], Told]()
        seen: dict[tuple[str, int], bytes] = {}
        while left > 0:
            for record in await reader.poll(max_records=1000, timeout_seconds=1):
                left -= 1
                envelope = Envelope.from_headers(record.headers)
                if envelope.source != Source.WORKFLOW:
                    continue
                key = record.key, envelope.sequence
                assert seen.setdefault(key, record.value) == record.value, key
                told = Told(envelope.sequence, envelope.time, decode(envelope, record.value))
                found.setdefault(key, told)
    finally:
        await bus.stop()
    by_complaint: Stories = {}
    for (complaint, _), told in found.items():
        by_complaint.setdefault(complaint, []).append(told)
    return by_complaint


def _record(complaint: ComplaintReceived) -> Record:
    envelope = Envelope(
        id=new_id(),
        source=Source.INTAKE.value,
        type="ComplaintReceived",
        version=1,
        time=complaint.received_at,
        subject=complaint.complaint_id,
        sequence=1,
    )
    value = complaint.model_dump_json().encode()
    return Record(complaint.topic, complaint.complaint_id, value, envelope.to_headers())
