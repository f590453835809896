"""The log as a subscriber sees it: a file beside the product that writes it, or Kafka.

Apart from `events`, because the bus knows every event, and all commands load `events`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import orjson

from services.commands.at_rest import log_at_rest, refuse_beside_distributed
from shared.bus.log_file import LogReader
from shared.bus.port import Bus, Consumer, LoggedRecord, TopicPartition, next_positions
from shared.kernel.settings import CommonSettings

_AT_ONCE = 500
_PAUSE_SECONDS = 0.2


async def print_events(
    settings: CommonSettings, topic: str, *, follow: bool, from_start: bool
) -> None:
    """Print a topic's events, one JSON object a line; `follow` goes on with those that come."""
    log = await _open(settings)
    try:
        ends = await log.end_positions(topic)
        positions = dict.fromkeys(ends, 0) if from_start else dict(ends)
        while True:
            records = await log.read(positions)
            for record in records:
                sys.stdout.buffer.write(_line(record))
            sys.stdout.flush()
            positions |= next_positions(records)
            if not follow and all(positions[part] >= end for part, end in ends.items()):
                return
    finally:
        await log.close()


class _Log(Protocol):
    """What tailing needs of a log."""

    async def end_positions(self, topic: str) -> Mapping[TopicPartition, int]: ...
    async def read(self, positions: Mapping[TopicPartition, int]) -> Sequence[LoggedRecord]: ...
    async def close(self) -> None: ...


class _File:
    """The embedded log, read beside the process that writes it; a reader disturbs nobody."""

    def __init__(self, path: Path) -> None:
        self._reader = LogReader(path)
        self._topics = self._reader.topics()

    async def end_positions(self, topic: str) -> Mapping[TopicPartition, int]:
        return {
            part: end for part, end in self._reader.ends(self._topics).items() if part[0] == topic
        }

    async def read(self, positions: Mapping[TopicPartition, int]) -> Sequence[LoggedRecord]:
        records = self._reader.fetch(self._topics, list(positions.items()), _AT_ONCE)
        if not records:
            await asyncio.sleep(_PAUSE_SECONDS)
        return records

    async def close(self) -> None:
        self._reader.close()


class _Kafka:
    """Kafka, read outside any group."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._consumer: Consumer | None = None

    async def end_positions(self, topic: str) -> Mapping[TopicPartition, int]:
        return await self._bus.end_positions(topic)

    async def read(self, positions: Mapping[TopicPartition, int]) -> Sequence[LoggedRecord]:
        if self._consumer is None:
            self._consumer = await self._bus.reader(positions)
        return await self._consumer.poll(max_records=_AT_ONCE, timeout_seconds=1)

    async def close(self) -> None:
        await self._bus.stop()


def _line(record: LoggedRecord) -> bytes:
    try:
        data: object = orjson.loads(record.value)
    except orjson.JSONDecodeError:
        data = record.value.decode(errors="replace")
    event = {name: value.decode(errors="replace") for name, value in record.headers}
    place = {"partition": record.partition, "offset": record.offset}
    return orjson.dumps(event | place | {"data": data}) + b"\n"


async def _open(settings: CommonSettings) -> _Log:
    if settings.kafka_bootstrap is None:
        refuse_beside_distributed(settings)
        return _File(log_at_rest(settings))
    from shared.bus.kafka import KafkaBus

    bus = KafkaBus(settings.kafka_bootstrap)
    await bus.start()
    return _Kafka(bus)
