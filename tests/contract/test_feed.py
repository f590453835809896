"""The feed on every log: nothing skipped, nothing doubled, whoever writes meanwhile."""

from __future__ import annotations

import asyncio
import base64
import zlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from services.notification_service.feed.domain.cursor import decode, encode
from services.notification_service.feed.service import LATEST, Asked, Feed
from shared.bus.kafka import KafkaBus
from shared.bus.local_log import LocalLog
from shared.bus.memory import MemoryLog
from shared.bus.port import Bus, Record
from shared.events import topics
from shared.events.envelope import Envelope
from shared.events.registry import REGISTRY
from shared.http.ending import ENDING
from shared.kernel.errors import InvalidInput
from shared.kernel.ids import new_id

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ALL: frozenset[str] = frozenset()


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


@pytest.fixture
async def feed(bus: Bus) -> AsyncIterator[Feed]:
    opened = Feed(bus)
    yield opened
    await closed(opened)


async def closed(feed: Feed) -> None:
    stopping = asyncio.Event()
    stopping.set()
    await feed.tidy(stopping)


def event(subject: str, sequence: int, type_: str = "CustomerContacted") -> Record:
    model = REGISTRY[type_, 1]
    envelope = Envelope(new_id(), model.source, type_, 1, NOW, subject, sequence)
    return Record(model.topic, subject, b'{"n":%d}' % sequence, envelope.to_headers())


async def publish(bus: Bus, records: Sequence[Record]) -> None:
    producer = await bus.producer()
    await producer.publish(records)
    await producer.close()


async def ask(
    feed: Feed, after: str | None, *, types: frozenset[str] = ALL, limit: int = 50, wait: float = 0
) -> tuple[list[tuple[str, int]], str]:
    """Ask for a page; returns subjects with their sequences, and the cursor."""
    page = await feed.read(Asked(after, types, limit, wait))
    events = [orjson.loads(item) for item in page.items]
    return [(one["subject"], int(one["sequence"])) for one in events], page.cursor


async def latest(feed: Feed) -> str:
    _none, cursor = await ask(feed, LATEST)
    return cursor


async def test_concurrent_writers_and_two_replicas_skip_and_double_nothing(bus: Bus) -> None:
    replicas = [Feed(bus), Feed(bus)]
    cursor = await latest(replicas[0])
    subjects = [new_id() for _ in range(40)]
    found: list[tuple[str, int]] = []

    async def write(mine: Sequence[str]) -> None:
        for sequence in range(1, 11):
            await publish(bus, [event(one, sequence) for one in mine])
            await asyncio.sleep(0)

    writers = [asyncio.ensure_future(write(subjects[start::4])) for start in range(4)]
    # Members of a group come and go meanwhile, as those of the dispatchers do.
    member = await bus.consumer(topics=[topics.COMPLAINTS], group=new_id(), member="a")
    async with asyncio.timeout(60):
        turn = 0
        while len(found) < 400:
            items, cursor = await ask(replicas[turn % 2], cursor, limit=17, wait=1)
            found += items
            turn += 1
            if turn == 3:
                await member.close()
    await asyncio.gather(*writers)

    assert sorted(found) == sorted((one, n) for one in subjects for n in range(1, 11))
    for subject in subjects:
        assert [n for one, n in found if one == subject] == list(range(1, 11))
    for replica in replicas:
        await closed(replica)


async def test_without_a_cursor_the_feed_begins_with_the_first_event(bus: Bus, feed: Feed) -> None:
    subject = new_id()
    await publish(bus, [event(subject, 1)])
    found: list[tuple[str, int]] = []
    cursor = None

    async with asyncio.timeout(30):
        while (subject, 1) not in found:
            items, cursor = await ask(feed, cursor, limit=200, wait=1)
            found += items


async def test_an_empty_page_keeps_its_cursor(bus: Bus, feed: Feed) -> None:
    await publish(bus, [event(new_id(), 1)])
    cursor = await latest(feed)

    assert await ask(feed, cursor) == ([], cursor)
    assert await ask(feed, cursor, wait=0.05) == ([], cursor)


async def test_a_page_of_a_filter_that_matches_nothing_keeps_its_cursor(
    bus: Bus, feed: Feed
) -> None:
    cursor = await latest(feed)
    subject = new_id()
    await publish(bus, [event(subject, 1)])

    nothing = await ask(feed, cursor, types=frozenset({"Closed"}), wait=0.1)

    assert nothing == ([], cursor)
    assert await ask(feed, cursor, wait=5) == ([(subject, 1)], (await ask(feed, LATEST))[1])


async def test_many_events_of_other_types_are_not_read_again(bus: Bus, feed: Feed) -> None:
    cursor = await latest(feed)
    subject = new_id()
    await publish(bus, [event(subject, n) for n in range(1, 1502)])
    await publish(bus, [event(subject, 1502, "Closed")])
    closed_only = frozenset({"Closed"})

    found, moved = await ask(feed, cursor, types=closed_only, wait=10)
    again, stands = await ask(feed, moved, types=closed_only)

    assert found == [(subject, 1502)]
    assert (again, stands) == ([], moved)
    await publish(bus, [event(subject, 1502 + n) for n in range(1, 1502)])
    async with asyncio.timeout(20):
        while moved == stands:
            none, moved = await ask(feed, moved, types=closed_only, wait=1)
            assert none == []


async def test_pages_of_a_filter_lose_nothing_where_they_are_cut(bus: Bus, feed: Feed) -> None:
    cursor = await latest(feed)
    subjects = [new_id() for _ in range(8)]
    types = {1: "CaseOpened", 2: "CustomerContacted", 3: "NotificationSent", 4: "Closed"}
    await publish(bus, [event(one, n, types[n]) for n in types for one in subjects])
    wanted = frozenset({"CaseOpened", "Closed", "NotificationSent"})
    found: list[tuple[str, int]] = []

    async with asyncio.timeout(30):
        while len(found) < 24:
            items, cursor = await ask(feed, cursor, types=wanted, limit=3, wait=1)
            assert len(items) <= 3
            found += items

    assert sorted(found) == sorted((one, n) for one in subjects for n in (1, 3, 4))
    assert await ask(feed, cursor, types=wanted) == ([], cursor)


async def test_signals_stand_in_the_feed_and_can_be_asked_for_alone(bus: Bus, feed: Feed) -> None:
    cursor = await latest(feed)
    complaint, hotspot = new_id(), new_id()
    await publish(
        bus,
        [
            event(hotspot, 1, "HotspotDetected"),
            event(complaint, 1),
            event(hotspot, 2, "HotspotDetected"),
            event(new_id(), 1, "IncidentOpened"),
        ],
    )
    found: list[tuple[str, int]] = []

    async with asyncio.timeout(30):
        while len(found) < 2:
            wanted = frozenset({"HotspotDetected"})
            items, cursor = await ask(feed, cursor, types=wanted, wait=1)
            found += items

    assert found == [(hotspot, 1), (hotspot, 2)]


async def test_a_question_that_waits_is_answered_when_an_event_comes(bus: Bus, feed: Feed) -> None:
    cursor = await latest(feed)
    subject = new_id()

    waiting = asyncio.ensure_future(ask(feed, cursor, wait=20))
    await asyncio.sleep(0)
    await publish(bus, [event(subject, 1)])
    async with asyncio.timeout(15):
        items, _cursor = await waiting

    assert items == [(subject, 1)]


async def test_a_question_that_waits_is_answered_at_once_when_the_process_ends(
    bus: Bus, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = await latest(feed)
    monkeypatch.setattr(ENDING, "has_begun", True)

    async with asyncio.timeout(5):
        assert await ask(feed, cursor, wait=30) == ([], cursor)


async def test_what_is_no_event_is_passed_over(bus: Bus, feed: Feed) -> None:
    cursor = await latest(feed)
    subject = new_id()
    broken = Record(topics.COMPLAINTS, subject, b"{", event(subject, 1).headers)

    await publish(bus, [broken, event(subject, 2)])
    found: list[tuple[str, int]] = []
    async with asyncio.timeout(15):
        while not found:
            found, cursor = await ask(feed, cursor, wait=1)

    assert found == [(subject, 2)]


async def test_a_cursor_of_another_log_is_refused_however_short_that_was(
    bus: Bus, feed: Feed
) -> None:
    other = MemoryLog()
    await other.ensure_topics()
    await publish(bus, [event(new_id(), 1)])
    foreign = await latest(Feed(other))

    with pytest.raises(InvalidInput, match="of another log"):
        await ask(feed, foreign)


async def test_a_log_keeps_its_identity_and_shares_it_with_no_other(bus: Bus) -> None:
    first, second = await bus.identity(), await bus.identity()

    assert first == second
    assert first != await MemoryLog().identity()


async def test_a_local_log_is_the_same_one_after_a_restart(tmp_path: Path) -> None:
    found = []
    for name in ("a.db", "a.db", "b.db"):
        opened = LocalLog(tmp_path / name)
        await opened.start()
        found.append(await opened.identity())
        await opened.stop()

    assert found[0] == found[1] != found[2]


async def test_a_cursor_without_a_log_goes_on_where_it_stands(bus: Bus, feed: Feed) -> None:
    subject = new_id()
    offsets = decode(await latest(feed)).offsets
    await publish(bus, [event(subject, 1)])

    async with asyncio.timeout(15):
        items, _cursor = await ask(feed, old_cursor(offsets), wait=5)

    assert items == [(subject, 1)]


async def test_a_cursor_without_a_log_beyond_the_end_is_of_another_one(
    bus: Bus, feed: Feed
) -> None:
    offsets = [at + 1 for at in decode(await latest(feed)).offsets]

    with pytest.raises(InvalidInput, match="beyond the end"):
        await ask(feed, old_cursor(offsets))


def old_cursor(offsets: Sequence[int]) -> str:
    """Write a cursor as it was before cursors named their log."""
    with_log = base64.urlsafe_b64decode(padded(encode(offsets, bytes(6))))
    packed = b"\x01" + with_log[7:-3]
    check = zlib.crc32(packed).to_bytes(4, "big")[:3]
    return base64.urlsafe_b64encode(packed + check).decode().rstrip("=")


def padded(cursor: str) -> str:
    return cursor + "=" * (-len(cursor) % 4)


@pytest.mark.parametrize("cursor", ["x", "AAAA", "!", "é", "AQ" * 60])
async def test_a_cursor_that_is_none_of_ours_is_refused_with_the_field(
    bus: Bus, cursor: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await ask(Feed(bus), cursor)

    assert [(one.pointer, one.code) for one in refused.value.errors] == [
        ("/query/after", "invalid_cursor")
    ]
