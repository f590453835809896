"""The customer's page: five choices and a field, on a phone without scripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from services.notification_service.recipients.service import Directory
from services.notification_service.surveys.domain.survey import (
    AlreadyAnswered,
    Survey,
    SurveyExpired,
    SurveyState,
)
from services.notification_service.surveys.endpoints.machines import PRIVATE, Token
from services.notification_service.surveys.schemas import SurveyIn
from services.notification_service.surveys.service import SurveyBook
from shared.http.invalid import from_validation
from shared.kernel.errors import Unavailable
from shared.web.i18n import match
from shared.web.pages import Pages

LOW = 2
"""From here down the page says that we are sorry, and offers the way up."""


@dataclass(frozen=True, slots=True)
class _Typed:
    """What the customer chose and wrote, and what is wrong with it by field."""

    score: str = ""
    text: str = ""
    wants_call: bool = False
    wrong: dict[str, str] = field(default_factory=dict)


def router(book: SurveyBook, pages: Pages, directory: Directory) -> APIRouter:
    """Make the page."""
    routes = APIRouter(include_in_schema=False)

    async def page(
        request: Request, survey: Survey, typed: _Typed, *, status: int = 200, refused: bool = False
    ) -> HTMLResponse:
        state = book.state(survey)
        return pages.render(
            request,
            "survey.html",
            status=410 if state is SurveyState.EXPIRED else status,
            headers=PRIVATE,
            spoken=match(survey.language),
            zone=await book.zone(survey),
            survey=survey,
            state=state.value,
            typed=typed,
            refused=refused,
            low=LOW,
            tracking_url=None if state is SurveyState.OPEN else await _tracking(directory, survey),
        )

    @routes.get("/survey/{token}", response_class=HTMLResponse)
    async def survey_page(request: Request, token: Token, score: str = "") -> HTMLResponse:
        """Show the survey. A tapped score is only chosen: scanners of mail follow links too."""
        return await page(request, await book.look(token), _Typed(score=score))

    @routes.post("/survey/{token}", response_class=HTMLResponse)
    async def answer_from_page(request: Request, token: Token) -> Response:
        """Record the answer, then show that it was recorded."""
        typed = _form(await request.body())
        try:
            said = _read(typed)
        except ValidationError as wrong:
            found = from_validation(wrong, model=SurveyIn).errors
            codes = {error.pointer.rpartition("/")[2]: error.code for error in found}
            asked = _Typed(typed.score, typed.text, typed.wants_call, codes)
            return await page(request, await book.look(token), asked, status=422)
        try:
            await book.answer(token, said.to_answer())
        except AlreadyAnswered:
            return await page(request, await book.look(token), typed, status=409, refused=True)
        except SurveyExpired:
            return await page(request, await book.look(token), typed)
        return RedirectResponse(f"/survey/{token}", 303, headers=PRIVATE)

    return routes


def _read(typed: _Typed) -> SurveyIn:
    given: dict[str, object] = {"text": typed.text, "wants_call": typed.wants_call}
    return SurveyIn.model_validate(given | ({"score": typed.score} if typed.score else {}))


async def _tracking(directory: Directory, survey: Survey) -> str | None:
    """Return where the customer goes on; the page does without while intake is away."""
    try:
        found = await directory.contacts([survey.complaint_id])
    except Unavailable:
        return None
    contact = found.get(survey.complaint_id)
    return contact.tracking_url if contact else None


def _form(body: bytes) -> _Typed:
    """Read what was sent; a browser sends line ends as CR LF."""
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return _Typed(
        score=fields.get("score", [""])[-1],
        text=fields.get("text", [""])[-1].replace("\r\n", "\n"),
        wants_call="wants_call" in fields,
    )
