"""`/v1/reply-scripts` and `/v1/letters/preview`: what to say, ready to be made one's own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from services.notification_service.scripts.domain.book import script_of, topic_of
from services.notification_service.scripts.repository import book_in
from services.notification_service.scripts.schemas import (
    LetterBody,
    LetterView,
    ScriptParts,
    ScriptView,
)
from services.notification_service.scripts.service import Secretary
from services.notification_service.tone.domain.words import Locale
from shared.events.words import Motive
from shared.http.auth import Scope, requires
from shared.http.query import KNOWN_QUERY
from shared.web.i18n import accepted


def router(secretary: Secretary) -> APIRouter:
    """Make the paths."""
    routes = APIRouter(tags=["tone"], dependencies=[KNOWN_QUERY])

    @routes.get("/v1/reply-scripts", dependencies=[Depends(requires(Scope.CASES_READ))])
    async def reply_script(
        request: Request,
        category: Annotated[str, Query(min_length=1, max_length=100)],
        motive: Motive | None = None,
        locale: Locale | None = None,
    ) -> ScriptView:
        """Give the sentences for a kind of complaint and what the customer seeks.

        A category without words of its own has those of `other`; the language is Accept-Language's
        where none is asked for, else Chinese.
        """
        language = locale or accepted(request.headers.get("accept-language", "")) or "zh-CN"
        book, topic = book_in(language), topic_of(category)
        return ScriptView(
            topic=topic,
            motive=motive,
            locale=language,
            parts=ScriptParts(**script_of(book, topic, motive)),
            thing=book.topics[topic].thing,
        )

    @routes.post(
        "/v1/letters/preview",
        dependencies=[Depends(requires(Scope.CASES_READ)), Depends(requires(Scope.PII_READ))],
    )
    async def preview_letter(body: LetterBody) -> LetterView:
        """Write a reply or a letter of apology or thanks with the facts of a case.

        Nothing is sent or kept; the tone check tells what is still wrong or owed.
        """
        return LetterView.of(body.kind, await secretary.draft(body.asked()))

    return routes
