"""Consumers of a log that lives in this process, with Kafka's semantics for groups and positions.

The SQLite log and the fake share this file; what differs between them is the Store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from shared.bus.port import LoggedRecord, TopicPartition, next_positions
from shared.events.topics import PARTITIONS
from shared.kernel.clock import Clock

_LOOK_FOR_OTHER_WRITERS_SECONDS = 0.5


class Store(Protocol):
    """Where records and committed positions lie."""

    clock: Clock
    watchers: set[asyncio.Event]

    def end_of(self, partition: TopicPartition) -> int:
        """Return the offset after the last known record."""
        ...

    async def refresh(self) -> None:
        """Look for records that another process wrote; sets the watchers if there are any."""
        ...

    async def fetch(
        self, positions: Sequence[tuple[TopicPartition, int]], limit: int
    ) -> list[LoggedRecord]:
        """Read at most `limit` records, partition after partition, each from its position."""
        ...

    async def committed(self, group: str) -> Mapping[TopicPartition, int]:
        """Return the positions a group has committed."""
        ...

    async def commit(self, group: str, positions: Mapping[TopicPartition, int]) -> None:
        """Store positions durably."""
        ...


def partitions_of(topics: Sequence[str]) -> list[TopicPartition]:
    """Return all partitions of the topics, in order."""
    return [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]


class Group:
    """The members of one group in this process; each reads its share of the partitions."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._members: list[GroupConsumer] = []

    def join(self, member: GroupConsumer) -> None:
        """Let a member in, and have everybody read a new share."""
        self._members.append(member)
        self._share_out()

    def leave(self, member: GroupConsumer) -> None:
        """Let a member go, and have the others read its share."""
        if member in self._members:
            self._members.remove(member)
            self._share_out()

    def _share_out(self) -> None:
        subscribed = {topic for member in self._members for topic in member.topics}
        shares: dict[GroupConsumer, set[TopicPartition]] = {m: set() for m in self._members}
        for place, partition in enumerate(partitions_of(sorted(subscribed))):
            takers = [m for m in self._members if partition.topic in m.topics]
            shares[takers[place % len(takers)]].add(partition)
        for member, share in shares.items():
            member.reassign(frozenset(share))


class LocalReader:
    """Reads partitions from given positions, outside any group."""

    def __init__(self, store: Store, positions: Mapping[TopicPartition, int]) -> None:
        self._store = store
        self._positions = dict(positions)
        self._wake = asyncio.Event()
        self._turn = 0
        self._closed = False
        store.watchers.add(self._wake)

    async def poll(self, *, max_records: int, timeout_seconds: float) -> Sequence[LoggedRecord]:
        """Return the next records, at most `max_records`; empty after `timeout_seconds`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_seconds
        while not self._closed:
            self._wake.clear()
            await self._prepare()
            if behind := self._behind():
                return await self._take(behind, max_records)
            left = deadline - loop.time()
            if left <= 0:
                break
            await self._wait(left)
        return ()

    async def commit(self, positions: Mapping[TopicPartition, int]) -> None:
        """Do nothing: outside a group the caller keeps the positions."""

    def assignment(self) -> frozenset[TopicPartition]:
        """Return the partitions this consumer reads now."""
        return frozenset(self._positions)

    async def lag_seconds(self) -> float:
        """Return the age of the oldest record not polled yet, 0 where there is none."""
        await self._prepare()
        heads = [
            record.timestamp_ms
            for waiting in self._behind()
            for record in await self._store.fetch([waiting], 1)
        ]
        if not heads:
            return 0.0
        return max(0.0, self._store.clock.now().timestamp() - min(heads) / 1000)

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        """The next offset that it will poll, by partition."""
        return self._positions

    @property
    def is_closed(self) -> bool:
        """Whether it was let go."""
        return self._closed

    async def close(self) -> None:
        """Let go; a poll under way returns empty."""
        self._closed = True
        self._wake.set()
        self._store.watchers.discard(self._wake)

    async def _prepare(self) -> None:
        """Do what must precede reading."""

    def _behind(self) -> list[tuple[TopicPartition, int]]:
        """Return the partitions that have more, with their positions, in a fair turn."""
        found = [
            (partition, position)
            for partition, position in self._positions.items()
            if position < self._store.end_of(partition)
        ]
        self._turn += 1
        first = self._turn % len(found) if found else 0
        return found[first:] + found[:first]

    async def _take(
        self, behind: Sequence[tuple[TopicPartition, int]], limit: int
    ) -> Sequence[LoggedRecord]:
        records = await self._store.fetch(behind, limit)
        after = next_positions(records)
        # Partitions that were given away while this was read are somebody else's now.
        lost = after.keys() - self._positions.keys()
        for place in lost:
            del after[place]
        self._positions.update(after)
        if not lost:
            return records
        return [record for record in records if (record.topic, record.partition) not in lost]

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(min(seconds, _LOOK_FOR_OTHER_WRITERS_SECONDS)):
                await self._wake.wait()
        except TimeoutError:
            await self._store.refresh()


class GroupConsumer(LocalReader):
    """Reads a share of a group's partitions; positions are kept by the store."""

    def __init__(self, store: Store, group: Group, topics: Sequence[str]) -> None:
        super().__init__(store, {})
        self.topics = frozenset(topics)
        self._group = group
        self._share: frozenset[TopicPartition] = frozenset()
        group.join(self)

    def reassign(self, share: frozenset[TopicPartition]) -> None:
        """Take note of a new share; partitions that stay keep their position."""
        self._share = share
        self._positions = {p: at for p, at in self._positions.items() if p in share}
        self._wake.set()

    def assignment(self) -> frozenset[TopicPartition]:
        """Return the partitions this consumer reads now."""
        return self._share

    async def commit(self, positions: Mapping[TopicPartition, int]) -> None:
        """Remember positions of partitions that are still ours."""
        ours = {p: position for p, position in positions.items() if p in self._share}
        if ours:
            await self._store.commit(self._group.name, ours)

    async def close(self) -> None:
        """Leave the group."""
        await super().close()
        self._group.leave(self)
        self._share = frozenset()
        self._positions = {}

    async def _prepare(self) -> None:
        new = self._share - self._positions.keys()
        if new:
            committed = await self._store.committed(self._group.name)
            for partition in sorted(new & self._share):
                self._positions[partition] = committed.get(partition, 0)
