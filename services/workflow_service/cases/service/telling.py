"""What the customer's own page is told of a case, in words that no event carries."""

from __future__ import annotations

from dataclasses import dataclass

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.telling import question_of, rejection_of
from services.workflow_service.cases.repository.merging import going_on
from services.workflow_service.cases.repository.reading import find_case, history_of
from services.workflow_service.cases.repository.spoken import read_words
from services.workflow_service.cases.service.desk import Desk
from services.workflow_service.cases.service.reading import UnknownCase


@dataclass(frozen=True, slots=True)
class Telling:
    """What we ask the customer for, why we said no, and the case in which theirs goes on.

    Words are None where there are none any more: their key was destroyed.
    """

    question: str | None = None
    rejection: str | None = None
    merged_into: Case | None = None


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
        named = [one for one in (question, rejection) if one is not None]
        spoken = await read_words(connection, desk.vault, named) if named else []
    texts = {words.id: words.text for words in spoken}
    return Telling(texts.get(question or ""), texts.get(rejection or ""))
