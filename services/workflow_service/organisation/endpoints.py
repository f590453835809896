"""`/v1/organisation`: departments, people, who is there and on duty; and whom to tell, and how."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends

from services.workflow_service.organisation.domain.people import Organisation
from services.workflow_service.organisation.schemas import (
    OrganisationView,
    PeopleAnswer,
    organisation_view,
    person_view,
)
from shared.http.auth import Principal, Scope, requires


def router(organisation: Callable[[], Organisation], *, now: Callable[[], datetime]) -> APIRouter:
    """Make the path by which pages and CRM systems show who does what."""
    routes = APIRouter(prefix="/v1/organisation", tags=["organisation"])

    @routes.get("", response_model=OrganisationView)
    async def show_organisation(
        who: Annotated[Principal, Depends(requires(Scope.CASES_READ))],
    ) -> OrganisationView:
        """List departments and people, with who is there and who is on duty at this moment.

        How to reach people is told to those with the scope `pii:read` only.
        """
        return organisation_view(organisation(), at=now(), reveal=who.may(Scope.PII_READ))

    return routes


def internal_router(organisation: Callable[[], Organisation]) -> APIRouter:
    """Make the path by which notification asks for people."""
    routes = APIRouter(prefix="/v1/internal/workflow", tags=["internal"])

    @routes.get("/people", response_model=PeopleAnswer)
    async def people(_: Annotated[Principal, Depends(requires(Scope.SERVICE))]) -> PeopleAnswer:
        """List everybody in the organisation."""
        return PeopleAnswer(items=[person_view(person) for person in organisation().people])

    return routes
