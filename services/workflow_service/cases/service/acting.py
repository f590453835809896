"""Do what people do with a case: lock it, decide, store, say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from services.workflow_service.cases.domain.actions import decide
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.command import Command
from services.workflow_service.cases.domain.draft import Change
from services.workflow_service.cases.repository.spoken import insert_words
from services.workflow_service.cases.repository.storage import lock_cases, store
from services.workflow_service.cases.service.desk import Desk, publish
from services.workflow_service.cases.service.reading import UnknownCase
from shared.kernel.errors import PreconditionFailed
from shared.messaging import UnitOfWork

Decision = Callable[[Case, datetime], Change]
"""Makes a change of a case, at a time; raises what forbids it."""


async def act(
    desk: Desk, uow: UnitOfWork, case_id: str, command: Command, *, if_version: int | None
) -> Case:
    """Apply one action and return the case as it is now.

    Raises UnknownCase, PreconditionFailed where the case is no longer at `if_version`, and what
    `decide` raises.
    """

    def decision(case: Case, now: datetime) -> Change:
        return decide(case, command, now=now, rules=desk.rules)

    return await change_case(desk, uow, case_id, decision, if_version=if_version)


async def change_case(
    desk: Desk, uow: UnitOfWork, case_id: str, decide_it: Decision, *, if_version: int | None
) -> Case:
    """Lock a case, decide, store and say; return the case as it is now.

    Raises UnknownCase, PreconditionFailed where the case is no longer at `if_version`, and what
    the decision raises.
    """
    found = await lock_cases(uow.connection, [case_id])
    case = found.get(case_id)
    if case is None:
        raise UnknownCase(f"there is no case {case_id}")
    if if_version is not None and if_version != case.version:
        raise PreconditionFailed(
            f"the case is at version {case.version}, If-Match names {if_version}: read it again"
        )
    await desk.ensure_known(uow.connection, [case])
    change = decide_it(case, max(uow.now, case.changed_at or case.opened_at))
    await insert_words(uow.connection, desk.vault, case.id, change.words)
    await store(uow.connection, [change], now=uow.now)
    publish(uow, [change])
    return change.case
