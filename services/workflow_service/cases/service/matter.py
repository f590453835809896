"""Complaints about one matter, from the case of any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.workflow_service.cases.domain.case import Case, Entry
from services.workflow_service.cases.domain.merging import REPEAT
from services.workflow_service.cases.repository.merging import going_on
from services.workflow_service.cases.repository.reading import find_case, history_of, numbered
from services.workflow_service.cases.service.desk import Desk
from services.workflow_service.cases.service.reading import CaseFile


@dataclass(frozen=True, slots=True)
class Matter:
    """What else there is about a case's matter.

    `goes_on_in` is the case that is looked after in place of a merged one; `earlier` the complaint
    that one with a case of its own repeats; `repeats` came after it, the oldest first.
    """

    goes_on_in: Case | None
    earlier: Case | None
    repeats: Sequence[Case]


async def matter_of(desk: Desk, file: CaseFile) -> Matter:
    """Return the other complaints about the matter of a case."""
    case = file.case
    async with desk.database.read() as connection:
        last = (await going_on(connection, [case.id])).get(case.id, case.id)
        goes_on_in = await find_case(connection, case_id=last) if last != case.id else None
        before = case.facts.repeat_of if goes_on_in is None else None
        earlier = await find_case(connection, case_id=before) if before else None
        repeats = await _repeats(connection, case, file.history)
    return Matter(goes_on_in, earlier, repeats)


async def _repeats(
    connection: AsyncConnection, case: Case, history: Sequence[Entry]
) -> Sequence[Case]:
    """Return the repeats that a history names; what was merged into one of them came along."""
    found: dict[str, Case] = {}
    waiting = _named(history)
    while waiting:
        new = [one for one in await numbered(connection, waiting) if one.id not in found]
        found |= {one.id: one for one in new if one.id != case.id}
        merged = [await history_of(connection, one.id) for one in new if one.merged_into]
        waiting = {number for lines in merged for number in _named(lines)}
    return sorted(found.values(), key=lambda one: one.id)


def _named(history: Sequence[Entry]) -> set[str]:
    return {line.why for line in history if line.action == REPEAT and line.why}
