# ruff: noqa: S608 (names of columns are our own; values are parameters)
"""The DuckDB file: opening it, one writer, readers on cursors.

Only this package and `metrics` speak SQL to it. Everything here blocks: call it from a thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import duckdb

from services.analytics_service.projections.domain.facts import (
    COLUMNS,
    Fact,
    StageChange,
    as_row,
)
from services.analytics_service.projections.models import (
    BATCH,
    FACTS,
    LAYOUT,
    PARKED,
    TABLES,
    create_table,
)
from shared.bus.port import TopicPartition

_SELECT_FACT = ", ".join("complaint_id::VARCHAR" if c == "complaint_id" else c for c in COLUMNS)
_GROUPS = 4


class UnstorableValue(ValueError):
    """A value that fits its event but no column: nothing of its batch was written."""


class StuckWriter(Exception):
    """A transaction that failed could not be rolled back either: only opening anew helps."""


class UnusableFile(Exception):
    """The file does not open, or has another layout: it is set aside and rebuilt from the log."""


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """A record that could not be folded yet, or at all, as it came from the log."""

    id: int
    complaint_id: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    headers: str
    value: bytes
    reason: str
    parked_at: datetime


@dataclass(slots=True)
class Changes:
    """What one batch does to the store; all of it is written in one transaction."""

    new: list[Fact] = field(default_factory=list)
    changed: list[Fact] = field(default_factory=list)
    stages: list[StageChange] = field(default_factory=list)
    parked: list[ParkedEvent] = field(default_factory=list)
    released: list[ParkedEvent] = field(default_factory=list)
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    as_of: datetime | None = None


class Store:
    """One open file. `write` is for the one folding thread, `cursor` for any."""

    def __init__(self, path: Path, *, memory_mb: int, threads: int) -> None:
        self.path = path
        try:
            self._connection = duckdb.connect(
                str(path),
                config={
                    "memory_limit": f"{memory_mb}MB",
                    "threads": threads,
                    # Nothing reads the order of insertion, and keeping it costs memory.
                    "preserve_insertion_order": False,
                    # A checkpoint rewrites every row group that was touched. With the default of
                    # 16 MB scattered updates of ten million rows made commits wait 4 s for one.
                    "checkpoint_threshold": "64MB",
                    # With the default of 512 MB what a batch gave back stayed with the process:
                    # ten megabytes after a thousand complaints. Questions are no slower.
                    "allocator_bulk_deallocation_flush_threshold": "1MB",
                    "autoinstall_known_extensions": False,
                    "autoload_known_extensions": False,
                },
            )
        except duckdb.Error as wrong:
            raise UnusableFile(f"{path} does not open: {wrong}") from wrong
        self._cursors = threading.Lock()
        # What is committed, and what the running transaction will make of it.
        self._positions: dict[TopicPartition, int] = {}
        self._moved: dict[TopicPartition, int] = {}
        self._newest = self._newest_written = ""
        self._read: dict[str, tuple[int, tuple[object, ...]]] = {}
        self._prepare()

    def _prepare(self) -> None:
        try:
            self._ensure_layout()
            rows = self._connection.execute("FROM positions").fetchall()
            self._positions = {TopicPartition(*row[:2]): int(row[2]) for row in rows}
            self._newest = self._newest_id()
            self._connection.execute(
                create_table(BATCH, {"row_number": "BIGINT", **FACTS}, temporary=True)
            )
        except duckdb.Error as wrong:
            self._connection.close()
            raise UnusableFile(f"{self.path} cannot be read: {wrong}") from wrong
        except UnusableFile:
            self._connection.close()
            raise

    def _ensure_layout(self) -> None:
        layout = self._layout()
        if layout is None:
            self._create()
        elif layout != LAYOUT:
            raise UnusableFile(f"{self.path} has layout {layout}, not {LAYOUT}")

    def _layout(self) -> int | None:
        rows = self._connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()"
        ).fetchall()
        if not rows:
            return None
        if ("meta",) not in rows:
            raise UnusableFile(f"{self.path} is not a store of facts")
        found = self._connection.execute("SELECT layout FROM meta").fetchone()
        return found[0] if found else -1

    def _create(self) -> None:
        self._connection.begin()
        for name, columns in TABLES.items():
            self._connection.execute(create_table(name, columns))
        self._connection.execute("INSERT INTO meta VALUES (?, NULL)", [LAYOUT])
        self._connection.commit()

    def close(self) -> None:
        """Write everything into the file and let go of it."""
        self._connection.close()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of its own for one reader."""
        with self._cursors:
            return self._connection.cursor()

    def positions(self) -> dict[TopicPartition, int]:
        """Return the next offset to read, for each partition that was ever read."""
        return dict(self._positions)

    def as_of(self) -> datetime | None:
        """Return the time of the newest event folded in, naive UTC."""
        row = self._connection.execute("SELECT as_of FROM meta").fetchone()
        return row[0] if row else None

    def count(self) -> int:
        """Return the number of facts."""
        row = self._connection.execute("SELECT count(*) FROM facts").fetchone()
        return int(row[0]) if row else 0

    def facts(self, ids: Iterable[str]) -> dict[str, Fact]:
        """Return the facts of those complaints that are known; call within a transaction.

        First where they are, by the one column of ids, then the rows: to look for 250 old ids in
        ten million rows with all their columns takes eight times as long. What is newer than all
        that is here, as most complaints are that come in, is not looked for.
        """
        places: dict[int, str] = {}
        for group in id_groups(each for each in ids if each <= self._newest):
            found = self._connection.execute(
                "SELECT rowid, complaint_id::VARCHAR FROM facts "
                "WHERE complaint_id BETWEEN ? AND ? AND complaint_id IN (SELECT unnest(?::UUID[]))",
                [group[0], group[-1], group],
            ).fetchall()
            places.update(found)
        if not places:
            return {}
        rows = self._connection.execute(
            f"SELECT rowid, {_SELECT_FACT} FROM facts WHERE rowid IN (SELECT unnest(?::BIGINT[]))",
            [list(places)],
        ).fetchall()
        self._read = {row[1]: (row[0], row[1:]) for row in rows}
        return {row[1]: Fact(*row[1:]) for row in rows}

    def _newest_id(self) -> str:
        row = self._connection.execute("SELECT max(complaint_id)::VARCHAR FROM facts").fetchone()
        return row[0] if row and row[0] else ""

    def parked(self) -> list[ParkedEvent]:
        """Return everything parked, in the order of the log within each partition."""
        rows = self._connection.execute(
            f"SELECT {', '.join(PARKED)} FROM parked ORDER BY topic, partition, log_offset"
        ).fetchall()
        return [ParkedEvent(*row) for row in rows]

    def write(self, changes: Changes) -> None:
        """Write a batch; call within the transaction in which its facts were read."""
        self._append_new(changes.new)
        self._update(changes.changed)
        self._append("stage_changes", changes.stages)
        self._append("parked", map(astuple, changes.parked))
        self._release(changes.released)
        self._move(changes.positions, changes.as_of)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all of what is written within it stay, or nothing.

        Raises UnstorableValue where a value fits no column, StuckWriter where nothing can be
        written any more before the file is opened anew.
        """
        self._moved, self._newest_written = self._positions, self._newest
        self._connection.begin()
        try:
            yield
            self._connection.commit()
            self._positions, self._newest = self._moved, self._newest_written
        except BaseException as wrong:
            self._roll_back()
            if isinstance(wrong, duckdb.DataError):
                raise UnstorableValue(f"the store refuses a value: {wrong}") from wrong
            raise
        finally:
            # Row numbers mean something within one transaction only.
            self._read.clear()

    def _roll_back(self) -> None:
        try:
            self._connection.rollback()
        except duckdb.Error as wrong:
            # Where questions hold all the memory even this may find none, and the connection would
            # stay in the failed transaction for ever.
            raise StuckWriter(f"a failed transaction cannot be rolled back: {wrong}") from wrong

    def _append_new(self, facts: Sequence[Fact]) -> None:
        """Append facts with the columns that some of them have: most are empty at first."""
        if not facts:
            return
        self._newest_written = max(self._newest_written, *(one.complaint_id for one in facts))
        filled = {
            name: column
            for name, column in zip(COLUMNS, zip(*map(as_row, facts), strict=True), strict=True)
            if column.count(None) < len(column)
        }
        self._append("facts", zip(*filled.values(), strict=True), list(filled))

    def _append(
        self, table: str, rows: Iterable[Sequence[object]], columns: Sequence[str] | None = None
    ) -> None:
        # The appender takes 100,000 rows a second, executemany 700.
        batch = list(rows)
        if batch:
            appender = self._connection.appender(table, columns=list(columns) if columns else None)
            appender.append_rows(batch)
            appender.flush()

    def _update(self, facts: Sequence[Fact]) -> None:
        """Update in place, so that rows stay in the order of their ids and can be skipped.

        Only columns that differ somewhere in the batch are written: most events change a few.
        """
        if not facts:
            return
        numbers = [self._read[fact.complaint_id][0] for fact in facts]
        before = zip(*(self._read[fact.complaint_id][1] for fact in facts), strict=True)
        after = zip(*map(as_row, facts), strict=True)
        # Column by column: tuples are compared without a step of Python for each value.
        changed = {
            name: new for name, old, new in zip(COLUMNS, before, after, strict=True) if old != new
        }
        if not changed:
            return
        names = list(changed)
        rows = zip(numbers, *changed.values(), strict=True)
        self._append(BATCH, rows, ["row_number", *names])
        assignments = ", ".join(f"{name} = b.{name}" for name in names)
        self._connection.execute(
            f"UPDATE facts SET {assignments} FROM {BATCH} AS b WHERE facts.rowid = b.row_number"
        )
        self._connection.execute(f"TRUNCATE {BATCH}")

    def _release(self, events: Sequence[ParkedEvent]) -> None:
        if events:
            self._connection.execute(
                "DELETE FROM parked WHERE id IN (SELECT unnest(?::BIGINT[]))",
                [[event.id for event in events]],
            )

    def _ahead(self, positions: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Leave out what has been read before: a replay takes no position back."""
        known = self._positions
        return {place: next_ for place, next_ in positions.items() if next_ > known.get(place, -1)}

    def _move(self, positions: Mapping[TopicPartition, int], as_of: datetime | None) -> None:
        # Few rows, written anew: a statement for each would cost more than the facts of a batch.
        self._moved = {**self._positions, **self._ahead(positions)}
        self._connection.execute("DELETE FROM positions")
        rows = [(*place, offset) for place, offset in self._moved.items()]
        self._append("positions", rows)
        if as_of is not None:
            self._connection.execute(
                "UPDATE meta SET as_of = greatest(as_of, ?::TIMESTAMP)", [as_of]
            )


def id_groups(ids: Iterable[str], *, at_most: int = _GROUPS) -> list[list[str]]:
    """Cut ids into runs of neighbours at the widest gaps in time.

    UUIDv7 begin with their millisecond, and rows lie in that order: a narrow range lets DuckDB
    skip whole row groups, while one old id beside recent ones would make it read everything in
    between (250 ms instead of 5 at ten million rows).
    """
    ordered = sorted(set(ids))
    if not ordered:
        return []
    times = [int(each.replace("-", "")[:12], 16) for each in ordered]
    gaps = sorted(
        range(1, len(ordered)), key=lambda place: times[place] - times[place - 1], reverse=True
    )
    cuts = [0, *sorted(gaps[: at_most - 1]), len(ordered)]
    return [ordered[start:end] for start, end in pairwise(cuts)]
