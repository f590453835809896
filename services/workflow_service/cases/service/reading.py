"""Look at cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.workflow_service.cases.domain.case import Case, Entry
from services.workflow_service.cases.repository import reading
from services.workflow_service.cases.repository.reading import CaseFilter
from services.workflow_service.cases.repository.spoken import Spoken, read_words
from services.workflow_service.cases.service.desk import Desk
from shared.kernel.errors import NotFound
from shared.kernel.ids import parse_number


class UnknownCase(NotFound):
    """No case has this id or number."""

    code = "unknown-case"
    title = "There is no such case"


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with its history, and the words of it by id."""

    case: Case
    history: Sequence[Entry]
    words: dict[str, Spoken]


async def find(desk: Desk, id_or_number: str) -> Case:
    """Return a case by id or number; raises UnknownCase."""
    number = parse_number(id_or_number)
    async with desk.database.read() as connection:
        case = await reading.find_case(connection, case_id=id_or_number, number=number)
    if case is None:
        raise UnknownCase(f"there is no case {id_or_number}")
    return case


async def open_file(desk: Desk, id_or_number: str) -> CaseFile:
    """Return a case with its history in words; raises UnknownCase."""
    case = await find(desk, id_or_number)
    async with desk.database.read() as connection:
        history = await reading.history_of(connection, case.id)
        ids = [words for entry in history for words in (entry.words_id, entry.note_id) if words]
        spoken = await read_words(connection, desk.vault, ids) if ids else []
    return CaseFile(case, history, {words.id: words for words in spoken})


async def list_cases(
    desk: Desk, wanted: CaseFilter, *, before_id: str | None, limit: int
) -> list[Case]:
    """Return cases, the newest first."""
    async with desk.database.read() as connection:
        return await reading.list_cases(
            connection, wanted, now=desk.clock.now(), before_id=before_id, limit=limit
        )


async def list_due(desk: Desk, wanted: CaseFilter, *, limit: int) -> list[Case]:
    """Return cases that wait for something, the one that is due first on top."""
    async with desk.database.read() as connection:
        return await reading.list_due(connection, wanted, now=desk.clock.now(), limit=limit)


async def words_by_id(desk: Desk, ids: Iterable[str]) -> list[Spoken]:
    """Return words for whoever has to send them."""
    async with desk.database.read() as connection:
        return await read_words(connection, desk.vault, ids)
