"""`/v1/customers/{customer_id}/preferences`, and the customer's own page `/preferences/{token}`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from pydantic import ValidationError

from services.notification_service.preferences.domain.choices import Preferences
from services.notification_service.preferences.domain.form import FIELDS, form_of, read_form
from services.notification_service.preferences.repository.zones import zone_names
from services.notification_service.preferences.schemas import (
    ChosenZone,
    PreferencesIn,
    PreferencesOut,
    preferences_out,
)
from services.notification_service.preferences.service import OwnPreferences, PreferenceBook, Seen
from shared.http.auth import Principal, Scope, requires
from shared.http.documents import version_named
from shared.http.invalid import from_validation
from shared.http.query import KNOWN_QUERY
from shared.web.pages import Pages

CustomerId = Annotated[
    str, Path(max_length=36, description="`customer_id` of ComplaintReceived; opaque")
]
Reader = Annotated[Principal, Depends(requires(Scope.COMPLAINTS_READ))]
Writer = Annotated[Principal, Depends(requires(Scope.COMPLAINTS_WRITE))]
IfMatch = Annotated[str | None, Header(description='ETag of the version read; `"0"`: none yet')]
Token = Annotated[str, Path(max_length=64, description="The last part of the tracking link")]
# The address is the key: no search engine may keep it, no cache share it.
_PRIVATE = {"X-Robots-Tag": "noindex, nofollow", "Cache-Control": "no-store"}
_PATH = "/v1/customers/{customer_id}/preferences"


def router(book: PreferenceBook) -> APIRouter:
    """Make the paths for machines."""
    routes = APIRouter(tags=["preferences"], dependencies=[KNOWN_QUERY])

    @routes.get(_PATH)
    async def get_preferences(
        customer_id: CustomerId, response: Response, _: Reader
    ) -> PreferencesOut:
        """Tell how a customer wishes to be written to, and who chose that when."""
        return _answer(response, await book.read(customer_id))

    @routes.put(_PATH)
    async def put_preferences(
        customer_id: CustomerId,
        body: PreferencesIn,
        response: Response,
        principal: Writer,
        if_match: IfMatch = None,
    ) -> PreferencesOut:
        """Write all of a customer's preferences; what waits to be sent goes by them at once."""
        chosen = Preferences.model_validate(body.model_dump(by_alias=True))
        seen = await book.put(
            customer_id, chosen, by=principal.id, if_version=version_named(if_match)
        )
        return _answer(response, seen)

    return routes


def internal_router(book: PreferenceBook) -> APIRouter:
    """Make the path by which the tracking page learns whose clock its reader goes by."""
    routes = APIRouter(prefix="/v1/internal/notification", tags=["internal"])

    @routes.get("/zones/{customer_id}")
    async def zone(
        customer_id: CustomerId, _: Annotated[Principal, Depends(requires(Scope.SERVICE))]
    ) -> ChosenZone:
        """Tell which time zone a customer chose; null for none, also for one never heard of."""
        return ChosenZone(timezone=await book.zone(customer_id))

    return routes


def _answer(response: Response, seen: Seen) -> PreferencesOut:
    response.headers["ETag"] = f'"{seen.stored.version}"'
    return preferences_out(seen.stored, seen.changes)


def own_router(own: OwnPreferences, pages: Pages) -> APIRouter:
    """Make the customer's own page, and the door of mail programs' unsubscribe button."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/preferences/{token}", response_class=HTMLResponse)
    async def show(request: Request, token: Token) -> HTMLResponse:
        """Show how the customer is written to."""
        values = form_of((await own.look(token)).stored.chosen)
        return page(request, token, values, saved="saved" in request.query_params)

    @routes.post("/preferences/{token}", response_class=HTMLResponse)
    async def save(request: Request, token: Token) -> Response:
        """Take the form, then show the page anew; or unsubscribe by RFC 8058, at one click."""
        fields = _form(await request.body())
        if fields.get("List-Unsubscribe") == "One-Click":
            await own.unsubscribe(token)
            return PlainTextResponse("unsubscribed\n", headers=_PRIVATE)
        try:
            await own.change(token, lambda present: read_form(fields, present))
        except ValidationError as wrong:
            invalid = from_validation(wrong, model=Preferences)
            names = {error.pointer.rpartition("/")[2] for error in invalid.errors}
            return page(request, token, fields, wrong=names)
        return RedirectResponse(f"/preferences/{token}?saved=1", 303, headers=_PRIVATE)

    def page(
        request: Request,
        token: str,
        values: Mapping[str, str],
        *,
        wrong: Collection[str] = (),
        saved: bool = False,
    ) -> HTMLResponse:
        return pages.render(
            request,
            "preferences.html",
            status=422 if wrong else 200,
            headers=_PRIVATE,
            values=dict.fromkeys(FIELDS, "") | dict(values),
            wrong=wrong,
            zones=zone_names(pages.language(request).tag, values.get("timezone", "")),
            saved=saved,
            tracking=f"/track/{token}",
        )

    return routes


def _form(body: bytes) -> dict[str, str]:
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}
