"""The SQLite file behind the local log: plain, blocking reads and writes, called from threads.

Records of one partition lie side by side: the row id is the partition's number, shifted, plus the
offset. One b-tree, no index, and a read is a range scan.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from shared.bus.headers import PackedHeaders, pack
from shared.bus.port import LoggedRecord, Record, SharedRecord, TopicPartition
from shared.db.values import values_sqlite
from shared.events.topics import PARTITIONS, partition_of
from shared.kernel.ids import new_id

_OFFSET_BITS = 40
# 512 KiB instead of two megabytes: a log is written at its end and read on from where one stands.
_CACHE = -512
_SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS records (
    place INTEGER PRIMARY KEY,
    timestamp_ms INTEGER NOT NULL,
    key TEXT NOT NULL,
    headers TEXT NOT NULL,
    value BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS positions (
    consumer_group TEXT NOT NULL,
    topic TEXT NOT NULL,
    number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (consumer_group, topic, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identity (
    id TEXT NOT NULL
);
"""
_READ = (
    "SELECT place, timestamp_ms, key, headers, value FROM records "
    "WHERE place >= ? AND place < ? ORDER BY place LIMIT ?"
)


class UnknownTopic(LookupError):
    """A topic that `ensure_topics` has not made."""


class LogReader:
    """One connection that only reads."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        # A reader must never checkpoint: older SQLite loses a WAL reset with two that do (rule 9).
        self._db.execute("PRAGMA wal_autocheckpoint=0")
        self._db.execute("PRAGMA query_only=ON")
        self._db.execute(f"PRAGMA cache_size={_CACHE}")

    def topics(self) -> dict[str, int]:
        """Return the topics with their numbers."""
        return dict(self._db.execute("SELECT name, id FROM topics").fetchall())

    def ends(self, topics: Mapping[str, int]) -> dict[TopicPartition, int]:
        """Return the offset after the last record of every partition."""
        return dict(_ends(self._db, topics))

    def fetch(
        self,
        topics: Mapping[str, int],
        positions: Sequence[tuple[TopicPartition, int]],
        limit: int,
    ) -> list[LoggedRecord]:
        """Read at most `limit` records, partition after partition."""
        found: list[LoggedRecord] = []
        for partition, position in positions:
            base = _base(topics[partition.topic], partition.partition)
            rows = self._db.execute(_READ, (base + position, _after(base), limit - len(found)))
            found += [
                LoggedRecord(*partition, place - base, stamp, key, value, PackedHeaders(headers))
                for place, stamp, key, headers, value in rows
            ]
            if len(found) >= limit:
                break
        return found

    def committed(self, group: str) -> dict[TopicPartition, int]:
        """Return the positions a group has committed."""
        rows = self._db.execute(
            "SELECT topic, number, position FROM positions WHERE consumer_group = ?", (group,)
        )
        return {TopicPartition(topic, number): position for topic, number, position in rows}

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


class LogWriter:
    """The one connection that writes and checkpoints."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute(f"PRAGMA cache_size={_CACHE}")
        self._db.executescript(_SCHEMA)
        self.identity = self._identify()
        self.topics: dict[str, int] = {}
        self.ends: dict[TopicPartition, int] = {}
        self._seen_version = -1
        self._catch_up()

    def _identify(self) -> str:
        """Return the log's name, and give it one where it has none yet."""
        self._db.execute(
            "INSERT INTO identity SELECT ? WHERE NOT EXISTS (SELECT 1 FROM identity)", (new_id(),)
        )
        (found,) = self._db.execute("SELECT id FROM identity").fetchone()
        return str(found)

    def ensure_topics(self, names: Sequence[str]) -> None:
        """Make the topics that are missing."""
        self._db.executemany(
            "INSERT INTO topics (name) VALUES (?) ON CONFLICT (name) DO NOTHING",
            [(name,) for name in names],
        )
        self._reload()

    def write(
        self,
        records: Sequence[Record],
        positions: Mapping[tuple[str, TopicPartition], int],
        timestamp_ms: int,
    ) -> list[SharedRecord]:
        """Append records and store positions in one durable transaction; returns them as logged.

        Raises UnknownTopic, or sqlite3.Error after which nothing was stored.
        """
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._catch_up()
            logged, ends = self._append(records, timestamp_ms)
            self._db.executemany(
                "INSERT INTO positions VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
                "SET position = excluded.position",
                [(group, *partition, at) for (group, partition), at in positions.items()],
            )
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self.ends.update(ends)
        return logged

    def close(self) -> None:
        """Close the connection; the last one to close checkpoints."""
        self._db.close()

    def _append(
        self, records: Sequence[Record], timestamp_ms: int
    ) -> tuple[list[SharedRecord], dict[TopicPartition, int]]:
        ends: dict[TopicPartition, int] = {}
        rows = []
        logged = []
        for record in records:
            topic = self.topics.get(record.topic)
            if topic is None:
                raise UnknownTopic(record.topic)
            partition = TopicPartition(record.topic, partition_of(record.key))
            offset = ends[partition] if partition in ends else self.ends[partition]
            ends[partition] = offset + 1
            place = _base(topic, partition.partition) + offset
            key, value, headers = record.key, record.value, record.headers
            rows.append((place, timestamp_ms, key, pack(headers), value))
            logged.append(SharedRecord(*partition, offset, timestamp_ms, key, value, headers))
        for sql, group in values_sqlite("INSERT INTO records", rows):
            self._db.executemany(sql, group)
        return logged, ends

    def _catch_up(self) -> None:
        """Read the ends anew if another connection has written since."""
        version = self._db.execute("PRAGMA data_version").fetchone()[0]
        if version != self._seen_version:
            self._seen_version = version
            self._reload()

    def _reload(self) -> None:
        self.topics = dict(self._db.execute("SELECT name, id FROM topics").fetchall())
        self.ends = dict(_ends(self._db, self.topics))


def _ends(
    db: sqlite3.Connection, topics: Mapping[str, int]
) -> Iterator[tuple[TopicPartition, int]]:
    for name, topic in topics.items():
        for number in range(PARTITIONS):
            base = _base(topic, number)
            last = db.execute(
                "SELECT max(place) FROM records WHERE place >= ? AND place < ?",
                (base, _after(base)),
            ).fetchone()[0]
            yield TopicPartition(name, number), 0 if last is None else last - base + 1


def _base(topic: int, partition: int) -> int:
    return (topic * PARTITIONS + partition) << _OFFSET_BITS


def _after(base: int) -> int:
    return base + (1 << _OFFSET_BITS)
