"""Lay the clocks of a case open, and its promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.promise import Promise
from services.workflow_service.cases.repository.spoken import read_words
from services.workflow_service.cases.service.desk import Desk
from services.workflow_service.clocks.domain.clock import Clock
from services.workflow_service.clocks.domain.explanation import Explanation, Reader, explain
from services.workflow_service.clocks.domain.wording import Both


@dataclass(frozen=True, slots=True)
class Explained:
    """A clock with its explanation; `business`: only working time counts."""

    clock: Clock
    explanation: Explanation
    name: Both
    business: bool


def explained(desk: Desk, case: Case) -> Sequence[Explained]:
    """Return every clock of a case with the reasons for its due time, as of now."""
    return [_explained(desk, clock) for clock in case.clocks]


def _explained(desk: Desk, clock: Clock) -> Explained:
    calendar = desk.rules.calendar(clock.calendar)
    business = calendar is not desk.rules.always
    name, rule = desk.rules.name_of(clock), desk.rules.law_of(clock)
    reader = Reader(calendar, business, desk.clock.now(), desk.zone, name=name, rule=rule)
    return Explained(clock, explain(clock, reader), name, business)


async def promises_in_words(desk: Desk, case: Case) -> list[tuple[Promise, str | None]]:
    """Return the promises of a case with their words, where those can still be read."""
    if not case.promises:
        return []
    ids = [promise.words_id for promise in case.promises]
    async with desk.database.read() as connection:
        spoken = await read_words(connection, desk.vault, ids)
    texts = {words.id: words.text for words in spoken}
    return [(promise, texts.get(promise.words_id)) for promise in case.promises]
