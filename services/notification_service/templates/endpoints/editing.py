"""`/templates`: the wordings as a person edits them, with a preview beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.notification_service.templates.domain.language import Fault, fault
from services.notification_service.templates.domain.samples import samples_of
from services.notification_service.templates.domain.scene import BUILT_IN
from services.notification_service.templates.domain.sms import SmsLength, measure
from services.notification_service.templates.domain.trials import Preview
from services.notification_service.templates.endpoints.machines import Room
from services.notification_service.templates.repository import Template
from services.notification_service.templates.service.editing import BadWording
from services.notification_service.templates.service.faults import FaultWords
from services.notification_service.templates.service.trying import Wanted
from shared.http.auth import Scope, principal_of
from shared.kernel.errors import Forbidden, InvalidInput, NotFound, PreconditionFailed
from shared.web.pages import Pages, is_form_token

FOLDER = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class _Typed:
    """What stands in the form, and what is wrong with it."""

    source: str
    sample: str
    faults: Sequence[Fault] = ()
    stale: bool = False


def pages_router(room: Room, pages: Pages) -> APIRouter:
    """Make the pages."""
    routes = APIRouter(include_in_schema=False)

    async def page(request: Request, found: Template, typed: _Typed) -> HTMLResponse:
        language = pages.language(request)
        words = FaultWords(partial(pages.gettext, language))
        shown, why = await _preview(room, found, typed)
        faults = typed.faults or why or (shown.faults if shown else ())
        return pages.render(
            request,
            "templates/one.html",
            status=412 if typed.stale else 422 if typed.faults else 200,
            template=found,
            typed=typed,
            shown=shown,
            length=_length(shown),
            faults=[words.of(one) for one in faults],
            samples=[
                (one.name, words.scene(one.name)) for one in samples_of(found.kind, found.locale)
            ],
            built_in=BUILT_IN,
            saved="saved" in request.query_params,
            activated="activated" in request.query_params,
        )

    @routes.get("/templates", response_class=HTMLResponse)
    async def list_all(request: Request) -> HTMLResponse:
        """List every wording."""
        principal_of(request, Scope.NOTIFICATIONS_READ)
        found = await room.desk.all()
        rows = [(one, measure(room.desk.typical_sms(one))) for one in found]
        return pages.render(request, "templates/all.html", rows=rows, built_in=BUILT_IN)

    @routes.get("/templates/{kind}/{locale}", response_class=HTMLResponse)
    async def show(request: Request, kind: str, locale: str) -> HTMLResponse:
        """Show one wording: its text, its versions, and how it reads."""
        principal_of(request, Scope.NOTIFICATIONS_READ)
        found = await room.desk.one(kind, locale)
        source = found.versions[0].source if found.versions else found.built_in
        return await page(request, found, _Typed(source, ""))

    @routes.post("/templates/{kind}/{locale}", response_class=HTMLResponse)
    async def change(request: Request, kind: str, locale: str) -> Response:
        """Preview, save or activate, as the pressed button says."""
        form = _form(await request.body())
        # What is only looked at changes nothing; the rest is for who may, from our own page.
        scope = Scope.TEMPLATES_WRITE if form.get("do") != "preview" else Scope.NOTIFICATIONS_READ
        by = principal_of(request, scope).id
        if not is_form_token(request, form.get("form_token", "")):
            raise Forbidden("The page was open for too long: go back, load it again and repeat.")
        found = await room.desk.one(kind, locale)
        typed = _Typed(form.get("source", ""), form.get("sample", ""))
        try:
            done = await _do(room, found, form, by)
        except InvalidInput as wrong:
            return await page(request, found, _Typed(typed.source, typed.sample, _faults(wrong)))
        except PreconditionFailed as late:
            found = await room.desk.one(kind, locale)
            said = [fault("stale", "%(reason)s", reason=late.detail)]
            stale = _Typed(typed.source, typed.sample, said, stale=True)
            return await page(request, found, stale)
        if done is None:
            return await page(request, found, typed)
        return RedirectResponse(f"/templates/{found.kind}/{found.locale}?{done}=1", 303)

    return routes


async def _do(room: Room, found: Template, form: Mapping[str, str], by: str) -> str | None:
    """Do what the pressed button says; returns what was done, None for a preview."""
    kind, locale, do = found.kind, found.locale, form.get("do", "")
    if do == "save":
        latest = form.get("latest", "")
        if_version = int(latest) if latest.isdecimal() and len(latest) < 7 else None
        await room.desk.save(kind, locale, form.get("source", ""), by=by, if_version=if_version)
        return "saved"
    if do.startswith("activate "):
        version = do.removeprefix("activate ")
        if version != BUILT_IN and not (version.isdecimal() and len(version) < 7):
            raise NotFound("There is no such version of this template.")
        number = None if version == BUILT_IN else int(version)
        await room.desk.activate(kind, locale, number, by=by)
        return "activated"
    return None


async def _preview(
    room: Room, found: Template, typed: _Typed
) -> tuple[Preview | None, Sequence[Fault]]:
    wanted = Wanted(found.kind, found.locale, source=typed.source, sample=typed.sample or None)
    try:
        return await room.trials.preview(wanted), ()
    except InvalidInput as wrong:
        return None, _faults(wrong)


def _faults(wrong: InvalidInput) -> Sequence[Fault]:
    if isinstance(wrong, BadWording):
        return wrong.faults
    details = [error.detail for error in wrong.errors] or [wrong.detail]
    return [fault("other", "%(reason)s", reason=detail) for detail in details]


def _length(shown: Preview | None) -> SmsLength | None:
    return measure(shown.sms.text) if shown else None


def _form(body: bytes) -> dict[str, str]:
    """Read the fields that a browser sent; line ends come as CR LF."""
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1].replace("\r\n", "\n") for name, values in fields.items()}
