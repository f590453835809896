"""A durable event log in one SQLite file, with Kafka's semantics, for the embedded profile.

Publishes that come together are committed together: what gathers while one transaction is being
made durable goes into the next. Consumers of the same process are woken by the commit.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from shared.bus.local_consumer import Group, GroupConsumer, LocalReader
from shared.bus.log_file import LogReader, LogWriter, UnknownTopic
from shared.bus.log_tail import LogTail
from shared.bus.opened import OpenReaders
from shared.bus.port import LoggedRecord, Record, TopicPartition, Unpublished
from shared.events import topics
from shared.kernel.clock import Clock, SystemClock
from shared.kernel.errors import Unavailable

R = TypeVar("R")


@dataclass(slots=True)
class _Order:
    """Something to be written, and who waits for it."""

    done: asyncio.Future[None]
    records: Sequence[Record] = ()
    positions: Mapping[tuple[str, TopicPartition], int] = field(default_factory=dict)


class LocalLog:
    """The bus of the embedded profile. Only one process may publish to a file at a time."""

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.watchers: set[asyncio.Event] = set()
        self._path = path
        self._groups: dict[str, Group] = {}
        self._consumers: OpenReaders[LocalReader] = OpenReaders()
        self._ends: dict[TopicPartition, int] = {}
        self._tail = LogTail()
        self._orders: list[_Order] = []
        self._ordered = asyncio.Event()
        self._committer: asyncio.Task[None] | None = None
        self._write_thread = ThreadPoolExecutor(1, "log-writer")
        self._read_thread = ThreadPoolExecutor(1, "log-reader")
        self._writer: LogWriter | None = None
        self._reader: LogReader | None = None

    async def start(self) -> None:
        """Open the file; raises Unavailable where that fails."""
        try:
            self._writer = await self._in(self._write_thread, lambda: LogWriter(self._path))
            self._reader = await self._in(self._read_thread, lambda: LogReader(self._path))
        except (sqlite3.Error, OSError) as failure:
            raise Unavailable(f"the event log {self._path.name} cannot be opened: {failure}") from (
                failure
            )
        self._ends = dict(self._writer.ends)
        self._committer = asyncio.create_task(self._commit_forever(), name="log-committer")

    async def stop(self) -> None:
        """Close the consumers and the file; what was published stays."""
        await self._consumers.close()
        # Without its name nothing more is ordered; what was ordered is still written and answered.
        committer, self._committer = self._committer, None
        if committer is not None:
            self._ordered.set()
            await committer
        if self._reader is not None:
            await self._in(self._read_thread, self._reader.close)
        if self._writer is not None:
            await self._in(self._write_thread, self._writer.close)
        self._reader = self._writer = None
        self._read_thread.shutdown()
        self._write_thread.shutdown()

    async def ensure_topics(self) -> None:
        """Make every topic of `topics.ALL` that is missing."""
        writer = self._open_writer()
        await self._in(self._write_thread, lambda: writer.ensure_topics(topics.ALL))
        self._ends = dict(writer.ends)

    async def producer(self) -> LocalProducer:
        """Open a producer."""
        return LocalProducer(self)

    async def consumer(self, *, topics: Sequence[str], group: str, member: str) -> GroupConsumer:
        """Join a group; members of this process share its partitions and need no stable name."""
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
        """Return the name that the file was given when it was made."""
        return self._open_writer().identity

    async def end_positions(self, topic: str) -> Mapping[TopicPartition, int]:
        """Return for each partition the offset that the next record will get."""
        await self.refresh()
        return {part: end for part, end in self._ends.items() if part.topic == topic}

    async def append(self, records: Sequence[Record]) -> None:
        """Append records durably; raises Unpublished where nothing was stored."""
        try:
            await self._order(records=records)
        except (sqlite3.Error, UnknownTopic, Unavailable, ValueError, TypeError) as failure:
            raise Unpublished((), f"the event log did not take the records: {failure}") from failure

    # What consumers need (local_consumer.Store).

    def end_of(self, partition: TopicPartition) -> int:
        """Return the offset after the last known record."""
        return self._ends.get(partition, 0)

    async def refresh(self) -> None:
        """Look for records that another process wrote."""
        reader = self._reader
        if reader is None:
            return
        ends = await self._in(self._read_thread, lambda: reader.ends(reader.topics()))
        self._note(ends)

    async def fetch(
        self, positions: Sequence[tuple[TopicPartition, int]], limit: int
    ) -> list[LoggedRecord]:
        """Read at most `limit` records, partition after partition, each from its position."""
        reader, writer = self._reader, self._open_writer()
        if reader is None:
            return []
        if newest := self._tail.fetch(positions, limit):
            return newest
        known = writer.topics
        return await self._in(self._read_thread, lambda: reader.fetch(known, positions, limit))

    async def committed(self, group: str) -> Mapping[TopicPartition, int]:
        """Return the positions a group has committed."""
        reader = self._reader
        if reader is None:
            return {}
        return await self._in(self._read_thread, lambda: reader.committed(group))

    async def commit(self, group: str, positions: Mapping[TopicPartition, int]) -> None:
        """Store positions durably; raises Unavailable where that fails."""
        try:
            await self._order(positions={(group, part): at for part, at in positions.items()})
        except sqlite3.Error as failure:
            raise Unavailable(f"the event log did not take the positions: {failure}") from failure

    async def _order(
        self,
        *,
        records: Sequence[Record] = (),
        positions: Mapping[tuple[str, TopicPartition], int] | None = None,
    ) -> None:
        if self._committer is None:
            raise Unavailable("the event log is closed")
        order = _Order(asyncio.get_running_loop().create_future(), records, positions or {})
        self._orders.append(order)
        self._ordered.set()
        await order.done

    async def _commit_forever(self) -> None:
        while self._committer is not None or self._orders:
            await self._ordered.wait()
            self._ordered.clear()
            orders, self._orders = self._orders, []
            if orders:
                await self._write(orders)

    async def _write(self, orders: Sequence[_Order]) -> None:
        writer = self._open_writer()
        records = [record for order in orders for record in order.records]
        positions = {where: at for order in orders for where, at in order.positions.items()}
        stamp = int(self.clock.now().timestamp() * 1000)
        try:
            logged = await self._in(
                self._write_thread, lambda: writer.write(records, positions, stamp)
            )
        except Exception as failure:  # noqa: BLE001 - the edge of this worker: nobody may wait for ever
            for order in orders:
                if not order.done.done():
                    order.done.set_exception(failure)
            return
        self._tail.forget(reader.positions for reader in self._consumers)
        self._tail.extend(logged)
        for order in orders:
            if not order.done.done():
                order.done.set_result(None)
        self._note(dict(writer.ends))

    def _note(self, ends: dict[TopicPartition, int]) -> None:
        # A look by `refresh` may be older than what was committed meanwhile.
        newest = {part: max(end, self._ends.get(part, 0)) for part, end in ends.items()}
        if newest != self._ends:
            self._ends = newest
            for watcher in self.watchers:
                watcher.set()

    def _open_writer(self) -> LogWriter:
        if self._writer is None:
            raise Unavailable("the event log is closed")
        return self._writer

    async def _in(self, thread: ThreadPoolExecutor, call: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(thread, call)


class LocalProducer:
    """Appends to the local log."""

    def __init__(self, log: LocalLog) -> None:
        self._log = log

    async def publish(self, records: Sequence[Record]) -> None:
        """Return when the log has every record; raises Unpublished with those that it has."""
        if records:
            await self._log.append(records)

    async def close(self) -> None:
        """Let go; nothing is held back."""
