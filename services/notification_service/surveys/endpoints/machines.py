"""`/v1/surveys`: a survey by its token, the list for staff, and the words for other services."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.notification_service.surveys.schemas import (
    AnswersAsked,
    AnswersOut,
    SurveyIn,
    SurveyListed,
    SurveyOut,
    answer_out,
)
from services.notification_service.surveys.service import SurveyBook
from shared.http.access import Scope
from shared.http.auth import Principal, requires
from shared.http.pagination import Page, Paging, cut, link_next
from shared.http.query import KNOWN_QUERY

Token = Annotated[str, Path(max_length=64, description="The last part of the survey's link")]
PRIVATE = {"X-Robots-Tag": "noindex, nofollow", "Cache-Control": "no-store"}
"""The address is the key: no search engine may keep it, no cache share it."""


def router(book: SurveyBook) -> APIRouter:
    """Make the paths for machines."""
    routes = APIRouter(tags=["surveys"], dependencies=[KNOWN_QUERY])

    @routes.get(
        "/v1/surveys",
        response_model=Page[SurveyListed],
        dependencies=[Depends(requires(Scope.NOTIFICATIONS_READ))],
    )
    async def list_surveys(
        request: Request,
        response: Response,
        page: Paging,
        complaint_id: Annotated[str | None, Query(max_length=36)] = None,
    ) -> Page[SurveyListed]:
        """List surveys, the newest first; the customers' words are not in it."""
        before = str(page.after[0]) if page.after else None
        found = await book.page(complaint_id=complaint_id, before=before, limit=page.fetch)
        rows, next_cursor = cut(found, page, lambda survey: (survey.id,))
        link_next(request, response, next_cursor)
        items = [SurveyListed.of(survey, book.state(survey)) for survey in rows]
        return Page[SurveyListed](items=items, next_cursor=next_cursor)

    @routes.get("/v1/surveys/{token}")
    async def get_survey(token: Token, response: Response) -> SurveyOut:
        """Tell how the survey of a link stands; looking records nothing."""
        survey = await book.look(token)
        response.headers.update(PRIVATE)
        return SurveyOut.of(survey, book.state(survey))

    @routes.post("/v1/surveys/{token}")
    async def answer_survey(token: Token, body: SurveyIn, response: Response) -> SurveyOut:
        """Record the answer, once: the same again is answered in the same way, another refused."""
        survey = await book.answer(token, body.to_answer())
        response.headers.update(PRIVATE)
        return SurveyOut.of(survey, book.state(survey))

    return routes


def internal_router(book: SurveyBook) -> APIRouter:
    """Make the path by which workflow asks for the words."""
    routes = APIRouter(prefix="/v1/internal/notification", tags=["internal"])

    @routes.post("/survey-answers")
    async def survey_answers(
        body: AnswersAsked, _: Annotated[Principal, Depends(requires(Scope.SERVICE))]
    ) -> AnswersOut:
        """Give what customers said, in their words."""
        found = await book.answered(body.complaint_ids)
        return AnswersOut(items=[answer_out(survey) for survey in found])

    return routes
