"""One transaction of one service: what it changes and what it says commit together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.database import Database
from shared.events.base import EventData
from shared.kernel import trace
from shared.kernel.clock import Clock
from shared.messaging.outbox_rows import OutboxRow, insert, outbox_row


class UnitOfWork:
    """A write transaction: its connection, its instant, and the events it will say.

    Before emitting an event of a complaint, lock the complaint's own row in this transaction:
    that makes its sequence dense and its order in the outbox the order of commits.
    """

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self.connection = connection
        self.now = now
        self.traces: dict[str, str | None] = {}
        """The trace that each subject's events belong to, where it is not the current one."""
        self._rows: list[OutboxRow] = []
        self._after_commit: list[Callable[[], None]] = []

    def after_commit(self, call: Callable[[], None]) -> None:
        """Have `call` made once this transaction has committed, such as to wake a loop."""
        self._after_commit.append(call)

    def committed(self) -> None:
        """Make the calls that waited for the commit."""
        for call in self._after_commit:
            call()

    def trace_of(self, subject: str) -> str | None:
        """Return the trace that the subject's events belong to: its own, else the current one."""
        return self.traces.get(subject) or trace.current.get()

    def emit(
        self,
        data: EventData,
        *,
        sequence: int,
        at: datetime | None = None,
        traceparent: str | None = None,
    ) -> None:
        """Say an event when this transaction commits.

        `at` is when it happened, by default now, and `traceparent` its trace, by default that of
        its subject.
        """
        traceparent = traceparent or self.trace_of(data.subject)
        self._rows.append(
            outbox_row(data, sequence=sequence, at=at or self.now, traceparent=traceparent)
        )

    def emit_row(self, row: OutboxRow) -> None:
        """Publish a row as it is when this transaction commits."""
        self._rows.append(row)

    async def flush(self) -> bool:
        """Write the outbox rows gathered so far; tells whether there were any."""
        rows, self._rows = self._rows, []
        await insert(self.connection, rows)
        return bool(rows)


class Messaging:
    """The outbox side of one service."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self._relay_wanted = asyncio.Event()

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[UnitOfWork]:
        """Open a transaction; at its end the outbox rows are written, all commits, the relay wakes.

        An exception rolls everything back. Raises Unavailable as `Database.write` does.
        """
        async with self.database.write() as connection:
            unit = UnitOfWork(connection, self.clock.now())
            yield unit
            said_something = await unit.flush()
        if said_something:
            self.wake_relay()
        unit.committed()

    def wake_relay(self) -> None:
        """Tell the relay of this process, if there is one, that rows were committed."""
        self._relay_wanted.set()

    async def relay_wanted(self, *, timeout_seconds: float) -> bool:
        """Wait until rows were committed in this process; tells whether any were in time."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._relay_wanted.wait()
        except TimeoutError:
            return False
        finally:
            self._relay_wanted.clear()
        return True
