"""`/v1/customers/{customer_id}/preferences`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Response

from services.notification_service.preferences.domain.choices import Preferences
from services.notification_service.preferences.schemas import (
    PreferencesIn,
    PreferencesOut,
    preferences_out,
)
from services.notification_service.preferences.service import PreferenceBook, Seen
from shared.http.auth import Principal, Scope, requires
from shared.http.documents import version_named
from shared.http.query import KNOWN_QUERY

CustomerId = Annotated[
    str, Path(max_length=36, description="`customer_id` of ComplaintReceived; opaque")
]
Reader = Annotated[Principal, Depends(requires(Scope.COMPLAINTS_READ))]
Writer = Annotated[Principal, Depends(requires(Scope.COMPLAINTS_WRITE))]
IfMatch = Annotated[str | None, Header(description='ETag of the version read; `"0"`: none yet')]
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


def _answer(response: Response, seen: Seen) -> PreferencesOut:
    response.headers["ETag"] = f'"{seen.stored.version}"'
    return preferences_out(seen.stored, seen.changes)
