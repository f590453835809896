"""One file on its way in: rows are gathered, made ready and written, batch after batch."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeVar

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake_service.channels import repository
from services.intake_service.channels.domain.decoding import Decoder
from services.intake_service.channels.domain.mapping import MappingFile
from services.intake_service.channels.domain.progress import Counts, Import
from services.intake_service.channels.domain.rows import CsvReader, NdjsonReader, RowReader
from services.intake_service.channels.repository import RejectRow
from services.intake_service.channels.service.preparing import (
    Order,
    Ready,
    Refusal,
    Row,
    RowPreparer,
    Setup,
    preparer_of,
)
from services.intake_service.complaints.domain.draft import Draft
from services.intake_service.complaints.domain.new_complaint import RecordOutcome
from services.intake_service.complaints.repository.bulk import GroupConflict
from services.intake_service.complaints.service.drafting import Classifier
from services.intake_service.complaints.service.planning import Known
from services.intake_service.complaints.service.preparing import Prepared
from services.intake_service.customers.service import KeyRing
from shared.db.database import Database
from shared.kernel import logging, trace
from shared.kernel.beside import Beside
from shared.kernel.clock import Clock
from shared.kernel.vault import Vault

log = logging.get(__name__)

BATCH = 500
# To start a process takes as long as to prepare some thousand rows.
BATCHES_BEFORE_A_PROCESS = 4
_LOOKS_AT_WHAT_STANDS = 5
# What is recorded and not yet taken in by workflow: enough to keep every hop busy, and so little
# that a complaint of today waits well under a second behind it.
_BATCHES_AHEAD = 2
_LOOK_AGAIN_SECONDS = 0.03
_LONGEST_WAIT_SECONDS = 2.0
_SHARE_OF_LAST_WAIT = 0.7

Form = Literal["csv", "ndjson"]
T = TypeVar("T")


class Records(Protocol):
    """Who records complaints: `complaints.service.Recorder`."""

    async def record_prepared(self, batch: Prepared) -> Known | None:
        """Write a batch in one commit, or return what stands instead of what it was made for."""
        ...

    async def record_one_by_one(self, drafts: Sequence[Draft]) -> Sequence[RecordOutcome]:
        """Record drafts each in its own commit."""
        ...

    async def has_case(self, complaint_id: str) -> bool:
        """Tell whether workflow's first word about a complaint has come."""
        ...


@dataclass(frozen=True, slots=True)
class ImportTools:
    """What importing stands on; `master_key` is that of `vault`."""

    database: Database
    recorder: Records
    classifier: Classifier
    vault: Vault
    master_key: str
    clock: Clock
    replica: str


class Reading:
    """One file on its way in."""

    def __init__(self, tools: ImportTools, started: Import, mapping: MappingFile) -> None:
        self.id = started.id
        self._tools = tools
        self._mapping = mapping
        self._key = tools.vault.open_data_key(started.wrapped_key)
        setup = Setup(mapping, tools.classifier, tools.clock.now())
        self._here = RowPreparer(setup, KeyRing(tools.vault))
        self._turn_here = asyncio.Lock()
        self._beside = Beside(preparer_of, (setup, tools.master_key), name="import")
        self._counts = Counts()
        self._pace = _Pace(tools.recorder)
        self._orders = 0
        self._rows: list[Row] = []
        self._ahead: tuple[Order, asyncio.Task[Ready]] | None = None
        self._rejects: list[RejectRow] = []

    async def read(self, form: Form, encoding: str | None, stream: AsyncIterator[bytes]) -> None:
        """Read the stream to its end."""
        reader, decoder = _reader(form, self._mapping), Decoder(encoding or self._mapping.encoding)
        try:
            async for data in stream:
                if data:
                    await self._take(reader.feed(decoder.feed(data)))
            await self._take(reader.feed(decoder.feed(b"", last=True), last=True))
            await self._hand_over()
            await self._store_ahead()
        finally:
            await self._let_go()

    async def write_progress(self, connection: AsyncConnection, *, at: datetime) -> None:
        """Write the counts and the rows rejected since the last time."""
        rows, self._rejects = self._rejects, []
        counts = self._counts
        counts.rejected += len(rows)
        counts.read = counts.accepted + counts.existing + counts.rejected
        await repository.advance(connection, self.id, counts, at=at, new_rejects=rows)

    async def _take(self, rows: Iterator[Row]) -> None:
        for row in rows:
            self._rows.append(row)
            if len(self._rows) >= BATCH:
                await self._hand_over()

    async def _hand_over(self) -> None:
        """Have what has gathered made ready, and store it, or what was begun before it."""
        rows, self._rows = self._rows, []
        self._orders += 1
        order = Order(self._orders, rows, self._tools.clock.now(), trace.current.get())
        if self._orders > BATCHES_BEFORE_A_PROCESS and self._beside.is_ready():
            begun = asyncio.create_task(self._prepare(order))
            before, self._ahead = self._ahead, (order, begun)
            if before is not None:
                await self._store(before[0], await before[1])
        else:
            await self._store_ahead()
            await self._store(order, await self._prepare(order))

    async def _let_go(self) -> None:
        """Drop what is under way: who sends the file again goes on with it."""
        if self._ahead is not None:
            self._ahead[1].cancel()
            await asyncio.gather(self._ahead[1], return_exceptions=True)
        await self._beside.close()

    async def _store_ahead(self) -> None:
        if self._ahead is not None:
            (order, begun), self._ahead = self._ahead, None
            await self._store(order, await begun)

    async def _prepare(self, order: Order) -> Ready:
        ready = await self._beside.answer(order)
        return await self._in_thread(self._here.prepare, order) if ready is None else ready

    async def _in_thread(self, work: Callable[[Order], T], order: Order) -> T:
        """Work here, but not in the loop: five hundred rows would hold up every request."""
        async with self._turn_here:
            return await asyncio.to_thread(work, order)

    async def _store(self, order: Order, ready: Ready) -> None:
        """Write a batch, its counts and its rejects; made ready anew where something else stood."""
        outcomes = await self._record(order, ready)
        for refusal in ready.refused:
            self._reject(order.rows[refusal.place], refusal)
        accepted = [outcome.complaint_id for outcome in outcomes if outcome.kind == "accepted"]
        counts = self._counts
        counts.warnings.update(ready.warnings)
        counts.accepted += len(accepted)
        counts.existing += len(outcomes) - len(accepted)
        async with self._tools.database.write() as connection:
            await self.write_progress(connection, at=self._tools.clock.now())
        if accepted:
            await self._pace.keep(accepted[-1])

    async def _record(self, order: Order, ready: Ready) -> Sequence[RecordOutcome]:
        """Write a batch, made ready anew for what stands as long as something else stood."""
        recorder = self._tools.recorder
        if not ready.batch.outcomes:
            return ()
        try:
            for _ in range(_LOOKS_AT_WHAT_STANDS):
                stands = await recorder.record_prepared(ready.batch)
                if stands is None:
                    return ready.batch.outcomes
                ready = await self._prepare(dataclasses.replace(order, known=stands))
        except GroupConflict:
            # Another process took a source or an identity since we looked, or a number was drawn
            # twice. Nobody shall pay for another's conflict: each goes alone.
            log.info("import.conflict", import_id=self.id)
        drafts = await self._in_thread(self._here.drafts, order)
        return await recorder.record_one_by_one(drafts)

    def _reject(self, row: Row, refusal: Refusal) -> None:
        words = orjson.dumps([refusal.detail, row.raw.rstrip("\n")]).decode()
        sealed = self._key.encrypt(words, context=rejects_context(self.id, row.line))
        self._rejects.append(RejectRow(row.line, refusal.reason, sealed))


class _Pace:
    """Keeps an import from running far ahead of workflow, where today's complaints wait behind it.

    A workflow that stands still is waited for once: intake takes in complaints without it.
    """

    def __init__(self, recorder: Records) -> None:
        self._recorder = recorder
        self._ahead: deque[str] = deque()
        self._stands_still = False
        self._waited = 0.0

    async def keep(self, last_id: str) -> None:
        """Note the last complaint of a batch, and wait while too many batches are on their way."""
        self._ahead.append(last_id)
        while len(self._ahead) > _BATCHES_AHEAD:
            self._stands_still = not await self._has_case(self._ahead.popleft())

    async def _has_case(self, complaint_id: str) -> bool:
        loop = asyncio.get_running_loop()
        began = loop.time()
        deadline = began + (0 if self._stands_still else _LONGEST_WAIT_SECONDS)
        # Batches take about as long as one another, and every look costs as much as some rows.
        if not self._stands_still:
            await asyncio.sleep(self._waited * _SHARE_OF_LAST_WAIT)
        while not await self._recorder.has_case(complaint_id):
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        self._waited = loop.time() - began
        return True


def rejects_context(import_id: str, line: int) -> str:
    """Return what binds a rejected row's ciphertext to its place."""
    return f"import:{import_id}:{line}"


def _reader(form: Form, mapping: MappingFile) -> RowReader:
    if form == "csv":
        return CsvReader(mapping.columns(), delimiter=mapping.delimiter)
    return NdjsonReader(mapping.columns())
