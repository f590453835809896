"""`/answer/{token}`: a proposal, and the customer's answer to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from fastapi import Path as PathPart
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.workflow_service.answering.schemas import AnswerLink
from services.workflow_service.answering.service import Answers, TrackingLinks
from services.workflow_service.cases.schemas.bodies import MAX_WORDS
from shared.http.auth import Principal, Scope, requires
from shared.kernel.errors import InvalidInput
from shared.web.clocks import CustomerClocks
from shared.web.pages import Pages

FOLDER = Path(__file__).parent
Token = Annotated[str, PathPart(max_length=64)]

# The address is the key: no search engine may keep it, no cache share it, no page get it told.
_PRIVATE = {
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


def router(
    answers: Answers, pages: Pages, tracking: TrackingLinks, clocks: CustomerClocks
) -> APIRouter:
    """Make the customer's page."""
    routes = APIRouter(include_in_schema=False)

    async def page(
        request: Request, token: str, errors: Mapping[str, str], typed: Mapping[str, str]
    ) -> HTMLResponse:
        proposal = await answers.look(token)
        tracking_url, zone = await asyncio.gather(
            tracking.of(proposal.complaint_id), clocks.of(proposal.customer_id, proposal.region)
        )
        return pages.render(
            request,
            "answering/answer.html",
            status=422 if errors else 200,
            headers=_PRIVATE,
            zone=zone,
            proposal=proposal,
            tracking_url=tracking_url,
            picked=typed.get("option") or request.query_params.get("option", ""),
            typed=typed,
            errors=errors,
            answered="done" in request.query_params,
        )

    @routes.get("/answer/{token}", response_class=HTMLResponse)
    async def show(request: Request, token: Token) -> HTMLResponse:
        """Show a proposal and how it stands; nothing is done by looking."""
        return await page(request, token, {}, {})

    @routes.post("/answer/{token}", response_class=HTMLResponse)
    async def answer(request: Request, token: Token) -> Response:
        """Take the customer's answer, once, then show how the proposal stands."""
        typed = _form(await request.body())
        wrong = await _taken(answers, token, typed)
        if wrong:
            return await page(request, token, wrong, typed)
        return RedirectResponse(f"/answer/{token}?done=1", 303, headers=_PRIVATE)

    return routes


def internal_router(answers: Answers) -> APIRouter:
    """Make the path by which the tracking page finds the way here."""
    routes = APIRouter(prefix="/v1/internal/workflow", tags=["internal"])

    @routes.get("/answer-links/{complaint_id}", response_model=AnswerLink)
    async def answer_link(
        complaint_id: str, _: Annotated[Principal, Depends(requires(Scope.SERVICE))]
    ) -> AnswerLink:
        """Give the address of a complaint's last proposal."""
        return AnswerLink(url=await answers.link(complaint_id))

    return routes


async def _taken(answers: Answers, token: str, typed: Mapping[str, str]) -> Mapping[str, str]:
    """Do what a form says; returns which field is wrong, and how, where nothing was done."""
    text = typed.get("why", "").strip()
    if "decline" in typed:
        if not text or len(text) > MAX_WORDS:
            await answers.look(token)
            return {"why": "too_long" if text else "blank"}
        await answers.decline(token, text)
        return {}
    try:
        await answers.accept(token, typed.get("option", ""))
    except InvalidInput:
        return {"option": "none"}
    return {}


def _form(body: bytes) -> dict[str, str]:
    """Read the fields that a browser sent; line ends come as CR LF."""
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1].replace("\r\n", "\n") for name, values in fields.items()}
