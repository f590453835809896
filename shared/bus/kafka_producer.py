"""Writing to Kafka: in order, and without waiting for ever.

Batches of one partition are awaited before the next (ordered), and where there is much to say, one
partition before the next (fastest). A partition that takes nothing keeps no other waiting for long:
an idempotent producer itself would try for ever, and what the others took would not be known. A
producer that failed is thrown away, because a stuck one never heals.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError, LeaderNotAvailableError

from shared.bus.kafka_consumer import REQUEST_TIMEOUT_MS, to_kafka
from shared.bus.port import Record, TopicPartition, Unpublished
from shared.events.topics import partition_of
from shared.kernel import logging

log = logging.get(__name__)

_PATIENCE_SECONDS = 30.0
"""How long Kafka may take to let the producer in, and a partition to acknowledge a batch."""
_ENDING_SECONDS = 2.0
_BATCH_BYTES = 512 * 1024
# So few go in one request for all partitions: a relay that publishes 30 times a second would else
# make the broker and itself handle three requests for three records.
_FEW = 200
_NO_LEADER = (None, -1)
_FAILURES = (KafkaError, OSError, AssertionError, ValueError)


class KafkaProducer:
    """Publishes in order within a partition; replaces its connection after any failure."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, records: Sequence[Record]) -> None:
        """Return when the log has every record; raises Unpublished with those that it has.

        What was sent and not acknowledged may be in the log all the same: publishing it again
        repeats it, and consumers drop what they have seen.
        """
        acknowledged: list[int] = []
        try:
            producer = await self._connected()
            shares = _by_partition(records)
            if len(records) <= _FEW:
                await _publish_at_once(producer, shares, acknowledged)
            else:
                await _publish_in_turn(producer, shares, acknowledged)
        except _FAILURES as failure:
            await self._throw_away()
            reason = f"{type(failure).__name__}: {failure}"
            raise Unpublished(sorted(acknowledged), reason) from failure
        except asyncio.CancelledError:
            await self._throw_away()
            raise

    async def close(self) -> None:
        """Let go of the connection."""
        await self._throw_away()

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                enable_idempotence=True,
                acks="all",
                max_batch_size=_BATCH_BYTES,
                request_timeout_ms=REQUEST_TIMEOUT_MS,
            )
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _throw_away(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _end(producer)


async def _end(producer: AIOKafkaProducer) -> None:
    """End a producer and all that it does by itself.

    Its own `stop` flushes first: for ever where a batch is stuck, and cut short it leaves a sender
    that goes on and says late what the next producer has said meanwhile. Of what we sent each batch
    has had its answer or was given up.
    """
    try:
        async with asyncio.timeout(_ENDING_SECONDS):
            await producer._sender.close()  # noqa: SLF001 - nothing public ends it
    except (KafkaError, TimeoutError) as failure:
        log.info("kafka.producer_abandoned", reason=str(failure))
    producer._closed = True  # noqa: SLF001 - it would else complain of not being stopped
    await producer.client.close()


async def _publish_in_turn(
    producer: AIOKafkaProducer,
    shares: Mapping[TopicPartition, Mapping[int, Record]],
    acknowledged: list[int],
) -> None:
    """Publish one share after another; after a failure the others at once, then raise it."""
    left = dict(shares)
    for partition, share in shares.items():
        del left[partition]
        try:
            await _publish_share(producer, partition, share, acknowledged)
        except _FAILURES:
            with contextlib.suppress(*_FAILURES):
                await _publish_at_once(producer, left, acknowledged)
            raise


async def _publish_at_once(
    producer: AIOKafkaProducer,
    shares: Mapping[TopicPartition, Mapping[int, Record]],
    acknowledged: list[int],
) -> None:
    """Publish all shares in one request; a failure is raised once each has had its answer."""
    answers = await asyncio.gather(
        *(_publish_share(producer, part, share, acknowledged) for part, share in shares.items()),
        return_exceptions=True,
    )
    for answer in answers:
        if answer is not None:
            raise answer


async def _publish_share(
    producer: AIOKafkaProducer,
    partition: TopicPartition,
    share: Mapping[int, Record],
    acknowledged: list[int],
) -> None:
    """Publish one partition's records in order, noting the numbers of those acknowledged."""
    numbers, sent = list(share), 0
    while sent < len(numbers):
        size = await _send(producer, partition, [share[number] for number in numbers[sent:]])
        acknowledged += numbers[sent : sent + size]
        sent += size


async def _send(
    producer: AIOKafkaProducer, partition: TopicPartition, records: Sequence[Record]
) -> int:
    """Send as many records as one batch holds and wait for them; returns how many."""
    await _require_leader(producer, partition)
    batch = producer.create_batch()
    count = 0
    for record in records:
        taken = batch.append(
            key=record.key.encode(),
            value=record.value,
            timestamp=None,
            headers=list(record.headers),
        )
        if taken is None:
            break
        count += 1
    if count == 0:
        raise ValueError(f"a record of {len(records[0].value)} bytes is larger than a batch")
    batch.close()
    answer = await producer.send_batch(batch, partition.topic, partition=partition.partition)
    answer.add_done_callback(_hear)
    # Waited for and not awaited: a cancelled answer breaks the sender, which holds it still.
    answered, _ = await asyncio.wait({answer}, timeout=_PATIENCE_SECONDS)
    if not answered:
        raise KafkaTimeoutError(f"{partition} took nothing for {_PATIENCE_SECONDS:g} s")
    await answer
    return count


async def _require_leader(producer: AIOKafkaProducer, partition: TopicPartition) -> None:
    """Raise where nobody leads the partition: aiokafka asks on and on who does, without a pause."""
    await producer.partitions_for(partition.topic)
    if producer.client.cluster.leader_for_partition(to_kafka(partition)) in _NO_LEADER:
        raise LeaderNotAvailableError(f"{partition} has no leader")


def _hear(answer: asyncio.Future[object]) -> None:
    """Take an answer that came too late for whoever waited: asyncio complains of failures else."""
    if not answer.cancelled():
        answer.exception()


def _by_partition(records: Sequence[Record]) -> dict[TopicPartition, dict[int, Record]]:
    """Group records by partition, in order, each under its number in `records`."""
    grouped: dict[TopicPartition, dict[int, Record]] = {}
    for number, record in enumerate(records):
        partition = TopicPartition(record.topic, partition_of(record.key))
        grouped.setdefault(partition, {})[number] = record
    return grouped
