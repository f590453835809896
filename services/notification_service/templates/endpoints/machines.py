"""`/v1/templates`: read, edit, try and activate wordings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Header, Request, Response

from services.notification_service.templates.domain import language
from services.notification_service.templates.domain.language import BLOCKS, is_for_staff
from services.notification_service.templates.domain.samples import samples_of
from services.notification_service.templates.domain.scene import BUILT_IN
from services.notification_service.templates.repository import Template
from services.notification_service.templates.schemas import (
    ActivateBody,
    AnyVersion,
    DraftBody,
    PreviewBody,
    PreviewView,
    SceneBody,
    SmsView,
    TemplateDetail,
    TemplateList,
    TemplateView,
    TestSendBody,
    TrialView,
    VersionList,
    VersionView,
)
from services.notification_service.templates.service.editing import TemplateDesk, Version
from services.notification_service.templates.service.trying import (
    Trials,
    Wanted,
    checked_address,
)
from shared.events.words import Audience
from shared.http.auth import Principal, Scope, requires
from shared.http.documents import version_named
from shared.http.idempotency import REPLAYED, TAKES_KEY, Answer, answer_once
from shared.http.pagination import Page, Paging, cut, link_next
from shared.http.query import KNOWN_QUERY
from shared.kernel.errors import Forbidden
from shared.messaging import Messaging, UnitOfWork

Reader = Annotated[Principal, Depends(requires(Scope.NOTIFICATIONS_READ))]
Writer = Annotated[Principal, Depends(requires(Scope.TEMPLATES_WRITE))]
Tester = Annotated[Principal, Depends(requires(Scope.TEMPLATES_TEST))]
IfMatch = Annotated[str | None, Header(description="ETag of the version read")]


@dataclass(frozen=True, slots=True)
class Room:
    """What the paths work with."""

    desk: TemplateDesk
    trials: Trials
    messaging: Messaging


def router(room: Room) -> APIRouter:
    """Make the paths."""
    routes = APIRouter(prefix="/v1/templates", tags=["templates"], dependencies=[KNOWN_QUERY])
    _add_reading(routes, room)
    _add_editing(routes, room)
    _add_trying(routes, room)
    return routes


def _add_reading(routes: APIRouter, room: Room) -> None:
    @routes.get("")
    async def list_templates(_: Reader) -> TemplateList:
        """List every wording with the version that speaks and the length of its SMS."""
        found = await room.desk.all()
        return TemplateList(items=[TemplateView(**_shown(room, one)) for one in found])

    @routes.get("/trials")
    async def list_trials(
        request: Request, response: Response, page: Paging, _: Reader
    ) -> Page[TrialView]:
        """List the messages that were sent to try wordings, the newest first."""
        rows, next_cursor = cut(await room.trials.page(page), page, lambda row: (row.id,))
        link_next(request, response, next_cursor)
        return Page[TrialView](items=[TrialView.of(row) for row in rows], next_cursor=next_cursor)

    @routes.get("/{kind}/{locale}")
    async def get_template(kind: str, locale: str, response: Response, _: Reader) -> TemplateDetail:
        """Give one wording, and what may be used in it. The ETag is its latest version."""
        found = await room.desk.one(kind, locale)
        response.headers["ETag"] = f'"{found.latest}"'
        return _detail(room, found)

    @routes.get("/{kind}/{locale}/versions")
    async def list_versions(kind: str, locale: str, _: Reader) -> VersionList:
        """List every version, the newest first, that of the project last."""
        found = await room.desk.one(kind, locale)
        own = [VersionView.of(one) for one in found.versions]
        return VersionList(items=[*own, VersionView.built_in(found)])


def _add_editing(routes: APIRouter, room: Room) -> None:
    @routes.put("/{kind}/{locale}")
    async def put_template(  # noqa: PLR0917 - FastAPI reads the request from them
        kind: str,
        locale: str,
        body: DraftBody,
        response: Response,
        principal: Writer,
        if_match: IfMatch = None,
    ) -> VersionView:
        """Keep a draft as the next version; it speaks once it is activated."""
        saved = await room.desk.save(
            kind, locale, body.source, by=principal.id, if_version=version_named(if_match)
        )
        response.headers["ETag"] = f'"{saved.version}"'
        return VersionView.of(saved)

    @routes.post("/{kind}/{locale}/activate")
    async def activate(
        kind: str, locale: str, body: ActivateBody, response: Response, principal: Writer
    ) -> TemplateDetail:
        """Let a version speak; refused with every reason where it would read badly."""
        version = _number(body.version)
        found = await room.desk.activate(kind, locale, version, by=principal.id)
        response.headers["ETag"] = f'"{found.latest}"'
        return _detail(room, found)


def _add_trying(routes: APIRouter, room: Room) -> None:
    @routes.post("/{kind}/{locale}/preview")
    async def preview(kind: str, locale: str, body: PreviewBody, principal: Reader) -> PreviewView:
        """Show both messages of a version or of a source, and what keeps it from speaking."""
        wanted = await _wanted(room, kind, locale, body, principal)
        return PreviewView.of(await room.trials.preview(wanted))

    @routes.post("/{kind}/{locale}/test-send", response_model=TrialView, dependencies=[TAKES_KEY])
    async def send_test(
        kind: str, locale: str, body: TestSendBody, request: Request, principal: Tester
    ) -> Response:
        """Send a version to an address of one's own, marked as a test; at most 20 an hour."""
        address = checked_address(body.channel, body.address)
        wanted = await _wanted(room, kind, locale, body, principal)
        written = await room.trials.write(wanted, body.channel)

        async def once(uow: UnitOfWork) -> Answer:
            trial = await room.trials.begin(uow, wanted, body.channel, address, principal.id)
            return Answer(200, TrialView.of(trial).model_dump_json().encode())

        answered = await answer_once(request, room.messaging.unit_of_work, once)
        trial_id = str(orjson.loads(answered.body)["id"])
        if REPLAYED not in answered.headers:
            # After the row is committed and outside of its transaction: a gateway takes seconds.
            trial = await room.trials.trial(trial_id)
            await room.trials.send(trial, address, written)
        told = TrialView.of(await room.trials.trial(trial_id)).model_dump_json().encode()
        return Answer(200, told).to_response(replayed=REPLAYED in answered.headers)


async def _wanted(
    room: Room, kind: str, locale: str, body: SceneBody, principal: Principal
) -> Wanted:
    if body.complaint_id is not None and not principal.may(Scope.PII_READ):
        raise Forbidden(
            "A real complaint shows what a person wrote: the scope pii:read is missing."
        )
    found = await room.desk.one(kind, locale)
    newest: Version = found.latest or None
    return Wanted(
        kind=kind,
        locale=found.locale,
        version=newest if body.version is None else _number(body.version),
        source=body.source if isinstance(body, PreviewBody) else None,
        complaint_id=body.complaint_id,
        sample=body.sample,
    )


def _number(version: AnyVersion) -> Version:
    return None if version == BUILT_IN else int(version)


def _shown(room: Room, template: Template) -> dict[str, Any]:
    active = template.active
    kind, locale = template.kind, template.locale
    return {
        "kind": kind,
        "locale": locale,
        "audience": Audience.STAFF if is_for_staff(kind) else Audience.CUSTOMER,
        "active": active.version if active else BUILT_IN,
        "latest": template.latest or BUILT_IN,
        "differs_from_built_in": template.source != template.built_in,
        "built_in_changed": template.built_in_changed,
        "sms": SmsView.of(room.desk.typical_sms(template)),
    }


def _detail(room: Room, template: Template) -> TemplateDetail:
    newest = template.versions[0].source if template.versions else template.built_in
    return TemplateDetail(
        **_shown(room, template),
        source=template.source,
        latest_source=newest,
        built_in_source=template.built_in,
        blocks=list(BLOCKS),
        variables=sorted(language.VARIABLES),
        filters=sorted(language.FILTERS),
        functions=sorted(language.FUNCTIONS),
        samples=[one.name for one in samples_of(template.kind, template.locale)],
    )
