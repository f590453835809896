"""A log in memory, for tests: the semantics of the others, nothing durable."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence

from shared.bus.local_consumer import Group, GroupConsumer, LocalReader
from shared.bus.opened import OpenReaders
from shared.bus.port import LoggedRecord, Record, TopicPartition, Unpublished
from shared.events import topics as all_topics
from shared.events.topics import partition_of
from shared.kernel.clock import Clock, SystemClock
from shared.kernel.ids import new_id


class MemoryLog:
    """A bus whose records are lists."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self._identity = new_id()
        self.watchers: set[asyncio.Event] = set()
        self._records: dict[TopicPartition, list[LoggedRecord]] = {}
        self._committed: dict[str, dict[TopicPartition, int]] = defaultdict(dict)
        self._groups: dict[str, Group] = {}
        self._consumers: OpenReaders[LocalReader] = OpenReaders()

    async def start(self) -> None:
        """Do nothing: there is nothing to connect to."""

    async def stop(self) -> None:
        """Close the consumers."""
        await self._consumers.close()

    async def ensure_topics(self) -> None:
        """Make every topic of `topics.ALL` that is missing."""
        for topic in all_topics.ALL:
            for number in range(all_topics.PARTITIONS):
                self._records.setdefault(TopicPartition(topic, number), [])

    async def producer(self) -> MemoryProducer:
        """Open a producer."""
        return MemoryProducer(self)

    async def consumer(self, *, topics: Sequence[str], group: str, member: str) -> GroupConsumer:
        """Join a group; members of this process need no stable name."""
        del member
        joined = self._groups.setdefault(group, Group(group))
        consumer = GroupConsumer(self, joined, topics)
        self._consumers.add(consumer)
        return consumer

    async def reader(self, positions: Mapping[TopicPartition, int]) -> LocalReader:
        """Read partitions from given positions, outside any group."""
        reader = LocalReader(self, positions)
        self._consumers.add(reader)
        return reader

    async def identity(self) -> str:
        """Return the name of this log."""
        return self._identity

    async def end_positions(self, topic: str) -> Mapping[TopicPartition, int]:
        """Return for each partition the offset that the next record will get."""
        return {part: len(log) for part, log in self._records.items() if part.topic == topic}

    def append(self, records: Sequence[Record]) -> None:
        """Append records; raises Unpublished at the first one whose topic does not exist."""
        stamp = int(self.clock.now().timestamp() * 1000)
        places = [TopicPartition(record.topic, partition_of(record.key)) for record in records]
        for place in places:
            if place not in self._records:
                raise Unpublished((), f"no topic {place.topic}")
        for place, record in zip(places, records, strict=True):
            log = self._records[place]
            log.append(
                LoggedRecord(*place, len(log), stamp, record.key, record.value, record.headers)
            )
        for watcher in self.watchers:
            watcher.set()

    # What consumers need (local_consumer.Store).

    def end_of(self, partition: TopicPartition) -> int:
        """Return the offset after the last record."""
        return len(self._records.get(partition, ()))

    async def refresh(self) -> None:
        """Do nothing: no other process can write."""

    async def fetch(
        self, positions: Sequence[tuple[TopicPartition, int]], limit: int
    ) -> list[LoggedRecord]:
        """Read at most `limit` records, partition after partition."""
        found: list[LoggedRecord] = []
        for partition, position in positions:
            log = self._records.get(partition, [])
            found += log[position : position + limit - len(found)]
        return found

    async def committed(self, group: str) -> Mapping[TopicPartition, int]:
        """Return the positions a group has committed."""
        return dict(self._committed[group])

    async def commit(self, group: str, positions: Mapping[TopicPartition, int]) -> None:
        """Remember positions."""
        self._committed[group].update(positions)


class MemoryProducer:
    """Appends to the list."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    async def publish(self, records: Sequence[Record]) -> None:
        """Return when the log has every record; raises Unpublished with those that it has."""
        self._log.append(records)

    async def close(self) -> None:
        """Let go; nothing is held back."""
