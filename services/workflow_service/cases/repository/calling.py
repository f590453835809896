"""Find call-backs, and read what is said in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.workflow_service.cases.domain.call_back import CallBack
from services.workflow_service.cases.domain.call_script import CallScript
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.models import call_backs, cases
from services.workflow_service.cases.repository.rows import case_of
from shared.kernel.errors import ConfigurationError
from shared.kernel.yaml_documents import InvalidDocument, read_yaml

SETTING = "REDRESS_CALL_SCRIPT_FILE"


@dataclass(frozen=True, slots=True)
class CallBackFilter:
    """Which call-backs are asked for; several values of one field are alternatives."""

    states: Sequence[str] = ()
    owners: Sequence[str] = ()
    departments: Sequence[str] = ()
    complaint_id: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A call-back with the case that it is about."""

    case: Case
    call_back: CallBack


async def find_task(connection: AsyncConnection, call_back: str) -> Task | None:
    """Return a call-back by its id."""
    statement = _tasks().where(call_backs.c.id == call_back)
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else _task(case_of(row), call_back)


async def list_tasks(
    connection: AsyncConnection,
    wanted: CallBackFilter,
    *,
    after_id: str | None,
    limit: int,
) -> list[Task]:
    """Return call-backs, the one that has waited longest first, those behind `after_id`."""
    statement = _tasks().order_by(call_backs.c.id).limit(limit)
    for column, values in (
        (call_backs.c.state, wanted.states),
        (cases.c.owner, wanted.owners),
        (cases.c.department, wanted.departments),
    ):
        if values:
            statement = statement.where(column.in_(list(values)))
    if wanted.complaint_id is not None:
        statement = statement.where(call_backs.c.complaint_id == wanted.complaint_id)
    if after_id is not None:
        statement = statement.where(call_backs.c.id > after_id)
    rows = (await connection.execute(statement)).mappings()
    return [_task(case_of(row), row["call_back"]) for row in rows]


def _tasks() -> Select[Any]:
    return select(cases, call_backs.c.id.label("call_back")).join(
        call_backs, call_backs.c.complaint_id == cases.c.id
    )


def _task(case: Case, call_back: str) -> Task:
    return Task(case, next(one for one in case.call_backs if one.id == call_back))


def read_script(path: Path | None) -> CallScript:
    """Read the script of call-backs, or the one that comes along.

    Raises ConfigurationError naming file, line and reason.
    """
    try:
        if path is None:
            inside = files("services.workflow_service.cases") / "call_script.yaml"
            document, name = inside.read_text(encoding="utf-8"), "call_script.yaml"
        else:
            document, name = path.read_text(encoding="utf-8"), path.name
        return read_yaml(document, CallScript, name=name)
    except (OSError, UnicodeDecodeError) as failure:
        raise ConfigurationError(SETTING, f"{path} cannot be read: {failure}") from None
    except InvalidDocument as wrong:
        raise ConfigurationError(SETTING, wrong.detail) from None
