"""Read the log from a cursor.

A reader that has answered is kept for the next question, which usually begins where it stands:
on Kafka opening one costs more than reading a page.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import Counter

from services.notification_service.feed.domain.cursor import (
    PLACES,
    BadCursor,
    decode,
    encode,
    mark_of,
)
from shared.bus.port import Bus, Consumer, LoggedRecord, TopicPartition
from shared.events import topics
from shared.events.envelope import BrokenEnvelope
from shared.events.structured import to_cloud_event
from shared.http.ending import ENDING
from shared.kernel import logging
from shared.kernel.errors import FieldError, InvalidInput, RateLimited
from shared.messaging.pauses import pause_for

log = logging.get(__name__)

LATEST = "latest"
LONGEST_WAIT_SECONDS = 30.0

_MOST_READERS = 64
_KEPT_READERS = 32
_KEPT_SECONDS = 60.0
_SCAN_RECORDS = 500
_SCAN_SECONDS = 2.0
_POLL_SECONDS = 0.5
_BEGIN_ANEW = "Begin without `after`; events that you know already have the same `id`."
_PASSED_UNSAID = 1000
"""Events of other types that an empty page may have passed and still give its cursor back."""

_UNREADABLE = Counter(
    "redress_feed_unreadable_total", "Records that are no CloudEvent and stand in no page"
)

Positions = dict[TopicPartition, int]

_PLACES = [TopicPartition(*place) for place in PLACES]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: after which cursor, which types (none: all), how many, how long to wait."""

    after: str | None
    types: frozenset[str]
    limit: int
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class FeedPage:
    """The events as documents, and where to go on."""

    items: list[bytes]
    cursor: str


@dataclass(slots=True)
class _Opened:
    """A reader, how far it was used, where the log ended when it began, what it has read ahead."""

    reader: Consumer
    positions: Positions
    ends: Mapping[TopicPartition, int]
    ahead: list[LoggedRecord] = field(default_factory=list)
    kept_at: float = 0.0

    @property
    def is_behind(self) -> bool:
        return any(self.positions[place] < end for place, end in self.ends.items())

    async def next(self, *, at_most: int, wait_seconds: float) -> list[LoggedRecord]:
        if self.ahead:
            found, self.ahead = self.ahead, []
            return found
        polled = await self.reader.poll(max_records=at_most, timeout_seconds=wait_seconds)
        return list(polled)

    def passed(self, record: LoggedRecord) -> None:
        self.positions[TopicPartition(record.topic, record.partition)] = record.offset + 1


class Feed:
    """Answers questions for events."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._kept: OrderedDict[tuple[str, frozenset[str]], _Opened] = OrderedDict()
        self._reading = 0
        self._log: bytes | None = None

    async def read(self, asked: Asked) -> FeedPage:
        """Return the next page; raises InvalidInput for a bad cursor, RateLimited, Unavailable."""
        if self._reading >= _MOST_READERS:
            raise RateLimited("Too many wait for events here; ask again.", retry_after_seconds=2)
        self._reading += 1
        try:
            opened, cursor = await self._open(asked)
            try:
                items, passed = await _gather(opened, asked)
            except BaseException:
                await opened.reader.close()
                raise
        finally:
            self._reading -= 1
        if items or passed > _PASSED_UNSAID:
            cursor = await self._cursor(opened.positions)
        await self._keep((cursor, asked.types), opened)
        return FeedPage(items, cursor)

    async def tidy(self, stopping: asyncio.Event) -> None:
        """Close readers that nobody came back for, until told to stop; then close all."""
        try:
            while not stopping.is_set():
                await pause_for(stopping, _KEPT_SECONDS / 4)
                now = asyncio.get_running_loop().time()
                await self._close_all_before(now - _KEPT_SECONDS)
        finally:
            await self._close_all_before(float("inf"))

    async def _open(self, asked: Asked) -> tuple[_Opened, str]:
        """Return a reader that stands at the cursor, and the cursor."""
        kept = self._kept.pop((asked.after, asked.types), None) if asked.after else None
        if kept is not None:
            return kept, asked.after or ""
        ends = await self._ends()
        positions = _start(asked.after, ends, await self._mark())
        reader = await self._bus.reader(positions)
        given = None if asked.after == LATEST else asked.after
        return _Opened(reader, positions, ends), given or await self._cursor(positions)

    async def _mark(self) -> bytes:
        if self._log is None:
            self._log = mark_of(await self._bus.identity())
        return self._log

    async def _cursor(self, positions: Positions) -> str:
        return encode((positions.get(place, 0) for place in _PLACES), await self._mark())

    async def _ends(self) -> Positions:
        found = await asyncio.gather(*(self._bus.end_positions(topic) for topic in topics.PUBLIC))
        return {place: end for ends in found for place, end in ends.items()}

    async def _keep(self, key: tuple[str, frozenset[str]], opened: _Opened) -> None:
        opened.kept_at = asyncio.get_running_loop().time()
        other = self._kept.pop(key, None)
        self._kept[key] = opened
        if other is not None:
            await other.reader.close()
        while len(self._kept) > _KEPT_READERS:
            _key, oldest = self._kept.popitem(last=False)
            await oldest.reader.close()

    async def _close_all_before(self, moment: float) -> None:
        old = [key for key, opened in self._kept.items() if opened.kept_at < moment]
        for key in old:
            await self._kept.pop(key).reader.close()


def _start(after: str | None, ends: Mapping[TopicPartition, int], log: bytes) -> Positions:
    """Return where to begin; raises InvalidInput for a cursor that is not of this log."""
    if after is None:
        return dict.fromkeys(ends, 0)
    if after == LATEST:
        return dict(ends)
    try:
        cursor = decode(after)
    except BadCursor:
        raise _refused("This cursor is none of ours; send `cursor` of a page as it is.") from None
    positions = dict(zip(_PLACES, cursor.offsets, strict=True))
    if cursor.log not in {None, log}:
        raise _refused(f"This cursor is of another log. {_BEGIN_ANEW}")
    if any(at > ends.get(place, 0) for place, at in positions.items()):
        raise _refused(
            f"This cursor lies beyond the end of the log: it is of another one. {_BEGIN_ANEW}"
        )
    return positions


def _refused(detail: str) -> InvalidInput:
    return InvalidInput(detail, (FieldError("/query/after", "invalid_cursor", detail),))


async def _gather(opened: _Opened, asked: Asked) -> tuple[list[bytes], int]:
    """Read until there is a page, or nothing more within the time; tells how many were passed."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    items: list[bytes] = []
    passed = 0
    while True:
        left = began + asked.wait_seconds - loop.time()
        patience = 0.0 if items else max(0.0, min(left, _POLL_SECONDS))
        records = await opened.next(
            at_most=_SCAN_RECORDS if asked.types else asked.limit - len(items),
            wait_seconds=_POLL_SECONDS if opened.is_behind else patience,
        )
        passed += _sift(records, opened, asked, items)
        if len(items) >= asked.limit:
            return items, passed
        if opened.is_behind or (records and items):
            goes_on = loop.time() < began + _SCAN_SECONDS
        else:
            goes_on = not items and left > 0 and not ENDING.has_begun
        if not goes_on:
            return items, passed


def _sift(records: list[LoggedRecord], opened: _Opened, asked: Asked, items: list[bytes]) -> int:
    """Add the events that were asked for; what has no room is read again. Returns the others."""
    passed = 0
    for number, record in enumerate(records):
        document = _document(record, asked.types)
        if document is not None and len(items) == asked.limit:
            opened.ahead = records[number:]
            break
        opened.passed(record)
        if document is None:
            passed += 1
        else:
            items.append(document)
    return passed


def _document(record: LoggedRecord, types: frozenset[str]) -> bytes | None:
    """Return an event as a document, None where it is not asked for or no event at all."""
    if types and not _is_of(record, types):
        return None
    try:
        return to_cloud_event(record.headers, record.value).body
    except BrokenEnvelope as broken:
        _UNREADABLE.inc()
        place = f"{record.topic}/{record.partition}/{record.offset}"
        log.warning("feed.unreadable", position=place, reason=str(broken))
        return None


def _is_of(record: LoggedRecord, types: frozenset[str]) -> bool:
    # By hand: most records of a scan need no more than this one header.
    for name, value in record.headers:
        if name == "ce_type":
            return value.decode("latin-1") in types
    return False
