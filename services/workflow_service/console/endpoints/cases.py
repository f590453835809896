"""`/cases` and `/cases/{number}`: what is due next, and one case with its clocks in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from services.workflow_service.cases.repository.reading import CaseFilter
from services.workflow_service.cases.service import reading
from services.workflow_service.cases.service.answers import AnswerReader
from services.workflow_service.cases.service.desk import Desk
from services.workflow_service.cases.service.explaining import (
    Explained,
    explained,
    promises_in_words,
)
from services.workflow_service.cases.service.matter import matter_of
from services.workflow_service.console.schemas import People, due_first, told
from shared.events.words import ClockState
from shared.http.auth import Scope, principal_of
from shared.web.pages import Pages

FOLDER = Path(__file__).parent.parent
SHOWN = 100
"""So many cases stand on a page; who has more due at once needs people, not a second page."""

WORDS_SHOWN = 20
"""Of so many complaints that were merged into a case the words stand on its page, the newest."""

_ORDER = {ClockState.BREACHED: 0, ClockState.RUNNING: 1, ClockState.PAUSED: 2}


def router(desk: Desk, pages: Pages, answers: AnswerReader) -> APIRouter:
    """Make the pages."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/cases", response_class=HTMLResponse)
    async def queue(
        request: Request,
        owner: Annotated[str, Query(max_length=64)] = "",
        department: Annotated[str, Query(max_length=64)] = "",
        overdue: bool = False,
    ) -> HTMLResponse:
        """List open cases, the one that is due first on top."""
        principal_of(request, Scope.CASES_READ)
        wanted = CaseFilter(
            owners=[owner] if owner else [],
            departments=[department] if department else [],
            overdue=True if overdue else None,
        )
        found = await reading.list_due(desk, wanted, limit=SHOWN + 1)
        return pages.render(
            request,
            "console/queue.html",
            cases=[(case, due_first(case, desk.rules)) for case in found[:SHOWN]],
            more=len(found) > SHOWN,
            owner=owner,
            department=department,
            overdue=overdue,
            nothing_asked=not (owner or department or overdue),
            people=People(desk.rules.organisation),
        )

    @routes.get("/cases/{case_id}", response_class=HTMLResponse)
    async def one_case(request: Request, case_id: str) -> HTMLResponse:
        """Show a case: its clocks in words, its promises and its history."""
        principal = principal_of(request, Scope.CASES_READ)
        case = await reading.find(desk, case_id)
        file = await reading.open_file(desk, case.id)
        await desk.ensure_loaded([file.case])
        matter, reads = await matter_of(desk, file), principal.may(Scope.COMPLAINTS_READ)
        # What was merged has no page of its own that anybody works on: its words stand here.
        merged = [one for one in matter.repeats if one.merged_into][-WORDS_SHOWN:] if reads else []
        laid_open, people = explained(desk, file.case), People(desk.rules.organisation)
        return pages.render(
            request,
            "console/case.html",
            case=file.case,
            first=due_first(file.case, desk.rules),
            open_clocks=_most_pressing(one for one in laid_open if one.clock.is_open),
            ended_clocks=[one for one in laid_open if not one.clock.is_open],
            promises=await promises_in_words(desk, file.case),
            answers=await answers.of(file.case),
            told=await answers.told(file.case) if reads else None,
            matter=matter,
            repeated=await answers.told_in(merged),
            history=[told(line, file.words, people, desk.rules) for line in file.history[::-1]],
            people=people,
        )

    return routes


def _most_pressing(found: Iterable[Explained]) -> Sequence[Explained]:
    """Order open clocks: the missed ones, then what is due first, then what stands still."""
    return sorted(
        found,
        key=lambda one: (_ORDER[one.clock.state], one.clock.due_at or one.clock.started_at),
    )
