"""The log on Apache Kafka, by aiokafka 0.14 as rule 4 of the architecture measured it.

What is particular stands with `KafkaProducer` and `GroupConsumer`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, NodeNotReadyError, TopicAlreadyExistsError, for_code

from shared.bus.kafka_consumer import REQUEST_TIMEOUT_MS, GroupConsumer, KafkaReader, to_kafka
from shared.bus.kafka_producer import KafkaProducer
from shared.bus.opened import OpenReaders
from shared.bus.port import TopicPartition
from shared.events import topics
from shared.events.topics import PARTITIONS
from shared.kernel.clock import Clock, SystemClock
from shared.kernel.errors import ConfigurationError, Unavailable

_REPLICAS = 3
_SETTLING_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
_KEPT_FOR_EVER = (topics.COMPLAINTS, topics.NOTIFICATIONS, topics.SIGNALS)


class KafkaBus:
    """The bus of the distributed profile.

    A member of a group that does not answer for `session_timeout_seconds` loses its partitions.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        session_timeout_seconds: float = 10.0,
        clock: Clock | None = None,
    ) -> None:
        self._bootstrap = bootstrap
        self._clock = clock or SystemClock()
        self._session_timeout_ms = int(session_timeout_seconds * 1000)
        self._admin: AIOKafkaAdminClient | None = None
        self._consumers: OpenReaders[KafkaReader] = OpenReaders()
        self._producers: list[KafkaProducer] = []

    async def start(self) -> None:
        """Connect; raises Unavailable where no broker answers."""
        admin = AIOKafkaAdminClient(
            bootstrap_servers=self._bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS
        )
        try:
            await admin.start()
        except (KafkaError, OSError) as failure:
            await admin.close()
            raise Unavailable(f"Kafka at {self._bootstrap} does not answer: {failure}") from failure
        self._admin = admin

    async def stop(self) -> None:
        """Close everything that was opened through this bus."""
        await self._consumers.close()
        for producer in self._producers:
            await producer.close()
        self._producers.clear()
        if self._admin is not None:
            await self._admin.close()
            self._admin = None

    async def ensure_topics(self) -> None:
        """Make the topics that are missing; refuses one that has other partitions.

        Waits some seconds for a broker that answers and does not know its controller yet, as one
        that has just been started.
        """
        for pause in (*_SETTLING_PAUSES, None):
            try:
                await self._make_topics(self._started_admin())
            except KafkaError as failure:
                if pause is None or not isinstance(failure, NodeNotReadyError):
                    raise Unavailable(f"the topics cannot be made: {failure}") from failure
            else:
                return
            await asyncio.sleep(pause)
            await self._connect_anew()

    async def _make_topics(self, admin: AIOKafkaAdminClient) -> None:
        cluster = await admin.describe_cluster()
        replicas = min(_REPLICAS, len(cluster["brokers"]))
        answer = await admin.create_topics([_new_topic(name, replicas) for name in topics.ALL])
        for name, code, *_message in answer.topic_errors:
            failure = for_code(code)
            if code and failure is not TopicAlreadyExistsError:
                raise Unavailable(f"topic {name} cannot be made: {failure.__name__}")
        await self._check_partitions(admin)

    async def _connect_anew(self) -> None:
        # Who the controller is a client learns when it connects, and not again for minutes.
        await self._started_admin().close()
        self._admin = None
        await self.start()

    async def producer(self) -> KafkaProducer:
        """Open a producer; it connects when it first publishes."""
        producer = KafkaProducer(self._bootstrap)
        self._producers.append(producer)
        return producer

    async def consumer(self, *, topics: Sequence[str], group: str, member: str) -> GroupConsumer:
        """Join a consumer group as a static member; raises Unavailable."""
        consumer = GroupConsumer(
            self._bootstrap,
            clock=self._clock,
            topics=topics,
            group=group,
            member=member,
            session_timeout_ms=self._session_timeout_ms,
        )
        self._consumers.add(consumer)
        await consumer.start()
        return consumer

    async def reader(self, positions: Mapping[TopicPartition, int]) -> KafkaReader:
        """Read partitions from given positions, outside any group; raises Unavailable."""
        reader = KafkaReader(self._bootstrap, positions, clock=self._clock)
        self._consumers.add(reader)
        await reader.start()
        return reader

    async def identity(self) -> str:
        """Return the cluster's id; raises Unavailable."""
        try:
            cluster = await self._started_admin().describe_cluster()
        except (KafkaError, OSError) as failure:
            raise Unavailable(f"Kafka does not answer: {failure}") from failure
        return str(cluster["cluster_id"])

    async def end_positions(self, topic: str) -> Mapping[TopicPartition, int]:
        """Return for each partition the offset that the next record will get."""
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS
        )
        try:
            await consumer.start()
            ends = await consumer.end_offsets([to_kafka(partition) for partition in partitions])
        except (KafkaError, OSError) as failure:
            raise Unavailable(f"Kafka does not answer: {failure}") from failure
        finally:
            await consumer.stop()
        return {partition: ends[to_kafka(partition)] for partition in partitions}

    async def _check_partitions(self, admin: AIOKafkaAdminClient) -> None:
        """Refuse a topic with other partitions: keys would lie elsewhere than we compute."""
        for described in await admin.describe_topics(list(topics.ALL)):
            found = len(described["partitions"])
            # A topic that was made this moment may not be described by every broker yet.
            if found not in {0, PARTITIONS}:
                raise ConfigurationError(
                    "REDRESS_KAFKA_BOOTSTRAP",
                    f"topic {described['topic']} has {found} partitions, not {PARTITIONS}",
                )

    def _started_admin(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            raise Unavailable("the connection to Kafka is closed")
        return self._admin


def _new_topic(name: str, replicas: int) -> NewTopic:
    kept = {"retention.ms": "-1"} if name in _KEPT_FOR_EVER else {}
    return NewTopic(name, PARTITIONS, replicas, topic_configs=kept)
