"""What the customer's own page is told of a case, in words that no event carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.workflow_service.cases.domain.case import Case, Entry
from services.workflow_service.cases.domain.promise import Promise
from services.workflow_service.cases.domain.telling import (
    promises_of,
    question_of,
    rejection_of,
    steps_of,
)
from services.workflow_service.cases.repository.merging import going_on
from services.workflow_service.cases.repository.reading import find_case, history_of
from services.workflow_service.cases.repository.spoken import read_words
from services.workflow_service.cases.service.desk import Desk
from services.workflow_service.cases.service.reading import UnknownCase


@dataclass(frozen=True, slots=True)
class Telling:
    """What we ask the customer for, why we said no, and the case in which theirs goes on.

    `promises` and `steps` are what we promised and what was carried out, each with its words.
    Words are None where there are none any more: their key was destroyed.
    """

    question: str | None = None
    rejection: str | None = None
    merged_into: Case | None = None
    promises: Sequence[tuple[Promise, str | None]] = ()
    steps: Sequence[tuple[Entry, str | None]] = ()


async def telling_of(desk: Desk, complaint_id: str) -> Telling:
    """Return what the customer of a complaint reads of its case; raises UnknownCase."""
    async with desk.database.read() as connection:
        case = await find_case(connection, case_id=complaint_id)
        if case is None:
            raise UnknownCase(f"there is no case {complaint_id}")
        if case.merged_into is not None:
            # The one that it was added to may have been added to another since.
            end = (await going_on(connection, [case.id]))[case.id]
            return Telling(merged_into=await find_case(connection, case_id=end))
        history = await history_of(connection, case.id)
        question, rejection = question_of(case, history), rejection_of(case, history)
        promises, steps = promises_of(case), steps_of(history)
        ids = (question, rejection, *(p.words_id for p in promises), *(s.words_id for s in steps))
        named = [one for one in ids if one is not None]
        spoken = await read_words(connection, desk.vault, named) if named else []
    texts = {words.id: words.text for words in spoken}
    return Telling(
        question=texts.get(question or ""),
        rejection=texts.get(rejection or ""),
        promises=[(promise, texts.get(promise.words_id)) for promise in promises],
        steps=[(step, texts.get(step.words_id or "")) for step in steps],
    )
