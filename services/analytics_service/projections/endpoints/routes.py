"""Commands to the projection; for operators, not in the public OpenAPI."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from services.analytics_service.projections.endpoints.letters import ParkedLetters
from services.analytics_service.projections.jobs.folding import Folding
from services.analytics_service.projections.schemas import RebuildDone
from shared.http.auth import Scope, requires
from shared.http.dead_letters import dead_letter_router


def router(folding: Folding) -> APIRouter:
    """Make `/v1/internal/analytics/rebuild` and `…/dead-letters`."""
    routes = APIRouter(include_in_schema=False)

    @routes.post("/v1/internal/analytics/rebuild", dependencies=[Depends(requires(Scope.ADMIN))])
    async def rebuild() -> RebuildDone:
        """Replay the log into a new file and swap it in; answers when it serves."""
        done = await folding.rebuild()
        return RebuildDone(events=done.events, facts=done.facts, took_seconds=done.seconds)

    routes.include_router(dead_letter_router("analytics", ParkedLetters(folding)))
    return routes
