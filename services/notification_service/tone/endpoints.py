"""`/v1/tone-check`: whether a text is fit to be read by a customer."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from services.notification_service.tone.schemas import ToneCheckBody, ToneCheckView
from services.notification_service.tone.service import check
from shared.http.auth import Scope, requires
from shared.http.query import KNOWN_QUERY
from shared.web.i18n import accepted


def router() -> APIRouter:
    """Make the path."""
    routes = APIRouter(tags=["tone"], dependencies=[KNOWN_QUERY])

    # Not a coroutine: a long text is checked in a thread, beside what the service else does.
    @routes.post("/v1/tone-check", dependencies=[Depends(requires(Scope.CASES_READ))])
    def check_tone(request: Request, body: ToneCheckBody) -> ToneCheckView:
        """Check a reply or a template: phrases never to use, and what it owes its reader."""
        locale = body.locale or accepted(request.headers.get("accept-language", ""))
        return ToneCheckView.of(check(body.text, locale=locale, purpose=body.purpose))

    return routes


def internal_router() -> APIRouter:
    """Make the path by which workflow's pages ask."""
    routes = APIRouter(prefix="/v1/internal/notification", tags=["internal"])

    @routes.post("/tone-check", dependencies=[Depends(requires(Scope.SERVICE))])
    def check_tone(body: ToneCheckBody) -> ToneCheckView:
        """Check a text that somebody of the staff is writing."""
        return ToneCheckView.of(check(body.text, locale=body.locale, purpose=body.purpose))

    return routes
