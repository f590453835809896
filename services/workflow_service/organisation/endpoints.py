"""`/v1/internal/workflow/people`: who may be told about a case, and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends

from services.workflow_service.organisation.domain.people import Organisation
from services.workflow_service.organisation.schemas import PeopleAnswer, PersonView
from shared.http.auth import Principal, Scope, requires


def internal_router(organisation: Callable[[], Organisation]) -> APIRouter:
    """Make the path by which notification asks for people."""
    routes = APIRouter(prefix="/v1/internal/workflow", tags=["internal"])

    @routes.get("/people", response_model=PeopleAnswer)
    async def people(_: Annotated[Principal, Depends(requires(Scope.SERVICE))]) -> PeopleAnswer:
        """List everybody in the organisation."""
        return PeopleAnswer(
            items=[PersonView(**person.model_dump()) for person in organisation().people]
        )

    return routes
