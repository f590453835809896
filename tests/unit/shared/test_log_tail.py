"""The newest records of the local log in memory."""

from __future__ import annotations

from shared.bus.log_tail import LogTail
from shared.bus.port import LoggedRecord, TopicPartition

FIRST, SECOND = TopicPartition("facts", 0), TopicPartition("facts", 1)


def record(partition: TopicPartition, offset: int) -> LoggedRecord:
    return LoggedRecord(*partition, offset, 0, "key", b"{}", ())


def offsets(records: list[LoggedRecord]) -> list[tuple[int, int]]:
    return [(each.partition, each.offset) for each in records]


def test_a_tail_gives_partition_after_partition_from_each_position() -> None:
    tail = LogTail()
    tail.extend([record(FIRST, 7), record(SECOND, 0), record(FIRST, 8), record(SECOND, 1)])

    found = tail.fetch([(FIRST, 8), (SECOND, 0)], 500)

    assert offsets(found) == [(0, 8), (1, 0), (1, 1)]
    assert offsets(tail.fetch([(FIRST, 7), (SECOND, 0)], 3)) == [(0, 7), (0, 8), (1, 0)]


def test_a_tail_gives_nothing_of_a_partition_it_does_not_reach_back_in() -> None:
    tail = LogTail()
    tail.extend([record(FIRST, 7), record(SECOND, 0)])

    assert tail.fetch([(FIRST, 6), (SECOND, 0)], 500) == []
    assert offsets(tail.fetch([(SECOND, 0), (FIRST, 6)], 500)) == [(1, 0)]
    assert tail.fetch([(FIRST, 8)], 500) == []


def test_a_tail_begins_anew_after_a_gap() -> None:
    tail = LogTail()
    tail.extend([record(FIRST, 0), record(FIRST, 1), record(FIRST, 5)])

    assert tail.fetch([(FIRST, 0)], 500) == []
    assert offsets(tail.fetch([(FIRST, 5)], 500)) == [(0, 5)]


def test_a_tail_forgets_what_is_old() -> None:
    tail = LogTail()
    tail.extend(record(FIRST, offset) for offset in range(10_000))

    assert tail.fetch([(FIRST, 9_000)], 500) == []
    assert offsets(tail.fetch([(FIRST, 9_990)], 3)) == [(0, 9_990), (0, 9_991), (0, 9_992)]


def test_a_tail_lets_go_of_what_every_reader_has_passed() -> None:
    tail = LogTail()
    tail.extend(record(FIRST, offset) for offset in range(6))

    tail.forget([{FIRST: 4, SECOND: 0}, {FIRST: 2}])

    assert tail.fetch([(FIRST, 1)], 500) == []
    assert offsets(tail.fetch([(FIRST, 2)], 500)) == [(0, 2), (0, 3), (0, 4), (0, 5)]


def test_a_reader_that_is_far_behind_keeps_nothing_back() -> None:
    tail = LogTail()
    tail.extend([record(FIRST, 7), record(FIRST, 8)])

    tail.forget([{FIRST: 0}])

    assert offsets(tail.fetch([(FIRST, 7)], 500)) == [(0, 7), (0, 8)]


def test_a_tail_keeps_nothing_that_nobody_reads_and_goes_on_with_what_comes() -> None:
    tail = LogTail()
    tail.extend([record(FIRST, 7), record(SECOND, 0)])

    tail.forget([{SECOND: 0}])
    tail.extend([record(FIRST, 8)])

    assert tail.fetch([(FIRST, 7)], 500) == []
    assert offsets(tail.fetch([(FIRST, 8), (SECOND, 0)], 500)) == [(0, 8), (1, 0)]
