"""Reading from Kafka: in a group that splits the partitions, or alone from given positions."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.bus.port import LoggedRecord, TopicPartition
from shared.kernel import logging
from shared.kernel.clock import Clock
from shared.kernel.errors import Unavailable

log = logging.get(__name__)

REQUEST_TIMEOUT_MS = 15_000
_REBALANCE_SECONDS = 30
_DRAIN_SECONDS = 25
"""How long a rebalance waits for what was read; less than the group waits for its members."""


class KafkaReader:
    """Reads partitions from given positions, outside any group."""

    def __init__(
        self, bootstrap: str, positions: Mapping[TopicPartition, int], *, clock: Clock
    ) -> None:
        self._clock = clock
        self._start_at = dict(positions)
        self._behind_since: dict[TopicPartition, float] = {}
        self._closed = False
        self._consumer = self._make(bootstrap)

    def _make(self, bootstrap: str) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )

    async def start(self) -> None:
        """Connect; raises Unavailable."""
        try:
            await self._consumer.start()
            self._take_up()
            # aiokafka's coordinator ends by awaiting a task that it cancelled: where that had not
            # begun, the cancellation would come out of `close`, and the connections stay open.
            await asyncio.sleep(0)
        except (KafkaError, OSError) as failure:
            await self._consumer.stop()
            raise Unavailable(f"Kafka does not answer: {failure}") from failure

    def _take_up(self) -> None:
        self._consumer.assign([to_kafka(partition) for partition in self._start_at])
        for partition, position in self._start_at.items():
            self._consumer.seek(to_kafka(partition), position)

    async def poll(self, *, max_records: int, timeout_seconds: float) -> Sequence[LoggedRecord]:
        """Return the next records, at most `max_records`; empty after `timeout_seconds`."""
        try:
            polled = await self._consumer.getmany(
                timeout_ms=int(timeout_seconds * 1000), max_records=max_records
            )
        except KafkaError as failure:
            raise Unavailable(f"Kafka does not give records: {failure}") from failure
        for partition, records in polled.items():
            self._note_lag(partition, records[-1])
        return [_from_kafka(record) for records in polled.values() for record in records]

    async def commit(self, positions: Mapping[TopicPartition, int]) -> None:
        """Do nothing: outside a group the caller keeps the positions."""

    def assignment(self) -> frozenset[TopicPartition]:
        """Return the partitions this consumer reads now."""
        return frozenset(TopicPartition(*partition) for partition in self._consumer.assignment())

    async def lag_seconds(self) -> float:
        """Return about how old the oldest record not polled yet is, 0 where there is none.

        Its time is not known before it is read; the last one read before it is as near as can be.
        """
        mine = self.assignment()
        behind = [since for part, since in self._behind_since.items() if part in mine]
        return max(0.0, self._clock.now().timestamp() - min(behind)) if behind else 0.0

    @property
    def is_closed(self) -> bool:
        """Whether it was let go."""
        return self._closed

    async def close(self) -> None:
        """Let go."""
        if not self._closed:
            self._closed = True
            await self._consumer.stop()

    def _note_lag(self, partition: KafkaPartition, last: ConsumerRecord[bytes, bytes]) -> None:
        end = self._consumer.highwater(partition)
        ours = TopicPartition(*partition)
        if end is not None and last.offset + 1 < end:
            self._behind_since[ours] = last.timestamp / 1000
        else:
            self._behind_since.pop(ours, None)


class GroupConsumer(KafkaReader):
    """Reads a share of a group's partitions; Kafka keeps the positions."""

    def __init__(
        self,
        bootstrap: str,
        *,
        clock: Clock,
        topics: Sequence[str],
        group: str,
        member: str,
        session_timeout_ms: int,
    ) -> None:
        self._topics = list(topics)
        self._group = group
        self._member = member
        self._session_timeout_ms = session_timeout_ms
        self._idle = asyncio.Event()
        self._idle.set()
        super().__init__(bootstrap, {}, clock=clock)

    def _make(self, bootstrap: str) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=self._group,
            group_instance_id=self._member,
            client_id=self._member,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            # The sticky assignor of aiokafka 0.14 gives partitions to two members (rule 4).
            partition_assignment_strategy=(RoundRobinPartitionAssignor,),
            session_timeout_ms=self._session_timeout_ms,
            heartbeat_interval_ms=min(3000, self._session_timeout_ms // 3),
            rebalance_timeout_ms=_REBALANCE_SECONDS * 1000,
            request_timeout_ms=max(REQUEST_TIMEOUT_MS, (_REBALANCE_SECONDS + 5) * 1000),
        )

    def _take_up(self) -> None:
        self._consumer.subscribe(self._topics, listener=_DrainFirst(self._idle))

    async def poll(self, *, max_records: int, timeout_seconds: float) -> Sequence[LoggedRecord]:
        """Return the next records; those of the last poll count as done."""
        self._idle.set()
        records = await super().poll(max_records=max_records, timeout_seconds=timeout_seconds)
        if records:
            self._idle.clear()
        return records

    async def commit(self, positions: Mapping[TopicPartition, int]) -> None:
        """Remember positions; those of partitions that were lost meanwhile are ignored."""
        mine = self._consumer.assignment()
        offsets = {to_kafka(p): at for p, at in positions.items() if to_kafka(p) in mine}
        try:
            if offsets:
                await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as lost:
            log.info("kafka.commit_ignored", group=self._group, reason=str(lost))
        except KafkaError as failure:
            raise Unavailable(f"Kafka did not take the positions: {failure}") from failure
        finally:
            self._idle.set()

    async def close(self) -> None:
        """Let go. A static member keeps its partitions until its session times out."""
        self._idle.set()
        await super().close()


class _DrainFirst(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped here
    """Gives partitions away only when what was read of them is done."""

    def __init__(self, idle: asyncio.Event) -> None:
        self._idle = idle

    async def on_partitions_revoked(self, revoked: Collection[KafkaPartition]) -> None:
        """Wait for the batch in hand; not longer than the group would wait."""
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                await self._idle.wait()
        except TimeoutError:
            log.warning("kafka.not_drained", partitions=len(revoked))

    async def on_partitions_assigned(self, assigned: Collection[KafkaPartition]) -> None:
        """Do nothing: positions are the committed ones."""


def to_kafka(partition: TopicPartition) -> KafkaPartition:
    """Return aiokafka's name of a partition."""
    return KafkaPartition(partition.topic, partition.partition)


def _from_kafka(record: ConsumerRecord[bytes, bytes]) -> LoggedRecord:
    # By place, and with the pairs as they are: made anew they are half of what reading costs.
    headers = tuple(record.headers)
    for _, value in headers:
        if value is None:
            headers = tuple((name, value or b"") for name, value in headers)
            break
    return LoggedRecord(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        (record.key or b"").decode(errors="replace"),
        record.value or b"",
        headers,
    )
