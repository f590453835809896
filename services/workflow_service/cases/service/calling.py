"""Call customers back: the tasks, and what comes of each call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.workflow_service.cases.domain.call_back import CallBack
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Change
from services.workflow_service.cases.domain.satisfaction import Call, UnknownCallBack, note_call
from services.workflow_service.cases.repository import calling as repository
from services.workflow_service.cases.repository.calling import CallBackFilter, Task
from services.workflow_service.cases.repository.spoken import read_words
from services.workflow_service.cases.service.acting import change_case
from services.workflow_service.cases.service.desk import Desk
from shared.messaging import UnitOfWork


@dataclass(frozen=True, slots=True)
class TaskFile:
    """A call-back with its case, and what was written down of it by id."""

    task: Task
    words: dict[str, str | None]


async def find_task(desk: Desk, call_back: str) -> Task:
    """Return a call-back; raises UnknownCallBack."""
    async with desk.database.read() as connection:
        task = await repository.find_task(connection, call_back)
    if task is None:
        raise UnknownCallBack(f"there is no call-back {call_back}")
    return task


async def list_tasks(
    desk: Desk, wanted: CallBackFilter, *, after_id: str | None = None, limit: int
) -> list[Task]:
    """Return call-backs, the one that has waited longest first."""
    async with desk.database.read() as connection:
        return await repository.list_tasks(connection, wanted, after_id=after_id, limit=limit)


async def open_task(desk: Desk, call_back: str) -> TaskFile:
    """Return a call-back with its words; raises UnknownCallBack."""
    task = await find_task(desk, call_back)
    async with desk.database.read() as connection:
        spoken = await read_words(connection, desk.vault, _ids_of(task.call_back))
    return TaskFile(task, {words.id: words.text for words in spoken})


def _ids_of(call_back: CallBack) -> Sequence[str]:
    ids = (call_back.words_id, *(attempt.note_id for attempt in call_back.attempts))
    return [one for one in ids if one]


async def call(
    desk: Desk, uow: UnitOfWork, case_id: str, made: Call, *, if_version: int | None
) -> Case:
    """Note a call, or the customer's answers; return the case as it is now.

    Raises what `note_call` does, and PreconditionFailed where the case is no longer at
    `if_version`.
    """
    rules, _load = await desk.rules_with_load(uow)

    def decision(case: Case, now: datetime) -> Change:
        return note_call(case, made, now=now, rules=rules)

    return await change_case(desk, uow, case_id, decision, if_version=if_version)
