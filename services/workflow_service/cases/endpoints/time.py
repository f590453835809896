"""`/v1/cases/{id}/clocks` and `…/promises`: why a due time is what it is, and dated commitments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Change
from services.workflow_service.cases.domain.extensions import Extension, extend_clock
from services.workflow_service.cases.domain.promises import (
    Commitment,
    Delay,
    delay_promise,
    keep_promise,
    make_promise,
)
from services.workflow_service.cases.endpoints.naming import etag_of, id_of
from services.workflow_service.cases.schemas.clocks import (
    ClocksAnswer,
    DelayBody,
    ExplainedClock,
    ExtensionBody,
    KeptBody,
    PromiseBody,
    PromisesAnswer,
    PromiseView,
    promise_of,
)
from services.workflow_service.cases.schemas.views import CaseView
from services.workflow_service.cases.service import reading
from services.workflow_service.cases.service.acting import change_case
from services.workflow_service.cases.service.desk import Desk
from services.workflow_service.cases.service.explaining import explained, promises_in_words
from shared.http.auth import Principal, Scope, requires
from shared.http.documents import version_named
from shared.http.idempotency import TAKES_KEY, Answer, answer_once
from shared.http.query import KNOWN_QUERY
from shared.kernel.ids import new_id
from shared.messaging import UnitOfWork

Reader = Annotated[Principal, Depends(requires(Scope.CASES_READ))]
Writer = Annotated[Principal, Depends(requires(Scope.CASES_WRITE))]
IfMatch = Annotated[str | None, Header(description="ETag of the version read")]
Made = Callable[[Case, datetime], Change]


def router(desk: Desk) -> APIRouter:
    """Make the paths of time."""
    routes = APIRouter(prefix="/v1/cases", tags=["cases"], dependencies=[KNOWN_QUERY])
    _add_clocks(routes, desk)
    _add_promises(routes, desk)
    _add_outcomes(routes, desk)
    _add_extensions(routes, desk)
    return routes


def _add_clocks(routes: APIRouter, desk: Desk) -> None:
    @routes.get("/{case_id}/clocks", response_model=ClocksAnswer)
    async def list_clocks(case_id: str, _: Reader) -> ClocksAnswer:
        """Lay every clock of a case open: target, segments, pauses, changes, and why, in words."""
        case = await reading.find(desk, await id_of(desk, case_id))
        await desk.ensure_loaded([case])
        return ClocksAnswer(
            items=[
                ExplainedClock.of(one.clock, one.explanation, name=one.name, business=one.business)
                for one in explained(desk, case)
            ]
        )

    @routes.get("/{case_id}/promises", response_model=PromisesAnswer)
    async def list_promises(case_id: str, _: Reader) -> PromisesAnswer:
        """List what was promised to the customer, and what became of it."""
        case = await reading.find(desk, await id_of(desk, case_id))
        told = await promises_in_words(desk, case)
        return PromisesAnswer(items=[PromiseView.of(promise, text) for promise, text in told])


def _add_promises(routes: APIRouter, desk: Desk) -> None:
    @routes.post(
        "/{case_id}/promises", response_model=PromiseView, status_code=201, dependencies=[TAKES_KEY]
    )
    async def promise(
        case_id: str,
        body: PromiseBody,
        request: Request,
        principal: Writer,
        if_match: IfMatch = None,
    ) -> Response:
        """Promise the customer something by a time; its clock warns the owner, and them in time."""
        known_id, promise_id = await id_of(desk, case_id), new_id()

        def made(case: Case, now: datetime) -> Change:
            commitment = Commitment(
                id=promise_id,
                words_id=new_id(),
                text=body.text,
                by=principal.id,
                at=now,
                due_at=body.due_at,
                owner=body.owner,
            )
            return make_promise(case, commitment, now=now, rules=desk.rules)

        return await _answered(desk, request, known_id, made, if_match, promise_id, new=body.text)


def _add_outcomes(routes: APIRouter, desk: Desk) -> None:
    @routes.post(
        "/{case_id}/promises/{promise_id}/kept",
        response_model=PromiseView,
        dependencies=[TAKES_KEY],
    )
    async def kept(  # noqa: PLR0917 - FastAPI reads the request from them
        case_id: str,
        promise_id: str,
        request: Request,
        principal: Writer,
        body: KeptBody | None = None,
        if_match: IfMatch = None,
    ) -> Response:
        """Note that a promise was kept."""
        known_id, sent = await id_of(desk, case_id), body or KeptBody()

        def made(case: Case, now: datetime) -> Change:
            at = sent.occurred_at or now
            return keep_promise(case, promise_id, by=principal.id, at=at, now=now, rules=desk.rules)

        return await _answered(desk, request, known_id, made, if_match, promise_id)

    @routes.post(
        "/{case_id}/promises/{promise_id}/delayed",
        response_model=PromiseView,
        dependencies=[TAKES_KEY],
    )
    async def delayed(  # noqa: PLR0917 - FastAPI reads the request from them
        case_id: str,
        promise_id: str,
        body: DelayBody,
        request: Request,
        principal: Writer,
        if_match: IfMatch = None,
    ) -> Response:
        """Give the customer a new time before the promised one has passed."""
        known_id = await id_of(desk, case_id)

        def made(case: Case, now: datetime) -> Change:
            delay = Delay(promise_id, body.due_at, body.reason, new_id(), principal.id)
            return delay_promise(case, delay, now=now, rules=desk.rules)

        return await _answered(desk, request, known_id, made, if_match, promise_id)


def _add_extensions(routes: APIRouter, desk: Desk) -> None:
    @routes.post("/{case_id}/extensions", response_model=CaseView, dependencies=[TAKES_KEY])
    async def extend(
        case_id: str,
        body: ExtensionBody,
        request: Request,
        principal: Writer,
        if_match: IfMatch = None,
    ) -> Response:
        """Give a running clock more time, with the authority that its policy or rule asks for."""
        known_id, if_version = await id_of(desk, case_id), version_named(if_match)
        asked = Extension(
            clock=body.clock,
            until=body.until.replace(microsecond=0),
            reason=body.reason,
            reason_id=new_id(),
            by=principal.id,
            roles=frozenset(role.value for role in principal.roles),
            overrules=principal.may(Scope.ADMIN),
        )

        def made(case: Case, now: datetime) -> Change:
            return extend_clock(case, asked, now=now, rules=desk.rules)

        async def once(uow: UnitOfWork) -> Answer:
            case = await change_case(desk, uow, known_id, made, if_version=if_version)
            view = CaseView.of(case).model_dump_json().encode()
            return Answer(200, view, {"ETag": etag_of(case.version)})

        return await answer_once(request, desk.messaging.unit_of_work, once)


async def _answered(  # noqa: PLR0917 - one row of the three paths above
    desk: Desk,
    request: Request,
    case_id: str,
    made: Made,
    if_match: str | None,
    promise_id: str,
    *,
    new: str | None = None,
) -> Response:
    if_version = version_named(if_match)

    async def once(uow: UnitOfWork) -> Answer:
        case = await change_case(desk, uow, case_id, made, if_version=if_version)
        view = promise_of(case, promise_id, new).model_dump_json().encode()
        return Answer(200 if new is None else 201, view, {"ETag": etag_of(case.version)})

    return await answer_once(request, desk.messaging.unit_of_work, once)
