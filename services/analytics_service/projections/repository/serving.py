"""The file that is served now: many readers, one writer, and swapping in a new file under both."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import anyio
import duckdb
from anyio import CapacityLimiter

from services.analytics_service.projections.repository.files import (
    Copies,
    Copy,
    remove,
    set_aside,
)
from services.analytics_service.projections.repository.store import (
    Store,
    StuckWriter,
    UnusableFile,
)
from shared.kernel import logging
from shared.kernel.errors import Unavailable

log = logging.get(__name__)

T = TypeVar("T")


class Reading:
    """One consistent view of the facts: everything asked of it is as of the same event."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self.cursor = cursor
        # One transaction, so that `as_of` and the figures are of the same moment.
        cursor.begin()
        row = cursor.execute("SELECT as_of FROM meta").fetchone()
        self.as_of: datetime | None = row[0].replace(tzinfo=UTC) if row and row[0] else None


class Serving:
    """Hands the current store to readers, and lets go of it while a new file takes its place."""

    def __init__(
        self,
        path: Path,
        now: Callable[[], datetime],
        *,
        memory_mb: int,
        threads: int,
        readers: int,
    ) -> None:
        self.path = path
        self.copies = Copies(path)
        self._now = now
        self._memory_mb = memory_mb
        self._threads = threads
        self._limiter = CapacityLimiter(readers)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="analytics-writer")
        self._gate = threading.Condition()
        self._reading = 0
        self._swapping = False
        self._store: Store | None = None
        self._origin: Copy | None = None

    @property
    def store(self) -> Store:
        """The open store; raises Unavailable before `open`."""
        if self._store is None:
            raise Unavailable("the store of facts is not open")
        return self._store

    def open(self) -> None:
        """Open the file; one that cannot be used is set aside.

        The newest copy that can be used takes its place, else an empty file does.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._store = self.open_file(self.path)
        except UnusableFile as wrong:
            self._replace(wrong)

    def _replace(self, reason: Exception) -> None:
        aside = set_aside(self.path, self._now())
        log.warning("analytics.file_set_aside", reason=str(reason), now_at=str(aside))
        if self._origin is not None:
            # What was put back was damaged itself: it would come back for ever.
            self._origin.forget()
        self._store = self._from_a_copy() or self.open_file(self.path)

    def _from_a_copy(self) -> Store | None:
        self._origin = None
        for copy in self.copies.newest_first():
            store = self._put_back(copy)
            if store is not None:
                log.warning("analytics.copy_put_back", copy=str(copy.folder), as_of=store.as_of())
                self._origin = copy
                return store
        return None

    def _put_back(self, copy: Copy) -> Store | None:
        try:
            copy.put_back(self.path)
            return self.open_file(self.path)
        except (OSError, UnusableFile) as wrong:
            log.warning("analytics.copy_unusable", copy=str(copy.folder), reason=str(wrong))
            remove(self.path)
            if isinstance(wrong, UnusableFile):
                copy.forget()
            return None

    def open_file(self, path: Path) -> Store:
        """Open any store with the sizes of this process; raises UnusableFile."""
        return Store(path, memory_mb=self._memory_mb, threads=self._threads)

    def close(self) -> None:
        """Let go of the file."""
        self._pool.shutdown()
        if self._store is not None:
            self._store.close()
            self._store = None

    async def write(self, work: Callable[[], T]) -> T:
        """Run blocking work in the one thread that writes.

        After a full disk, a rollback without memory and alike DuckDB refuses everything until the
        file is opened anew; a damaged one is replaced. The caller gets the error and begins again
        from the positions of what is served then.
        """
        store = self.store
        try:
            return await anyio.to_thread.run_sync(lambda: self._pool.submit(work).result())
        except (duckdb.Error, StuckWriter) as failure:
            if isinstance(failure, duckdb.FatalException | StuckWriter) or _tells_damage(failure):
                await self._renew(store, failure)
            raise

    async def read(self, question: Callable[[Reading], T]) -> T:
        """Answer a question in a thread, on a consistent view of the facts.

        Raises Unavailable where the file turns out to be damaged: it is replaced then.
        """
        store = self.store
        try:
            return await anyio.to_thread.run_sync(self._answer, question, limiter=self._limiter)
        except duckdb.Error as failure:
            if not _tells_damage(failure):
                raise
            await self._renew(store, failure)
            raise Unavailable("The file of figures is damaged and was just replaced.") from failure

    def swap(self, new: Path) -> None:
        """Put another, closed file in the place of the served one; readers wait a moment."""
        with self._alone():
            self.store.close()
            remove(self.path)
            new.rename(self.path)
            self._store = self.open_file(self.path)
            # Who has everything read again does not trust what was there before.
            self.copies.forget()

    def start_over(self) -> None:
        """Set the served file aside and serve an empty one; its copies know no more than it did."""
        with self._alone():
            self.store.close()
            set_aside(self.path, self._now())
            self.copies.forget()
            self._store = self.open_file(self.path)

    async def _renew(self, failed: Store, reason: Exception) -> None:
        """Open the file anew, or replace it where it is damaged; once for all who met it."""

        def renew() -> None:
            with self._alone():
                if self._store is not failed:
                    return
                failed.close()
                if _tells_damage(reason):
                    self._replace(reason)
                else:
                    self.open()

        # In the writer's thread: a connection must not be closed under a statement.
        await anyio.to_thread.run_sync(lambda: self._pool.submit(renew).result())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until nobody reads, and let nobody begin."""
        with self._gate:
            self._swapping = True
            try:
                self._gate.wait_for(lambda: self._reading == 0)
                yield
            finally:
                self._swapping = False
                self._gate.notify_all()

    def _answer(self, question: Callable[[Reading], T]) -> T:
        with self._entered() as cursor:
            reading = Reading(cursor)
            try:
                return question(reading)
            finally:
                cursor.rollback()

    @contextmanager
    def _entered(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._gate:
            self._gate.wait_for(lambda: not self._swapping)
            cursor = self.store.cursor()
            self._reading += 1
        try:
            yield cursor
        finally:
            cursor.close()
            with self._gate:
                self._reading -= 1
                self._gate.notify_all()


def _tells_damage(failure: Exception) -> bool:
    """Tell whether a block of the file is not what was written; DuckDB has no class for it."""
    return "Corrupt database file" in str(failure)
