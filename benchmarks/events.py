"""Synthetic events, put into the log without the services that would say them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from shared.bus.kafka import KafkaBus
from shared.bus.port import Record
from shared.events.base import EventData
from shared.events.complaints import ComplaintReceived
from shared.events.envelope import Envelope
from shared.kernel.ids import new_id, new_number

CATEGORIES = ("logistics.short", "product.quality", "service.attitude", "billing.overcharge")
REGIONS = ("CN-31", "CN-11", "CN-44", "GB-LND")
PRIORITIES = ("P1", "P2", "P3", "P4")


def received(count: int) -> Iterator[Record]:
    """Yield as many ComplaintReceived, each of another complaint, as intake would say them."""
    dice = random.Random(1)
    for _ in range(count):
        now = datetime.now(UTC)
        data = ComplaintReceived(
            complaint_id=new_id(),
            number=new_number(),
            received_at=now,
            channel="web",
            category=dice.choice(CATEGORIES),
            suggested_category="other",
            severity="major",
            urgency="normal",
            priority=dice.choice(PRIORITIES),
            language="zh",
            region=dice.choice(REGIONS),
            customer_id=new_id(),
        )
        yield as_record(data, at=now)


def as_record(data: EventData, *, at: datetime, sequence: int = 1) -> Record:
    """Return the record of an event."""
    envelope = Envelope(
        id=new_id(),
        source=data.source.value,
        type=type(data).__name__,
        version=data.schema_version,
        time=at,
        subject=data.subject,
        sequence=sequence,
    )
    value = data.model_dump_json().encode()
    return Record(data.topic, data.subject, value, envelope.to_headers())


async def publish(kafka: str, records: Sequence[Record]) -> None:
    """Put records into Kafka, making its topics where they are missing."""
    bus = KafkaBus(kafka)
    await bus.start()
    try:
        await bus.ensure_topics()
        producer = await bus.producer()
        for start in range(0, len(records), 1000):
            await producer.publish(records[start : start + 1000])
        await producer.close()
    finally:
        await bus.stop()
