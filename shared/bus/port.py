"""The port to the event log. Whoever uses the log knows only this file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from shared.bus.headers import PackedHeaders
from shared.events.base import EventData
from shared.events.envelope import Envelope, Headers
from shared.events.registry import decode


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Record(NamedTuple):
    """A record to publish; its partition follows from its key (`topics.partition_of`)."""

    topic: str
    key: str
    value: bytes
    headers: Headers


class LoggedRecord(NamedTuple):
    """A record as read from the log. `timestamp_ms` is when the log took it."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: str
    value: bytes
    headers: Headers

    @property
    def envelope(self) -> Envelope:
        """Read what stands around the event; raises BrokenEnvelope."""
        headers = self.headers
        if isinstance(headers, PackedHeaders):
            return headers.envelope()
        return Envelope.from_headers(headers)

    @property
    def data(self) -> EventData:
        """Read what the event says; raises BrokenEnvelope, UnknownEvent or BrokenData."""
        return self.data_under(self.envelope)

    def data_under(self, envelope: Envelope) -> EventData:
        """Read what the event says under its envelope; raises UnknownEvent or BrokenData."""
        return decode(envelope, self.value)


class SharedRecord(LoggedRecord):
    """A record that several readers of this process hold: what it says is read once for all.

    Events are immutable. Two threads that ask at once may both read it. Where each reader has
    records of its own, as on Kafka, keeping what was read only gives the garbage collector work.
    """

    _envelope: Envelope | None = None
    _data: EventData | None = None

    @property
    def envelope(self) -> Envelope:
        """Return what stands around the event; raises BrokenEnvelope."""
        if self._envelope is None:
            self._envelope = super().envelope
        return self._envelope

    def data_under(self, envelope: Envelope) -> EventData:
        """Return what the event says; raises UnknownEvent or BrokenData."""
        if self._data is None:
            self._data = super().data_under(envelope)
        return self._data


def next_positions(records: Sequence[LoggedRecord]) -> dict[TopicPartition, int]:
    """Return from where each partition is read on after these, which are in the order of the log.

    Every reader asks it of every batch: plain tuples cost a third of named ones.
    """
    last = {(record.topic, record.partition): record.offset for record in records}
    return {TopicPartition(*place): offset + 1 for place, offset in last.items()}


class Unpublished(Exception):
    """Publishing stopped early. `acknowledged` are the indexes that the log has for sure."""

    def __init__(self, acknowledged: Sequence[int], reason: str) -> None:
        super().__init__(reason)
        self.acknowledged = tuple(acknowledged)


class Producer(Protocol):
    """Appends records durably, in the order given within a partition."""

    async def publish(self, records: Sequence[Record]) -> None:
        """Return when the log has every record; raises Unpublished with those that it has."""
        ...

    async def close(self) -> None:
        """Flush and let go."""
        ...


class Consumer(Protocol):
    """Reads partitions in order.

    In a group, positions are kept by the log: call `commit` after the effects. Without a group
    (`Bus.reader`) the caller keeps them.
    """

    async def poll(self, *, max_records: int, timeout_seconds: float) -> Sequence[LoggedRecord]:
        """Return the next records, at most `max_records`; empty after `timeout_seconds`."""
        ...

    async def commit(self, positions: Mapping[TopicPartition, int]) -> None:
        """Remember the next offset to read per partition; a partition lost meanwhile is ignored."""
        ...

    def assignment(self) -> frozenset[TopicPartition]:
        """Return the partitions this consumer reads now."""
        ...

    async def lag_seconds(self) -> float:
        """Return the age of the oldest record not polled yet, 0 where there is none."""
        ...

    async def close(self) -> None:
        """Leave the group and let go."""
        ...


class Bus(Protocol):
    """The event log."""

    async def start(self) -> None:
        """Connect; raises Unavailable where the log cannot be reached."""
        ...

    async def stop(self) -> None:
        """Let go of everything that was opened through this bus."""
        ...

    async def ensure_topics(self) -> None:
        """Make every topic of `topics.ALL` with its partitions; those that exist stay."""
        ...

    async def producer(self) -> Producer:
        """Open a producer."""
        ...

    async def consumer(self, *, topics: Sequence[str], group: str, member: str) -> Consumer:
        """Join a consumer group; partitions without a committed position start at the beginning.

        `member` is this replica's stable name within the group (Kafka static membership).
        """
        ...

    async def reader(self, positions: Mapping[TopicPartition, int]) -> Consumer:
        """Read all partitions named, each from its position, outside any group."""
        ...

    async def identity(self) -> str:
        """Return a name that this log has for good and no other log has; raises Unavailable."""
        ...

    async def end_positions(self, topic: str) -> Mapping[TopicPartition, int]:
        """Return for each partition the offset that the next record will get."""
        ...
