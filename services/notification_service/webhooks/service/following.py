"""From the log to deliveries: one transaction for a batch, its position in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
from prometheus_client import Counter
from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.webhooks.domain.filters import Filter, Standing
from services.notification_service.webhooks.repository import following, subscriptions
from services.notification_service.webhooks.repository.following import NewDelivery, Progress
from services.notification_service.webhooks.repository.subscriptions import Webhook
from shared.bus.port import LoggedRecord, TopicPartition
from shared.events import topics
from shared.events.envelope import BrokenEnvelope
from shared.events.registry import BrokenData, UnknownEvent
from shared.events.structured import LONGEST_NAME, CloudEvent, to_cloud_event
from shared.events.topics import PARTITIONS
from shared.kernel import logging
from shared.kernel.clock import from_rfc3339
from shared.messaging import Messaging

log = logging.get(__name__)

_UNREADABLE = Counter(
    "redress_webhook_unreadable_total", "Records that are no CloudEvent and go to nobody"
)

_TELLING = tuple((name, f'"{name}"'.encode()) for name in ("category", "department"))
"""What complaints are filtered by, each with the bytes by which an event is known to tell it."""

_NOTHING = Standing()
"""How a complaint stands of which nothing is known."""

Positions = dict[TopicPartition, int]
Said = tuple[str, Mapping[str, JsonValue]]
"""What an event says, and of which complaint."""


class Deposed(Exception):
    """Another replica follows the log; this one must not go on."""


class Fact(NamedTuple):
    """One event of the log."""

    record: LoggedRecord
    event: CloudEvent
    time: datetime

    @property
    def said(self) -> Said:
        """What it says, and of which complaint."""
        return self.event.subject, self.event.data


class Follower:
    """Takes in batches of the log. `wake` tells the courier that there is something to send."""

    def __init__(self, messaging: Messaging, wake: Callable[[], None]) -> None:
        self._messaging = messaging
        self._wake = wake
        self._version = 0
        self.has_filters = False
        """Whether any subscription needed to know categories or departments in the last batch."""
        self.subscriptions = 0
        """How many there were in the last batch."""

    async def begin(self) -> Positions:
        """Return where the log is to be read from."""
        async with self._messaging.database.read() as connection:
            progress = await following.load(connection)
            self._note(await subscriptions.live(connection))
        self._version = progress.version
        return {
            place: _offset(progress.positions, place)
            for topic in topics.PUBLIC
            for place in (TopicPartition(topic, number) for number in range(PARTITIONS))
        }

    async def start_over(self, positions: Positions) -> None:
        """Go on from other positions, for every subscription: the log is not the one it was."""
        async with self._messaging.unit_of_work() as work:
            await subscriptions.forget_beginnings(work.connection)
            await self._store(work.connection, positions)

    async def take(self, records: Sequence[LoggedRecord], positions: Positions) -> int:
        """Make the deliveries of a batch, after which the log was followed up to `positions`.

        Within it complaints come first: what is said of a message follows from what is said there.
        Returns how many. Raises Deposed where another replica has moved on from the same place.
        """
        ordered = sorted(records, key=lambda record: record.topic != topics.COMPLAINTS)
        expects_readers = self.subscriptions > 0
        facts = _read_many(ordered) if expects_readers else []
        said = [fact.said for fact in facts] if expects_readers else _said_of_standings(ordered)
        async with self._messaging.unit_of_work() as work:
            wanted = self._note(await subscriptions.live(work.connection))
            if wanted and not expects_readers:
                facts = _read_many(ordered)
                said = [fact.said for fact in facts]
            standings = await self._standings(work.connection, said)
            if wanted:
                rows = _deliveries(facts, wanted, standings)
                await following.add(work.connection, rows, work.now)
            else:
                rows = []
                standings.follow(said)
            await following.remember(work.connection, standings.changed)
            await self._store(work.connection, positions)
            if rows:
                work.after_commit(self._wake)
        return len(rows)

    async def unknown(self, records: Iterable[LoggedRecord]) -> bool:
        """Tell whether records are about complaints that nothing is known of yet."""
        keys = {record.key for record in records if record.topic == topics.NOTIFICATIONS}
        # A key that nobody of ours made, such as one that no database takes, is of no complaint.
        subjects = {key for key in keys if key.isprintable() and len(key) <= LONGEST_NAME}
        if not subjects:
            return False
        async with self._messaging.database.read() as connection:
            return len(await following.known(connection, subjects)) < len(subjects)

    def _note(self, live: Sequence[Webhook]) -> list[tuple[Webhook, Filter]]:
        wanted = [(one, _filter(one)) for one in live]
        self.subscriptions = len(wanted)
        self.has_filters = any(f.categories or f.departments for _one, f in wanted)
        return wanted

    async def _standings(self, connection: AsyncConnection, said: Sequence[Said]) -> Standings:
        asked = {
            subject
            for subject, data in said
            if self.has_filters or "category" in data or "department" in data
        }
        return Standings(await following.known(connection, asked) if asked else {})

    async def _store(self, connection: AsyncConnection, positions: Positions) -> None:
        written = {
            topic: [positions.get(TopicPartition(topic, n), 0) for n in range(PARTITIONS)]
            for topic in topics.PUBLIC
        }
        if not await following.store(connection, Progress(written, self._version + 1)):
            raise Deposed
        self._version += 1


class Standings:
    """What is known of the complaints of a batch, and what has changed of it."""

    def __init__(self, known: Mapping[str, Standing]) -> None:
        self._now = dict(known)
        self.changed: dict[str, Standing] = {}

    def move(self, said: Said) -> tuple[Standing, Standing]:
        """Return how the complaint of an event stood before it, and how it stands after."""
        subject, data = said
        before = self._now.get(subject, _NOTHING)
        after = before.after(data)
        # Nothing changed where it is the same object: `after` makes another only for another.
        if after is not before or subject not in self._now:
            self._now[subject] = after
            if after != _NOTHING:
                self.changed[subject] = after
        return before, after

    def follow(self, said: Iterable[Said]) -> None:
        """Take note of events that nobody is told of."""
        for one in said:
            self.move(one)


def _read_many(records: Sequence[LoggedRecord]) -> list[Fact]:
    return [fact for fact in map(_read, records) if fact is not None]


def _said_of_standings(records: Sequence[LoggedRecord]) -> list[Said]:
    """Return what may change how complaints stand, and no more: nobody has subscribed.

    Documents for readers that there are not would be a fifteenth of an import. What is no event
    of ours says nothing here; it is counted once somebody reads.
    """
    said: list[Said] = []
    for record in records:
        value = record.value
        names = [name for name, written in _TELLING if written in value]
        if names and (words := _words_of(record, names)) is not None:
            said.append(words)
    return said


def _words_of(record: LoggedRecord, names: Sequence[str]) -> Said | None:
    try:
        envelope = record.envelope
    except BrokenEnvelope:
        return None
    subject = envelope.subject
    if not (0 < len(subject) <= LONGEST_NAME and subject.isprintable()):
        return None
    try:
        # As others have read it already.
        data = record.data_under(envelope)
    except (BrokenData, UnknownEvent):
        return _raw_words_of(subject, record)
    if not data.model_fields_set.issuperset(names):
        # Perhaps of a newer product, whose events say more.
        return _raw_words_of(subject, record)
    return subject, {name: getattr(data, name) for name in names}


def _raw_words_of(subject: str, record: LoggedRecord) -> Said | None:
    try:
        data = orjson.loads(record.value)
    except orjson.JSONDecodeError:
        return None
    return (subject, data) if isinstance(data, dict) else None


def _read(record: LoggedRecord) -> Fact | None:
    """Read a record; one that is no event cannot be told to anybody, and holds nobody up."""
    try:
        event = to_cloud_event(record.headers, record.value)
        return Fact(record, event, from_rfc3339(event.time))
    except (BrokenEnvelope, ValueError, OverflowError) as broken:
        _UNREADABLE.inc()
        place = f"{record.topic}/{record.partition}/{record.offset}"
        log.error("webhooks.unreadable", position=place, reason=str(broken))
        return None


def _deliveries(
    facts: Sequence[Fact], wanted: Sequence[tuple[Webhook, Filter]], standings: Standings
) -> list[NewDelivery]:
    rows: list[NewDelivery] = []
    for fact in facts:
        before, after = standings.move(fact.said)
        place = TopicPartition(fact.record.topic, fact.record.partition)
        rows += [
            _delivery(webhook, fact)
            for webhook, filter_ in wanted
            if fact.record.offset >= _offset(webhook.from_positions, place)
            and filter_.wants(fact.event.type, before, after)
        ]
    return rows


def _delivery(webhook: Webhook, fact: Fact) -> NewDelivery:
    return {
        "webhook_id": webhook.id,
        "event_id": fact.event.id,
        "type": fact.event.type,
        "subject": fact.event.subject,
        "event_time": fact.time,
        "body": fact.event.body,
    }


def _filter(webhook: Webhook) -> Filter:
    return Filter(
        frozenset(webhook.types), frozenset(webhook.categories), frozenset(webhook.departments)
    )


def _offset(positions: Mapping[str, Sequence[int]], place: TopicPartition) -> int:
    offsets = positions.get(place.topic, ())
    return offsets[place.partition] if place.partition < len(offsets) else 0
