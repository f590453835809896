"""Begin, end and show imports; keep mappings; give out what was rejected."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
from starlette.requests import ClientDisconnect

from services.intake_service.channels import repository
from services.intake_service.channels.domain.mapping import MappingFile
from services.intake_service.channels.domain.progress import Counts, Import, ImportState
from services.intake_service.channels.repository import RejectRow
from services.intake_service.channels.service.reading import (
    Form,
    ImportTools,
    Reading,
    rejects_context,
)
from services.intake_service.triage.domain.taxonomy import Taxonomy
from shared.kernel.errors import Conflict, FieldError, InvalidInput, NotFound, RedressError
from shared.kernel.ids import new_id
from shared.kernel.vault import DataKey
from shared.kernel.yaml_documents import InvalidDocument, read_yaml

OWN_MAPPINGS = Path(__file__).parents[1] / "mappings"
_PAGE = 1000


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
class ImportRequest:
    """What a sender asks for; `encoding` goes before the mapping's."""

    mapping: str
    form: Form
    id: str | None = None
    encoding: str | None = None


class Imports:
    """The use cases of importing."""

    def __init__(self, tools: ImportTools, taxonomy: Taxonomy) -> None:
        self._tools = tools
        self._taxonomy = taxonomy

    async def run(self, request: ImportRequest, stream: AsyncIterator[bytes]) -> Import:
        """Read a file to its end, committing batches on the way; returns the import as it ended.

        Raises MissingColumns, WrongEncoding, UnknownMapping (nothing or only whole batches are
        stored then; sending again goes on), ImportRunning, ImportEnded and Unavailable. A sender
        that goes away leaves it interrupted.
        """
        mapping = await self.mapping(request.mapping)
        started = await self._begin(request)
        reading = Reading(self._tools, started, mapping)
        try:
            await reading.read(request.form, request.encoding, stream)
        except ClientDisconnect:
            await self._end(reading, ImportState.INTERRUPTED, "the sender went away")
        except RedressError as failure:
            await self._end(reading, ImportState.FAILED, failure.detail)
            raise
        except BaseException:
            await self._end(reading, ImportState.INTERRUPTED, "the process stopped")
            raise
        else:
            await self._end(reading, ImportState.COMPLETED, None)
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
        # In a thread: a large document must not hold up whoever else is answered here.
        checked = await asyncio.to_thread(self._checked, document, name)
        tools = self._tools
        async with tools.database.write() as connection:
            await repository.save_mapping(connection, name, document, at=tools.clock.now())
        return checked

    def _checked(self, document: str, name: str) -> MappingFile:
        mapping = read_yaml(document, MappingFile, name=name)
        for rule in mapping.category:
            for value, code in rule.table.items():
                if not self._taxonomy.is_known(code):
                    near = self._taxonomy.suggest(code)
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

    async def _end(self, reading: Reading, state: ImportState, failure: str | None) -> None:
        tools = self._tools
        async with tools.database.write() as connection:
            at = tools.clock.now()
            await reading.write_progress(connection, at=at)
            await repository.end(connection, reading.id, state, at=at, failure=failure)


def _own_mappings() -> dict[str, Path]:
    return {path.stem: path for path in sorted(OWN_MAPPINGS.glob("*.yaml"))}


def _open(row: RejectRow, key: DataKey, import_id: str) -> tuple[str, str]:
    detail, raw = orjson.loads(key.decrypt(row.words, context=rejects_context(import_id, row.line)))
    return detail, raw


def _csv(rows: Iterator[tuple[object, ...]] | Sequence[tuple[object, ...]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _line_with(document: str, words: str) -> int:
    before, found, _ = document.partition(words)
    return before.count("\n") + 1 if found else 1
