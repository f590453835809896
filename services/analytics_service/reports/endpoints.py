"""`/v1/analytics/facts.parquet`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from services.analytics_service.metrics.schemas import Question
from services.analytics_service.reports.service import Reports
from shared.http.auth import Scope, requires

PARQUET = "application/vnd.apache.parquet"


def router(reports: Reports) -> APIRouter:
    """Make the paths of what analysts take away."""
    routes = APIRouter(
        prefix="/v1/analytics",
        tags=["analytics"],
        dependencies=[Depends(requires(Scope.ANALYTICS_READ))],
    )

    @routes.get(
        "/facts.parquet", response_class=FileResponse, responses={200: {"content": {PARQUET: {}}}}
    )
    async def facts_parquet(question: Annotated[Question, Query()]) -> FileResponse:
        """Give the fact rows, one per complaint, without personal data."""
        path = await reports.parquet(question)
        return FileResponse(
            path,
            media_type=PARQUET,
            filename="facts.parquet",
            background=BackgroundTask(path.unlink, missing_ok=True),
        )

    return routes
