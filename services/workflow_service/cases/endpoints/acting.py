"""`/v1/cases`: look at cases and act on them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BeforeValidator, StringConstraints

from services.workflow_service.cases.domain.lifecycle import Action
from services.workflow_service.cases.domain.telling import reference_of
from services.workflow_service.cases.endpoints.naming import etag_of, id_of
from services.workflow_service.cases.repository.reading import CaseFilter
from services.workflow_service.cases.schemas.bodies import BODIES, ActionBody, to_command
from services.workflow_service.cases.schemas.views import CaseFileView, CaseView, case_file_view
from services.workflow_service.cases.schemas.words import (
    OtherCase,
    PromiseTold,
    StepTold,
    TellingAnswer,
    WordsAnswer,
    WordsRequest,
    words_view,
)
from services.workflow_service.cases.service import reading
from services.workflow_service.cases.service.acting import act
from services.workflow_service.cases.service.answer_links import AnswerLinks
from services.workflow_service.cases.service.desk import Desk
from services.workflow_service.cases.service.telling import Telling, telling_of
from shared.events.words import CaseState, Priority
from shared.http.auth import Principal, Scope, requires
from shared.http.documents import version_named
from shared.http.idempotency import TAKES_KEY, Answer, answer_once
from shared.http.pagination import Page, Paging, cut, link_next
from shared.http.query import KNOWN_QUERY
from shared.kernel.ids import new_id
from shared.messaging import UnitOfWork


def without_blanks(values: object) -> object:
    """Take `?state=` for no filter, as a form sends it."""
    return [value for value in values if value != ""] if isinstance(values, list) else values


def _blank_as_none(value: object) -> object:
    return None if value == "" else value


Name = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00]*$")]
Names = Annotated[list[Name], BeforeValidator(without_blanks), Query()]
States = Annotated[list[CaseState], BeforeValidator(without_blanks), Query()]
Priorities = Annotated[list[Priority], BeforeValidator(without_blanks), Query()]


class _People(NamedTuple):
    owners: list[str]
    departments: list[str]
    approvers: list[str]


def _people(
    owner: Names = [],  # noqa: B006 - FastAPI never hands out the default itself
    department: Names = [],  # noqa: B006
    approver: Names = [],  # noqa: B006
) -> _People:
    return _People(owner, department, approver)


def _wanted(
    *,
    people: Annotated[_People, Depends(_people)],
    state: States = [],  # noqa: B006
    priority: Priorities = [],  # noqa: B006
    overdue: Annotated[bool | None, BeforeValidator(_blank_as_none)] = None,
    complaint_id: Annotated[Name | None, BeforeValidator(_blank_as_none)] = None,
    watched: Annotated[bool | None, BeforeValidator(_blank_as_none)] = None,
) -> CaseFilter:
    return CaseFilter(
        states=[value.value for value in state],
        owners=people.owners,
        departments=people.departments,
        approvers=people.approvers,
        priorities=[value.value for value in priority],
        complaint_id=complaint_id,
        overdue=overdue,
        watched=watched,
    )


Wanted = Annotated[CaseFilter, Depends(_wanted)]
Reader = Annotated[Principal, Depends(requires(Scope.CASES_READ))]
Writer = Annotated[Principal, Depends(requires(Scope.CASES_WRITE))]


def router(desk: Desk) -> APIRouter:
    """Make the public paths."""
    routes = APIRouter(prefix="/v1/cases", tags=["cases"], dependencies=[KNOWN_QUERY])
    _add_list(routes, desk)
    _add_single(routes, desk)
    for action in Action:
        routes.add_api_route(
            f"/{{case_id}}/{action.value}",
            _action_endpoint(desk, action),
            methods=["POST"],
            response_model=CaseView,
            name=action.name.lower(),
            dependencies=[TAKES_KEY],
            summary=action.value.replace("-", " ").capitalize(),
        )
    return routes


def _add_list(routes: APIRouter, desk: Desk) -> None:
    @routes.get("", response_model=Page[CaseView])
    async def list_cases(
        request: Request,
        response: Response,
        page: Paging,
        _: Reader,
        wanted: Wanted,
    ) -> Page[CaseView]:
        """List cases, the newest first; values of one filter are alternatives."""
        before_id = str(page.after[0]) if page.after else None
        found = await reading.list_cases(desk, wanted, before_id=before_id, limit=page.fetch)
        rows, next_cursor = cut(found, page, lambda case: (case.id,))
        link_next(request, response, next_cursor)
        return Page(items=[CaseView.of(case) for case in rows], next_cursor=next_cursor)


def _add_single(routes: APIRouter, desk: Desk) -> None:
    @routes.get("/{case_id}", response_model=CaseFileView)
    async def get_case(case_id: str, response: Response, _: Reader) -> CaseFileView:
        """Give a case by id or number, with its history."""
        file = await reading.open_file(desk, await id_of(desk, case_id))
        response.headers["ETag"] = etag_of(file.case.version)
        return case_file_view(file.case, list(file.history), file.words)


def _action_endpoint(desk: Desk, action: Action) -> Callable[..., Awaitable[Response]]:
    model = BODIES[action]

    async def endpoint(
        case_id: str,
        request: Request,
        principal: Writer,
        body: ActionBody | None = None,
        if_match: Annotated[str | None, Header(description="ETag of the version read")] = None,
    ) -> Response:
        sent = body if body is not None else model()
        if_version = version_named(if_match)
        known_id = await id_of(desk, case_id)

        async def once(uow: UnitOfWork) -> Answer:
            command = to_command(
                action, sent, by=principal.id, now=uow.now, words_id=new_id(), note_id=new_id()
            )
            command = replace(
                command,
                roles=frozenset(role.value for role in principal.roles),
                overrules=principal.may(Scope.ADMIN),
            )
            case = await act(desk, uow, known_id, command, if_version=if_version)
            view = CaseView.of(case).model_dump_json().encode()
            return Answer(200, view, {"ETag": etag_of(case.version)})

        return await answer_once(request, desk.messaging.unit_of_work, once)

    # Each action has its own body in the contract; one that needs nothing may come without any.
    needed = any(field.is_required() for field in model.model_fields.values())
    endpoint.__annotations__["body"] = model if needed else model | None
    if needed:
        endpoint.__defaults__ = (..., None)
    endpoint.__doc__ = model.__doc__
    return endpoint


def internal_router(desk: Desk, links: AnswerLinks) -> APIRouter:
    """Make the paths by which notification and the tracking page ask for words."""
    routes = APIRouter(prefix="/v1/internal/workflow", tags=["internal"])

    @routes.post("/words", response_model=WordsAnswer)
    async def words(
        body: WordsRequest, _: Annotated[Principal, Depends(requires(Scope.SERVICE))]
    ) -> WordsAnswer:
        """Give words by id."""
        found = await reading.words_by_id(desk, body.ids)
        return WordsAnswer(items=[words_view(spoken, links.url) for spoken in found])

    @routes.get("/telling/{complaint_id}", response_model=TellingAnswer)
    async def telling(
        complaint_id: str, _: Annotated[Principal, Depends(requires(Scope.SERVICE))]
    ) -> TellingAnswer:
        """Give what the customer of a complaint is to read of its case now."""
        return _telling_answer(await telling_of(desk, complaint_id))

    return routes


def _telling_answer(telling: Telling) -> TellingAnswer:
    """Show what a customer is to read of their case."""
    root = telling.merged_into
    return TellingAnswer(
        question=telling.question,
        rejection=telling.rejection,
        merged_into=OtherCase(complaint_id=root.id, number=root.number) if root else None,
        promises=[
            PromiseTold(text=text, due_at=promise.due_at, state=promise.state)
            for promise, text in telling.promises
        ],
        steps=[
            StepTold(text=text, reference=reference_of(step), at=step.at)
            for step, text in telling.steps
        ],
    )
