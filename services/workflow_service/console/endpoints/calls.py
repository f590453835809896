"""`/callbacks` and `/callbacks/{id}`: who is to be called, and the form of one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from services.workflow_service.cases.domain.call_back import CallBackState
from services.workflow_service.cases.domain.satisfaction import CallBackOver
from services.workflow_service.cases.repository.calling import CallBackFilter
from services.workflow_service.cases.schemas.calling import AnswersBody, AttemptBody
from services.workflow_service.cases.service import calling
from services.workflow_service.cases.service.desk import Desk
from services.workflow_service.console.schemas import People
from shared.http.auth import Scope, principal_of
from shared.http.invalid import from_validation
from shared.kernel.errors import Forbidden, InvalidInput, PreconditionFailed
from shared.web.pages import Pages, is_form_token

SHOWN = 100
_FORMS: Mapping[str, type[AnswersBody] | type[AttemptBody]] = {
    "answers": AnswersBody,
    "attempts": AttemptBody,
}


@dataclass(frozen=True, slots=True)
class _Sent:
    """What was typed into a form, and what is wrong with it by field."""

    form: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    stale: bool = False


def router(desk: Desk, pages: Pages) -> APIRouter:
    """Make the pages."""
    routes = APIRouter(include_in_schema=False)
    _add_list(routes, desk, pages)
    _add_form(routes, desk, pages)
    return routes


def _add_list(routes: APIRouter, desk: Desk, pages: Pages) -> None:
    @routes.get("/callbacks", response_class=HTMLResponse)
    async def to_call(
        request: Request, owner: Annotated[str, Query(max_length=64)] = ""
    ) -> HTMLResponse:
        """List the customers to be called, who has waited longest on top."""
        principal_of(request, Scope.CASES_READ)
        wanted = CallBackFilter([CallBackState.OPEN.value], [owner] if owner else [])
        found = await calling.list_tasks(desk, wanted, limit=SHOWN + 1)
        return pages.render(
            request,
            "console/calls.html",
            tasks=found[:SHOWN],
            more=len(found) > SHOWN,
            owner=owner,
            people=People(desk.rules.organisation),
        )


def _add_form(routes: APIRouter, desk: Desk, pages: Pages) -> None:
    async def page(
        request: Request, call_back: str, sent: _Sent, *, status: int = 200
    ) -> HTMLResponse:
        file = await calling.open_task(desk, call_back)
        script = desk.documents.script.about(file.task.case.number)
        return pages.render(
            request,
            "console/call.html",
            status=status,
            case=file.task.case,
            task=file.task.call_back,
            words=file.words,
            script={"zh-CN": script.zh, "en": script.en},
            sent=sent,
            people=People(desk.rules.organisation),
            saved=not sent.form and "saved" in request.query_params,
        )

    @routes.get("/callbacks/{callback_id}", response_class=HTMLResponse)
    async def one_call(request: Request, callback_id: str) -> HTMLResponse:
        """Show a call-back: script, what was tried, and the forms."""
        principal_of(request, Scope.CASES_READ)
        return await page(request, callback_id, _Sent())

    @routes.post("/callbacks/{callback_id}/{form}", response_class=HTMLResponse)
    async def enter(request: Request, callback_id: str, form: str) -> Response:
        """Take what came of a call, then show the call-back anew."""
        principal = principal_of(request, Scope.CASES_WRITE)
        model = _FORMS.get(form)
        task = await calling.find_task(desk, callback_id)
        typed = _fields(await request.body())
        if model is None or not is_form_token(request, typed.get("form_token", "")):
            raise Forbidden("The page was too old; go back, load it again and send it there.")
        try:
            body = _read(model, typed, desk.zone)
            async with desk.messaging.unit_of_work() as uow:
                made = body.to_call(callback_id, by=principal.id, now=uow.now)
                version = _version(typed)
                await calling.call(desk, uow, task.case.id, made, if_version=version)
        except InvalidInput as refused:
            wrong = {error.pointer.rpartition("/")[2]: error.code for error in refused.errors}
            return await page(request, callback_id, _Sent(form, typed, wrong), status=422)
        except (CallBackOver, PreconditionFailed) as refused:
            status = 412 if isinstance(refused, PreconditionFailed) else 409
            sent = _Sent(form, typed, stale=True)
            return await page(request, callback_id, sent, status=status)
        return RedirectResponse(f"/callbacks/{callback_id}?saved=1", 303)


def _read(
    model: type[AnswersBody] | type[AttemptBody], typed: Mapping[str, str], zone: tzinfo
) -> AnswersBody | AttemptBody:
    """Read a form; raises InvalidInput. A time without zone is the company's."""
    names = set(model.model_fields) & {"score", "text", "result", "note", "call_again_at"}
    given = {name: typed[name] for name in names if typed.get(name, "").strip()}
    if "call_again_at" in given:
        given["call_again_at"] = _in_zone(given["call_again_at"], zone)
    try:
        return model.model_validate(given)
    except ValidationError as wrong:
        raise from_validation(wrong, model=model) from None


def _in_zone(text: str, zone: tzinfo) -> str:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).isoformat()
    except ValueError:
        return text


def _version(typed: Mapping[str, str]) -> int | None:
    version = typed.get("version", "")
    return int(version) if version.isdecimal() and version.isascii() else None


def _fields(body: bytes) -> dict[str, str]:
    """Read what was sent; a browser sends line ends as CR LF."""
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1].replace("\r\n", "\n") for name, values in fields.items()}
