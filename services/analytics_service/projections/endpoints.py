"""Commands to the projection; for operators, not in the public OpenAPI."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from services.analytics_service.projections.jobs import Folding
from services.analytics_service.projections.schemas import RebuildDone
from shared.http.auth import Scope, requires


def router(folding: Folding) -> APIRouter:
    """Make `/v1/internal/analytics/rebuild`."""
    routes = APIRouter(
        prefix="/v1/internal/analytics", dependencies=[Depends(requires(Scope.ADMIN))]
    )

    @routes.post("/rebuild")
    async def rebuild() -> RebuildDone:
        """Replay the log into a new file and swap it in; answers when it serves."""
        done = await folding.rebuild()
        return RebuildDone(events=done.events, facts=done.facts, took_seconds=done.seconds)

    return routes
