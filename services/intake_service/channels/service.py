"""Import files: read, map, record in batches, keep what is rejected."""

from __future__ import annotations

import asyncio
import csv
import io
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import ClientDisconnect

from services.intake_service.channels import repository
from services.intake_service.channels.domain.decoding import Decoder
from services.intake_service.channels.domain.mapper import Mapper, Rejected
from services.intake_service.channels.domain.mapping import MappingFile
from services.intake_service.channels.domain.progress import Counts, Import, ImportState
from services.intake_service.channels.domain.rows import (
    BrokenRow,
    CsvReader,
    NdjsonReader,
    RowReader,
    SourceRow,
)
from services.intake_service.channels.repository import RejectRow
from services.intake_service.complaints.domain.new_complaint import NewComplaint, RecordOutcome
from services.intake_service.customers.schemas import read_email, read_phone
from services.intake_service.triage.domain.taxonomy import Taxonomy
from shared.db.database import Database
from shared.kernel.clock import Clock
from shared.kernel.errors import Conflict, FieldError, InvalidInput, NotFound, RedressError
from shared.kernel.ids import new_id
from shared.kernel.vault import DataKey, Vault
from shared.kernel.yaml_documents import InvalidDocument, read_yaml

OWN_MAPPINGS = Path(__file__).with_name("mappings")
BATCH = 500
# Commits at least so often where most rows are rejected and batches fill slowly.
_REJECTS_AT_ONCE = 2000
_PAGE = 1000
# What is recorded and not yet taken in by workflow: enough to keep every hop busy, and so little
# that a complaint of today waits well under a second behind it.
_BATCHES_AHEAD = 1
_LOOK_AGAIN_SECONDS = 0.02
_LONGEST_WAIT_SECONDS = 2.0

Form = Literal["csv", "ndjson"]


class Records(Protocol):
    """Who records complaints: `complaints.service.Recorder`."""

    async def record_many(self, complaints: Sequence[NewComplaint]) -> Sequence[RecordOutcome]:
        """Record a batch in one commit; one outcome per complaint, in order."""
        ...

    async def has_case(self, complaint_id: str) -> bool:
        """Tell whether workflow's first word about a complaint has come."""
        ...


class ImportRunning(Conflict):
    """An import of this id is being read."""

    code = "import-running"
    title = "This import is running"


class ImportEnded(Conflict):
    """An import of this id was read to its end."""

    code = "import-ended"
    title = "This import has ended"


class UnknownMapping(InvalidInput):
    """No mapping has this name."""

    code = "unknown-mapping"
    title = "There is no mapping of this name"


@dataclass(frozen=True, slots=True)
class ImportTools:
    """What importing stands on."""

    database: Database
    recorder: Records
    taxonomy: Taxonomy
    vault: Vault
    clock: Clock
    replica: str


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What a sender asks for; `encoding` goes before the mapping's."""

    mapping: str
    form: Form
    id: str | None = None
    encoding: str | None = None


class Imports:
    """The use cases of importing."""

    def __init__(self, tools: ImportTools) -> None:
        self._tools = tools

    async def run(self, request: ImportRequest, stream: AsyncIterator[bytes]) -> Import:
        """Read a file to its end, committing batches on the way; returns the import as it ended.

        Raises MissingColumns, WrongEncoding, UnknownMapping (nothing or only whole batches are
        stored then; sending again goes on), ImportRunning, ImportEnded and Unavailable. A sender
        that goes away leaves it interrupted.
        """
        mapping = await self.mapping(request.mapping)
        started = await self._begin(request)
        run = _Run(self._tools, started, mapping)
        try:
            await run.read(_reader(request.form, mapping), request.encoding, stream)
        except ClientDisconnect:
            await self._end(run, ImportState.INTERRUPTED, "the sender went away")
        except RedressError as failure:
            await self._end(run, ImportState.FAILED, failure.detail)
            raise
        except BaseException:
            await self._end(run, ImportState.INTERRUPTED, "the process stopped")
            raise
        else:
            await self._end(run, ImportState.COMPLETED, None)
        return await self.get(started.id)

    async def get(self, import_id: str) -> Import:
        """Return one import; raises NotFound."""
        async with self._tools.database.read() as connection:
            found = await repository.load(connection, import_id)
        if found is None:
            raise NotFound(f"there is no import {import_id}")
        return found

    async def list_newest(self, *, limit: int, before: tuple[datetime, str] | None) -> list[Import]:
        """Return imports, the newest first."""
        async with self._tools.database.read() as connection:
            return await repository.list_newest(connection, limit=limit, before=before)

    async def rejects_csv(self, import_id: str) -> AsyncIterator[str]:
        """Yield the reject file in pieces: line, reason, detail, row as it stood."""
        key = self._tools.vault.open_data_key((await self.get(import_id)).wrapped_key)
        yield _csv([("line", "reason", "detail", "row")])
        line = 0
        while True:
            async with self._tools.database.read() as connection:
                page = await repository.read_rejects(
                    connection, import_id, after_line=line, limit=_PAGE
                )
            if not page:
                return
            line = page[-1].line
            yield _csv((row.line, row.reason, *_open(row, key, import_id)) for row in page)

    async def mark_interrupted(self) -> None:
        """Mark what this replica's former process left running; call before taking requests."""
        tools = self._tools
        async with tools.database.write() as connection:
            await repository.interrupt_of(connection, tools.replica, at=tools.clock.now())

    async def mapping(self, name: str) -> MappingFile:
        """Return a mapping by name; raises UnknownMapping naming those there are."""
        own = _own_mappings()
        async with self._tools.database.read() as connection:
            document = await repository.load_mapping(connection, name) if name not in own else None
            uploaded = await repository.list_mappings(connection) if document is None else []
        if name in own:
            document = own[name].read_text(encoding="utf-8")
        if document is None:
            known = ", ".join([*own, *uploaded])
            detail = f"There is no mapping {name!r}; there are {known}."
            raise UnknownMapping(detail, [FieldError("/query/mapping", "unknown_mapping", detail)])
        return self._checked(document, name)

    async def mappings(self) -> list[str]:
        """Return the names of all mappings."""
        async with self._tools.database.read() as connection:
            return [*_own_mappings(), *await repository.list_mappings(connection)]

    async def save_mapping(self, name: str, document: str) -> MappingFile:
        """Store a mapping file; raises InvalidDocument, Conflict for a name of the project's."""
        if name in _own_mappings():
            raise Conflict(f"{name} comes with the project; give yours another name")
        checked = self._checked(document, name)
        tools = self._tools
        async with tools.database.write() as connection:
            await repository.save_mapping(connection, name, document, at=tools.clock.now())
        return checked

    def _checked(self, document: str, name: str) -> MappingFile:
        mapping = read_yaml(document, MappingFile, name=name)
        for rule in mapping.category:
            for value, code in rule.table.items():
                if not self._tools.taxonomy.is_known(code):
                    near = self._tools.taxonomy.suggest(code)
                    hint = f"; did you mean {near}?" if near else ""
                    line = _line_with(document, code)
                    detail = f"{name}, line {line}: {value}: unknown category {code!r}{hint}"
                    raise InvalidDocument(detail, [FieldError("", "unknown_category", detail)])
        return mapping

    async def _begin(self, request: ImportRequest) -> Import:
        tools, now = self._tools, self._tools.clock.now()
        new = Import(
            id=request.id or new_id(),
            mapping=request.mapping,
            state=ImportState.RUNNING,
            counts=Counts(),
            failure=None,
            wrapped_key=tools.vault.new_data_key().wrapped,
            started_at=now,
            updated_at=now,
            ended_at=None,
        )
        async with tools.database.write() as connection:
            known = await repository.load(connection, new.id)
            if known is not None and known.state is ImportState.RUNNING:
                raise ImportRunning(f"the import {new.id} is being read already")
            if known is not None and known.state is ImportState.COMPLETED:
                raise ImportEnded(f"the import {new.id} was read to its end; choose another id")
            await repository.begin(connection, new, replica=tools.replica)
        return new

    async def _end(self, run: _Run, state: ImportState, failure: str | None) -> None:
        tools = self._tools
        async with tools.database.write() as connection:
            at = tools.clock.now()
            await run.write_progress(connection, at=at)
            await repository.end(connection, run.id, state, at=at, failure=failure)


class _Run:
    """One file on its way in."""

    def __init__(self, tools: ImportTools, started: Import, mapping: MappingFile) -> None:
        self.id = started.id
        self._tools = tools
        self._mapping = mapping
        self._key = tools.vault.open_data_key(started.wrapped_key)
        self._mapper = Mapper(
            mapping,
            now=tools.clock.now(),
            read_phone=lambda text, region: read_phone(text, default_region=region),
            read_email=read_email,
        )
        self._counts = Counts()
        self._pace = _Pace(tools.recorder)
        self._batch: list[NewComplaint] = []
        self._rejects: list[RejectRow] = []

    async def read(
        self, reader: RowReader, encoding: str | None, stream: AsyncIterator[bytes]
    ) -> None:
        """Read the stream to its end."""
        decoder = Decoder(encoding or self._mapping.encoding)
        async for data in stream:
            if data:
                await self._take(reader.feed(decoder.feed(data)))
        await self._take(reader.feed(decoder.feed(b"", last=True), last=True))
        await self._commit()

    async def _take(self, rows: Iterator[SourceRow | BrokenRow]) -> None:
        for row in rows:
            if isinstance(row, BrokenRow):
                self._reject(row, row.reason, row.detail)
            else:
                try:
                    mapped = self._mapper.map(row)
                except Rejected as why:
                    self._reject(row, why.reason, why.detail)
                else:
                    self._counts.warnings.update(mapped.warnings)
                    self._batch.append(mapped.complaint)
            if len(self._batch) >= BATCH or len(self._rejects) >= _REJECTS_AT_ONCE:
                await self._commit()

    def _reject(self, row: SourceRow | BrokenRow, reason: str, detail: str) -> None:
        words = orjson.dumps([detail, row.raw.rstrip("\n")]).decode()
        sealed = self._key.encrypt(words, context=_context(self.id, row.line))
        self._rejects.append(RejectRow(row.line, reason, sealed))

    async def _commit(self) -> None:
        batch, self._batch = self._batch, []
        outcomes = await self._tools.recorder.record_many(batch) if batch else ()
        accepted = [outcome.complaint_id for outcome in outcomes if outcome.kind == "accepted"]
        counts = self._counts
        counts.accepted += len(accepted)
        counts.existing += len(outcomes) - len(accepted)
        async with self._tools.database.write() as connection:
            await self.write_progress(connection, at=self._tools.clock.now())
        if accepted:
            await self._pace.keep(accepted[-1])

    async def write_progress(self, connection: AsyncConnection, *, at: datetime) -> None:
        """Write the counts and the rows rejected since the last time."""
        rows, self._rejects = self._rejects, []
        counts = self._counts
        counts.rejected += len(rows)
        counts.read = counts.accepted + counts.existing + counts.rejected
        await repository.advance(connection, self.id, counts, at=at, new_rejects=rows)


class _Pace:
    """Keeps an import from running far ahead of workflow, where today's complaints wait behind it.

    A workflow that stands still is waited for once: intake takes in complaints without it.
    """

    def __init__(self, recorder: Records) -> None:
        self._recorder = recorder
        self._ahead: deque[str] = deque()
        self._stands_still = False

    async def keep(self, last_id: str) -> None:
        """Note the last complaint of a batch, and wait while too many batches are on their way."""
        self._ahead.append(last_id)
        while len(self._ahead) > _BATCHES_AHEAD:
            self._stands_still = not await self._has_case(self._ahead.popleft())

    async def _has_case(self, complaint_id: str) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (0 if self._stands_still else _LONGEST_WAIT_SECONDS)
        while not await self._recorder.has_case(complaint_id):
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        return True


def _reader(form: Form, mapping: MappingFile) -> RowReader:
    if form == "csv":
        return CsvReader(mapping.columns(), delimiter=mapping.delimiter)
    return NdjsonReader(mapping.columns())


def _own_mappings() -> dict[str, Path]:
    return {path.stem: path for path in sorted(OWN_MAPPINGS.glob("*.yaml"))}


def _context(import_id: str, line: int) -> str:
    return f"import:{import_id}:{line}"


def _open(row: RejectRow, key: DataKey, import_id: str) -> tuple[str, str]:
    detail, raw = orjson.loads(key.decrypt(row.words, context=_context(import_id, row.line)))
    return detail, raw


def _csv(rows: Iterator[tuple[object, ...]] | Sequence[tuple[object, ...]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _line_with(document: str, words: str) -> int:
    before, found, _ = document.partition(words)
    return before.count("\n") + 1 if found else 1
