"""A partition of Kafka that takes nothing: it keeps no other waiting, and no processor busy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import NotEnoughReplicasError
from aiokafka.producer.sender import SendProduceReqHandler

from shared.bus.kafka import KafkaBus
from shared.bus.kafka_producer import KafkaProducer
from shared.bus.port import Record, Unpublished
from shared.events import topics
from shared.events.topics import partition_of
from shared.kernel.ids import new_id
from tests.contract.messaging_kit import eventually

pytestmark = pytest.mark.kafka

STUCK = topics.SIGNALS
WELL = topics.NOTIFICATIONS
MANY = 300
"""More than are published in one request for all partitions."""


@pytest.fixture
async def producer(kafka_bootstrap: str) -> AsyncIterator[KafkaProducer]:
    bus = KafkaBus(kafka_bootstrap)
    await bus.start()
    await bus.ensure_topics()
    yield await bus.producer()
    await bus.stop()


@pytest.fixture
def too_few_replicas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka answers of one topic that it has too few replicas, as after two of three have failed.

    Said in its place: with one broker it holds none to be enough.
    """
    handle = SendProduceReqHandler.handle_response

    def refusing(handler: SendProduceReqHandler, response: Any) -> object:
        answers = [
            (topic, [(one[0], code(topic, one[1]), *one[2:]) for one in partitions])
            for topic, partitions in response.topics
        ]
        return handle(handler, SimpleNamespace(API_VERSION=response.API_VERSION, topics=answers))

    def code(topic: str, told: int) -> int:
        return int(NotEnoughReplicasError.errno) if topic == STUCK else told

    monkeypatch.setattr(SendProduceReqHandler, "handle_response", refusing)
    monkeypatch.setattr("shared.bus.kafka_producer._PATIENCE_SECONDS", 2.0)


def a_record(topic: str) -> Record:
    return Record(topic, new_id(), b"x", ())


@pytest.mark.parametrize("count", [4, MANY])
@pytest.mark.usefixtures("too_few_replicas")
async def test_what_other_partitions_took_is_known_where_one_takes_nothing(
    producer: KafkaProducer, count: int
) -> None:
    records = [a_record(STUCK), *(a_record(WELL) for _ in range(count))]

    async with asyncio.timeout(25):
        with pytest.raises(Unpublished, match="took nothing") as failure:
            await producer.publish(records)

    assert list(failure.value.acknowledged) == list(range(1, count + 1))


@pytest.mark.usefixtures("too_few_replicas")
async def test_a_producer_that_was_given_up_leaves_nothing_running(
    producer: KafkaProducer, caplog: pytest.LogCaptureFixture
) -> None:
    before = asyncio.all_tasks()

    async with asyncio.timeout(25):
        with pytest.raises(Unpublished):
            await producer.publish([a_record(STUCK)])

    async def nothing_runs() -> bool:
        return asyncio.all_tasks() <= before

    await eventually(nothing_runs)
    assert [one for one in caplog.records if one.name == "asyncio"] == []


async def test_a_partition_without_a_leader_is_said_at_once_and_not_asked_for_on_and_on(
    producer: KafkaProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [a_record(STUCK) for _ in range(20)]
    lost = partition_of(records[0].key)
    leader_of, asked = ClusterMetadata.leader_for_partition, 0
    ask = AIOKafkaClient.force_metadata_update

    def without(cluster: ClusterMetadata, partition: KafkaPartition) -> int | None:
        leader: int | None = leader_of(cluster, partition)
        return -1 if partition == (STUCK, lost) else leader

    def counted(client: AIOKafkaClient) -> object:
        nonlocal asked
        asked += 1
        return ask(client)

    monkeypatch.setattr(ClusterMetadata, "leader_for_partition", without)
    monkeypatch.setattr(AIOKafkaClient, "force_metadata_update", counted)

    with pytest.raises(Unpublished, match="has no leader") as failure:
        await producer.publish(records)

    others = [i for i, one in enumerate(records) if partition_of(one.key) != lost]
    assert list(failure.value.acknowledged) == others
    assert asked < 20
