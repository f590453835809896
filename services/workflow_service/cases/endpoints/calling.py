"""`/v1/callbacks`: customers to call, and what came of each call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BeforeValidator

from services.workflow_service.cases.domain.call_back import CallBackState
from services.workflow_service.cases.domain.satisfaction import Call
from services.workflow_service.cases.endpoints.acting import Name, Names, without_blanks
from services.workflow_service.cases.endpoints.naming import etag_of
from services.workflow_service.cases.repository.calling import CallBackFilter, Task
from services.workflow_service.cases.schemas.calling import (
    AnswersBody,
    AttemptBody,
    CallBackFileView,
    CallBackView,
)
from services.workflow_service.cases.service import calling
from services.workflow_service.cases.service.desk import Desk
from shared.http.auth import Principal, Scope, requires
from shared.http.documents import version_named
from shared.http.idempotency import TAKES_KEY, Answer, answer_once
from shared.http.pagination import Page, Paging, cut, link_next
from shared.http.query import KNOWN_QUERY
from shared.messaging import UnitOfWork

Reader = Annotated[Principal, Depends(requires(Scope.CASES_READ))]
Writer = Annotated[Principal, Depends(requires(Scope.CASES_WRITE))]
IfMatch = Annotated[str | None, Header(description="ETag of the version read")]
States = Annotated[list[CallBackState], BeforeValidator(without_blanks), Query()]


def router(desk: Desk) -> APIRouter:
    """Make the paths."""
    routes = APIRouter(prefix="/v1/callbacks", tags=["callbacks"], dependencies=[KNOWN_QUERY])
    _add_reading(routes, desk)
    _add_calls(routes, desk)
    return routes


def _add_reading(routes: APIRouter, desk: Desk) -> None:
    @routes.get("", response_model=Page[CallBackView])
    async def list_callbacks(  # noqa: PLR0917 - FastAPI reads the query from them
        request: Request,
        response: Response,
        page: Paging,
        _: Reader,
        state: States = [],  # noqa: B006 - FastAPI never hands out the default itself
        owner: Names = [],  # noqa: B006
        department: Names = [],  # noqa: B006
        complaint_id: Name | None = None,
    ) -> Page[CallBackView]:
        """List call-backs, the one that has waited longest first."""
        wanted = CallBackFilter([one.value for one in state], owner, department, complaint_id)
        after_id = str(page.after[0]) if page.after else None
        found = await calling.list_tasks(desk, wanted, after_id=after_id, limit=page.fetch)
        rows, next_cursor = cut(found, page, lambda task: (task.call_back.id,))
        link_next(request, response, next_cursor)
        return Page(items=[CallBackView.of(task) for task in rows], next_cursor=next_cursor)

    @routes.get("/{callback_id}", response_model=CallBackFileView)
    async def get_callback(callback_id: str, response: Response, _: Reader) -> CallBackFileView:
        """Give a call-back with its script, its attempts, and what the customer said."""
        file = await calling.open_task(desk, callback_id)
        response.headers["ETag"] = etag_of(file.task.case.version)
        return CallBackFileView.opened(file.task, file.words, desk.documents.script)


def _add_calls(routes: APIRouter, desk: Desk) -> None:
    @routes.post("/{callback_id}/attempts", response_model=CallBackView, dependencies=[TAKES_KEY])
    async def attempt(
        callback_id: str,
        body: AttemptBody,
        request: Request,
        principal: Writer,
        if_match: IfMatch = None,
    ) -> Response:
        """Note a call and its result; after so many that reached nobody the call-back ends."""
        task = await calling.find_task(desk, callback_id)

        def made(uow: UnitOfWork) -> Call:
            return body.to_call(callback_id, by=principal.id, now=uow.now)

        return await _answered(desk, request, task, made, if_match)

    @routes.post("/{callback_id}/answers", response_model=CallBackView, dependencies=[TAKES_KEY])
    async def answers(
        callback_id: str,
        body: AnswersBody,
        request: Request,
        principal: Writer,
        if_match: IfMatch = None,
    ) -> Response:
        """Enter what the customer said in the call: it is their satisfaction, as by the survey."""
        task = await calling.find_task(desk, callback_id)

        def made(uow: UnitOfWork) -> Call:
            return body.to_call(callback_id, by=principal.id, now=uow.now)

        return await _answered(desk, request, task, made, if_match)


async def _answered(
    desk: Desk,
    request: Request,
    task: Task,
    made: Callable[[UnitOfWork], Call],
    if_match: str | None,
) -> Response:
    if_version, asked = version_named(if_match), task.call_back.id

    async def once(uow: UnitOfWork) -> Answer:
        case = await calling.call(desk, uow, task.case.id, made(uow), if_version=if_version)
        now = next(one for one in case.call_backs if one.id == asked)
        view = CallBackView.of(Task(case, now)).model_dump_json().encode()
        return Answer(200, view, {"ETag": etag_of(case.version)})

    return await answer_once(request, desk.messaging.unit_of_work, once)
