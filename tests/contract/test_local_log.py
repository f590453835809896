"""What the local log promises beyond the contract: durability, groups of commits, no waiting."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from shared.bus.local_log import LocalLog
from shared.bus.port import Consumer, LoggedRecord, Record, TopicPartition, Unpublished
from shared.events import topics
from shared.events.topics import partition_of
from shared.kernel.errors import Unavailable

TOPIC = topics.COMPLAINTS


def record(key: str, text: str) -> Record:
    return Record(TOPIC, key, text.encode(), ())


async def opened(path: Path) -> LocalLog:
    log = LocalLog(path)
    await log.start()
    await log.ensure_topics()
    return log


async def drained(consumer: Consumer) -> list[LoggedRecord]:
    """Poll until there is nothing more."""
    found: list[LoggedRecord] = []
    while more := await consumer.poll(max_records=1000, timeout_seconds=0):
        found += more
    return found


async def everything(log: LocalLog) -> list[bytes]:
    reader = await log.reader(dict.fromkeys(await log.end_positions(TOPIC), 0))
    return [r.value for r in await reader.poll(max_records=10_000, timeout_seconds=0)]


async def test_a_log_that_is_opened_again_has_everything_and_goes_on(tmp_path: Path) -> None:
    log = await opened(tmp_path / "log.db")
    await (await log.producer()).publish([record("a", "1"), record("a", "2")])
    await log.stop()

    again = await opened(tmp_path / "log.db")
    await (await again.producer()).publish([record("a", "3")])
    found = await everything(again)
    ends = await again.end_positions(TOPIC)
    await again.stop()

    assert found == [b"1", b"2", b"3"]
    assert ends[TopicPartition(TOPIC, partition_of("a"))] == 3


async def test_committed_positions_outlive_the_process(tmp_path: Path) -> None:
    log = await opened(tmp_path / "log.db")
    await (await log.producer()).publish([record("a", "1"), record("a", "2")])
    consumer = await log.consumer(topics=[TOPIC], group="g", member="m")
    await consumer.poll(max_records=1, timeout_seconds=1)
    await consumer.commit({TopicPartition(TOPIC, partition_of("a")): 1})
    await log.stop()

    again = await opened(tmp_path / "log.db")
    consumer = await again.consumer(topics=[TOPIC], group="g", member="m")
    found = await consumer.poll(max_records=10, timeout_seconds=1)
    await again.stop()

    assert [r.value for r in found] == [b"2"]


async def test_publishes_that_come_together_are_all_there_in_their_order(tmp_path: Path) -> None:
    log = await opened(tmp_path / "log.db")

    async def publish(name: str) -> None:
        producer = await log.producer()
        for number in range(20):
            await producer.publish([record(name, f"{name}{number}")])

    await asyncio.gather(*(publish(f"p{n}-") for n in range(20)))
    found = await everything(log)
    await log.stop()

    assert len(found) == 400
    for n in range(20):
        mine = [value for value in found if value.startswith(f"p{n}-".encode())]
        assert mine == [f"p{n}-{number}".encode() for number in range(20)]


async def test_a_waiting_consumer_is_woken_by_the_publish(tmp_path: Path) -> None:
    log = await opened(tmp_path / "log.db")
    consumer = await log.consumer(topics=[TOPIC], group="g", member="m")
    waiting = asyncio.create_task(consumer.poll(max_records=10, timeout_seconds=30))
    await asyncio.sleep(0)

    began = time.monotonic()
    await (await log.producer()).publish([record("a", "1")])
    found = await waiting
    await log.stop()

    assert len(found) == 1
    assert time.monotonic() - began < 0.4, "it was found by looking now and then, not by waking"


async def test_a_reader_of_another_process_sees_new_records(tmp_path: Path) -> None:
    log, other = await opened(tmp_path / "log.db"), await opened(tmp_path / "log.db")
    reader = await other.reader(dict.fromkeys(await other.end_positions(TOPIC), 0))

    await (await log.producer()).publish([record("a", "1")])
    found = await reader.poll(max_records=10, timeout_seconds=10)
    await other.stop()
    await log.stop()

    assert [r.value for r in found] == [b"1"]


async def test_two_writers_do_not_overwrite_each_other(tmp_path: Path) -> None:
    log, other = await opened(tmp_path / "log.db"), await opened(tmp_path / "log.db")

    for number in range(4):
        await (await (log, other)[number % 2].producer()).publish([record("a", str(number))])
    found = await everything(log)
    await other.stop()
    await log.stop()

    assert found == [b"0", b"1", b"2", b"3"]


async def test_a_large_value_and_strange_bytes_come_back(tmp_path: Path) -> None:
    log = await opened(tmp_path / "log.db")
    value = bytes(range(256)) * 4096
    await (await log.producer()).publish([Record(TOPIC, "键\x00", value, (("h", b"\xff\x00"),))])

    reader = await log.reader(dict.fromkeys(await log.end_positions(TOPIC), 0))
    (found,) = await reader.poll(max_records=1, timeout_seconds=1)
    await log.stop()

    assert (found.key, found.value, found.headers) == ("键\x00", value, (("h", b"\xff\x00"),))


async def test_a_closed_log_takes_nothing(tmp_path: Path) -> None:
    log = await opened(tmp_path / "log.db")
    producer = await log.producer()
    await log.stop()

    with pytest.raises(Unpublished):
        await producer.publish([record("a", "1")])


async def test_a_record_that_cannot_be_written_stops_nobody_else(tmp_path: Path) -> None:
    log = await opened(tmp_path / "log.db")
    producer = await log.producer()

    async with asyncio.timeout(20):
        with pytest.raises(Unpublished):
            await producer.publish([Record(TOPIC, "a", b"1", (("\ud800", b""),))])
        await producer.publish([record("a", "2")])
    await log.stop()


async def test_a_log_closes_and_answers_everybody_though_some_have_given_up(tmp_path: Path) -> None:
    log = await opened(tmp_path / "log.db")
    producer = await log.producer()
    publishes = [asyncio.create_task(producer.publish([record("a", "x")])) for _ in range(3)]
    await asyncio.sleep(0)
    publishes[0].cancel()

    async with asyncio.timeout(20):
        await log.stop()
        outcomes = await asyncio.gather(*publishes, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [
        asyncio.CancelledError,
        type(None),
        type(None),
    ]


async def test_a_file_that_is_no_log_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    path.write_bytes(b"this is no database, however long it may be" * 100)

    with pytest.raises(Unavailable, match=r"log\.db"):
        await LocalLog(path).start()


async def test_a_group_is_split_among_members_of_one_process_without_overlap(
    tmp_path: Path,
) -> None:
    log = await opened(tmp_path / "log.db")
    members = [
        await log.consumer(topics=[TOPIC, topics.NOTIFICATIONS], group="g", member=f"m{n}")
        for n in range(5)
    ]

    shares = [member.assignment() for member in members]
    await log.stop()

    assert sum(len(share) for share in shares) == 24
    assert len(frozenset().union(*shares)) == 24


async def test_a_member_reads_on_where_it_was_and_nothing_that_it_gave_away(tmp_path: Path) -> None:
    log = await opened(tmp_path / "log.db")
    producer = await log.producer()
    keys = [f"k{n}" for n in range(200)]
    first = await log.consumer(topics=[TOPIC], group="g", member="one")
    await producer.publish([record(key, "before") for key in keys])
    await drained(first)

    second = await log.consumer(topics=[TOPIC], group="g", member="two")
    await producer.publish([record(key, "after") for key in keys])
    goes_on, begins = [await drained(member) for member in (first, second)]
    mine, theirs = first.assignment(), second.assignment()
    await log.stop()

    assert {one.value for one in goes_on} == {b"after"}
    assert {TopicPartition(one.topic, one.partition) for one in goes_on} == mine
    assert {one.value for one in begins} == {b"before", b"after"}, "nothing was committed"
    assert {TopicPartition(one.topic, one.partition) for one in begins} == theirs
