"""One contract for every log: in memory, in SQLite, on Kafka."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from weakref import ref

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import NodeNotReadyError

from shared.bus.kafka import KafkaBus
from shared.bus.local_log import LocalLog
from shared.bus.memory import MemoryLog
from shared.bus.port import Bus, Consumer, LoggedRecord, Record, TopicPartition, Unpublished
from shared.events import topics
from shared.events.topics import PARTITIONS, partition_of
from shared.kernel.errors import Unavailable
from shared.kernel.ids import new_id

TOPIC = topics.SIGNALS
HEADERS = (("ce_type", b"Noticed"), ("odd", bytes(range(256))))


@pytest.fixture(params=["memory", "local_log", pytest.param("kafka", marks=pytest.mark.kafka)])
async def bus(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bus]:
    if request.param == "memory":
        opened: Bus = MemoryLog()
    elif request.param == "local_log":
        opened = LocalLog(tmp_path / "log.db")
    else:
        opened = KafkaBus(request.getfixturevalue("kafka_bootstrap"), session_timeout_seconds=6)
    await opened.start()
    await opened.ensure_topics()
    yield opened
    await opened.stop()


def record(key: str, text: str) -> Record:
    return Record(TOPIC, key, text.encode(), HEADERS)


async def publish(bus: Bus, records: Sequence[Record]) -> None:
    producer = await bus.producer()
    await producer.publish(records)
    await producer.close()


async def read(consumer: Consumer, count: int, keys: Sequence[str]) -> list[LoggedRecord]:
    """Read until `count` records with these keys came; others share the broker."""
    found: list[LoggedRecord] = []
    async with asyncio.timeout(30):
        while len(found) < count:
            polled = await consumer.poll(max_records=100, timeout_seconds=0.2)
            found += [one for one in polled if one.key in keys]
    return found


def places_after(records: Sequence[LoggedRecord]) -> dict[TopicPartition, int]:
    return {TopicPartition(r.topic, r.partition): r.offset + 1 for r in records}


async def test_a_record_comes_back_as_it_went_in(bus: Bus) -> None:
    key = new_id()
    reader = await bus.reader(await bus.end_positions(TOPIC))

    await publish(bus, [record(key, "话")])
    (found,) = await read(reader, 1, [key])

    assert found.key == key
    assert found.value == "话".encode()
    assert found.headers == HEADERS
    assert found.partition == partition_of(key)
    assert found.timestamp_ms > 1_600_000_000_000


async def test_records_of_one_key_keep_their_order(bus: Bus) -> None:
    keys = [new_id() for _ in range(30)]
    reader = await bus.reader(await bus.end_positions(TOPIC))

    for first in range(0, 10, 5):
        await publish(bus, [record(k, str(n)) for n in range(first, first + 5) for k in keys])
    found = await read(reader, 300, keys)

    for key in keys:
        assert [r.value for r in found if r.key == key] == [str(n).encode() for n in range(10)]


async def test_offsets_are_dense_within_a_partition(bus: Bus) -> None:
    key = new_id()
    ends = await bus.end_positions(TOPIC)
    await publish(bus, [record(key, str(n)) for n in range(5)])

    reader = await bus.reader(ends)
    found = await read(reader, 5, [key])

    first = ends[TopicPartition(TOPIC, partition_of(key))]
    assert [r.offset for r in found] == list(range(first, first + 5))


async def test_end_positions_name_every_partition(bus: Bus) -> None:
    key = new_id()
    before = await bus.end_positions(TOPIC)

    await publish(bus, [record(key, "a")])
    after = await bus.end_positions(TOPIC)

    assert len(before) == PARTITIONS
    changed = {partition for partition in after if after[partition] != before[partition]}
    assert changed == {TopicPartition(TOPIC, partition_of(key))}


async def test_a_new_group_begins_at_the_beginning(bus: Bus) -> None:
    key = new_id()
    await publish(bus, [record(key, "old")])

    consumer = await bus.consumer(topics=[TOPIC], group=new_id(), member="one")

    assert [r.value for r in await read(consumer, 1, [key])] == [b"old"]


async def test_several_groups_each_read_everything(bus: Bus) -> None:
    key = new_id()
    await publish(bus, [record(key, "a"), record(key, "b")])

    for _ in range(2):
        consumer = await bus.consumer(topics=[TOPIC], group=new_id(), member="one")
        assert [r.value for r in await read(consumer, 2, [key])] == [b"a", b"b"]


async def test_a_group_goes_on_after_what_it_committed(bus: Bus) -> None:
    key, group = new_id(), new_id()
    await publish(bus, [record(key, "a"), record(key, "b"), record(key, "c")])
    consumer = await bus.consumer(topics=[TOPIC], group=group, member="one")
    found = await read(consumer, 3, [key])
    await consumer.commit(places_after(found[:2]))
    await consumer.close()

    again = await bus.consumer(topics=[TOPIC], group=group, member="one")

    assert [r.value for r in await read(again, 1, [key])] == [b"c"]


async def test_what_was_not_committed_comes_again(bus: Bus) -> None:
    key, group = new_id(), new_id()
    await publish(bus, [record(key, "a")])
    consumer = await bus.consumer(topics=[TOPIC], group=group, member="one")
    await read(consumer, 1, [key])
    await consumer.close()

    again = await bus.consumer(topics=[TOPIC], group=group, member="one")

    assert [r.value for r in await read(again, 1, [key])] == [b"a"]


async def test_members_split_the_partitions_and_take_over_those_of_one_that_left(bus: Bus) -> None:
    group = new_id()
    first = await bus.consumer(topics=[TOPIC], group=group, member="one")
    second = await bus.consumer(topics=[TOPIC], group=group, member="two")

    await _until_shared(first, second)
    await second.close()

    async with asyncio.timeout(60):
        while len(first.assignment()) < PARTITIONS:
            await first.poll(max_records=100, timeout_seconds=0.1)


async def _until_shared(first: Consumer, second: Consumer) -> None:
    half = PARTITIONS // 2
    async with asyncio.timeout(60):
        while (len(first.assignment()), len(second.assignment())) != (half, half):
            for consumer in (first, second):
                await consumer.poll(max_records=100, timeout_seconds=0.1)
    assert not first.assignment() & second.assignment()


async def test_poll_returns_at_most_what_was_asked_for(bus: Bus) -> None:
    key = new_id()
    ends = await bus.end_positions(TOPIC)
    await publish(bus, [record(key, str(n)) for n in range(10)])
    reader = await bus.reader(ends)

    async with asyncio.timeout(20):
        while not (found := await reader.poll(max_records=4, timeout_seconds=1)):
            pass

    assert len(found) <= 4


async def test_an_empty_poll_ends_after_its_timeout(bus: Bus) -> None:
    reader = await bus.reader(await bus.end_positions(TOPIC))

    assert await reader.poll(max_records=10, timeout_seconds=0.05) in ((), [])
    assert await reader.lag_seconds() == 0


async def test_a_reader_may_be_let_go_as_soon_as_it_is_there(bus: Bus) -> None:
    reader = await bus.reader(await bus.end_positions(TOPIC))

    await reader.close()


async def test_publishing_to_a_topic_that_is_not_there_is_refused(bus: Bus) -> None:
    if isinstance(bus, KafkaBus):
        pytest.skip("Kafka may be set to make topics by itself")
    producer = await bus.producer()

    with pytest.raises(Unpublished) as refused:
        await producer.publish([Record("nowhere", "k", b"", ())])

    assert refused.value.acknowledged == ()


@pytest.mark.kafka
@pytest.mark.parametrize("faults", [2, 99])
async def test_a_broker_that_does_not_know_its_controller_yet_is_waited_for(
    kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch, faults: int
) -> None:
    create, asked = AIOKafkaAdminClient.create_topics, 0

    async def not_yet(admin: AIOKafkaAdminClient, *arguments: object) -> object:
        nonlocal asked
        asked += 1
        if asked <= faults:
            raise NodeNotReadyError("node id None")
        return await create(admin, *arguments)

    monkeypatch.setattr(AIOKafkaAdminClient, "create_topics", not_yet)
    monkeypatch.setattr("shared.bus.kafka._SETTLING_PAUSES", (0.01, 0.01, 0.01))
    bus = KafkaBus(kafka_bootstrap)
    await bus.start()
    with (
        contextlib.nullcontext()
        if faults == 2
        else pytest.raises(Unavailable, match="the topics cannot be made")
    ):
        await bus.ensure_topics()
    await bus.stop()

    assert asked == min(faults + 1, 4)


@pytest.mark.kafka
async def test_kafka_takes_what_it_can_where_a_record_of_another_partition_is_too_large(
    kafka_bootstrap: str,
) -> None:
    bus = KafkaBus(kafka_bootstrap)
    await bus.start()
    await bus.ensure_topics()
    producer = await bus.producer()
    records = [record(new_id(), "x" * 2**21 if number == 0 else "small") for number in range(20)]

    with pytest.raises(Unpublished) as failure:
        await producer.publish(records)
    await bus.stop()

    hopeless = {partition_of(records[0].key)}
    others = [i for i, one in enumerate(records) if partition_of(one.key) not in hopeless]
    assert list(failure.value.acknowledged) == others


@pytest.mark.parametrize("profile", ["memory", "local_log"])
async def test_a_reader_that_was_closed_is_forgotten(profile: str, tmp_path: Path) -> None:
    # Not on Kafka: collecting there warns of connections that aiokafka lets go of late.
    opened: Bus = MemoryLog() if profile == "memory" else LocalLog(tmp_path / "log.db")
    await opened.start()
    await opened.ensure_topics()
    reader = await opened.reader({TopicPartition(TOPIC, 0): 0})
    kept = ref(reader)

    await reader.close()
    del reader
    await opened.reader({TopicPartition(TOPIC, 0): 0})
    gc.collect()

    assert kept() is None
    await opened.stop()
