"""`/cases/{number}/draft`: what an agent writes to the customer, checked before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.workflow_service.cases.schemas.bodies import MAX_WORDS
from services.workflow_service.cases.service import reading
from services.workflow_service.cases.service.desk import Desk
from services.workflow_service.console.schemas import ToneVerdict
from services.workflow_service.console.service import ToneChecker
from shared.http.auth import Scope, principal_of
from shared.kernel.errors import Forbidden
from shared.web.pages import Pages, is_form_token

PURPOSES = (
    *("reply", "question", "progress", "delay", "proposal", "step"),
    *("resolution", "rejection"),
)
"""What staff write to customers, by the names that the tone check has for it."""

_BY_STEP: Mapping[str | None, str] = {
    "propose": "proposal",
    "carry_out": "step",
    "resolve": "resolution",
}


@dataclass(frozen=True, slots=True)
class _Draft:
    """What stands in the form, and what came of it; `wrong` is `blank` or `too_long`."""

    text: str = ""
    purpose: str = ""
    wrong: str = ""
    verdict: ToneVerdict | None = None
    unanswered: bool = False


def router(desk: Desk, pages: Pages, tone: ToneChecker) -> APIRouter:
    """Make the page."""
    routes = APIRouter(include_in_schema=False)

    async def page(
        request: Request, case_id: str, draft: _Draft, *, status: int = 200
    ) -> HTMLResponse:
        case = await reading.find(desk, case_id)
        step, _ = case.next_step()
        return pages.render(
            request,
            "console/draft.html",
            status=status,
            case=case,
            draft=draft,
            purpose=draft.purpose or _BY_STEP.get(step, "reply"),
        )

    @routes.get("/cases/{case_id}/draft", response_class=HTMLResponse)
    async def empty(request: Request, case_id: str) -> HTMLResponse:
        """Show the form."""
        principal_of(request, Scope.CASES_READ)
        return await page(request, case_id, _Draft())

    @routes.post("/cases/{case_id}/draft", response_class=HTMLResponse)
    async def check(request: Request, case_id: str) -> HTMLResponse:
        """Check what was typed and show it again with what was found; nothing is kept."""
        principal_of(request, Scope.CASES_READ)
        typed = _fields(await request.body())
        if not is_form_token(request, typed.get("form_token", "")):
            raise Forbidden("The page was too old; go back, load it again and send it there.")
        text, purpose = typed.get("text", ""), typed.get("purpose", "")
        known = purpose if purpose in PURPOSES else "reply"
        if wrong := _wrong(text):
            return await page(request, case_id, _Draft(text, known, wrong=wrong), status=422)
        lang = pages.language(request).tag
        verdict = await tone.check(text, purpose=known, lang=lang)
        draft = _Draft(text, known, verdict=verdict, unanswered=verdict is None)
        return await page(request, case_id, draft, status=503 if draft.unanswered else 200)

    return routes


def _wrong(text: str) -> str:
    if not text.strip():
        return "blank"
    return "too_long" if len(text) > MAX_WORDS else ""


def _fields(body: bytes) -> dict[str, str]:
    """Read what was sent; a browser sends line ends as CR LF."""
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1].replace("\r\n", "\n") for name, values in fields.items()}
