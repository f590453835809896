"""Add to a complaint, put it right, overrule its classification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from services.intake_service.complaints.endpoints.bodies import Rules, read_body
from services.intake_service.complaints.endpoints.reading import Reference
from services.intake_service.complaints.endpoints.rendering import complaint_out
from services.intake_service.complaints.schemas.answer import AdditionOut, ComplaintOut, Links
from services.intake_service.complaints.schemas.request import AdditionIn, ClassificationIn
from services.intake_service.complaints.service.amending import (
    Grader,
    NewAddition,
    Overruling,
    amend,
    regrade,
)
from services.intake_service.complaints.service.reading import Reader
from services.intake_service.customers.service import KeyRing
from shared.http.auth import Scope, principal_of
from shared.http.idempotency import Answer, answer_once
from shared.http.raw import RawRoute, described_by
from shared.messaging import Messaging, UnitOfWork


@dataclass(frozen=True, slots=True)
class AmendingTools:
    """What amending stands on."""

    messaging: Messaging
    reader: Reader
    keys: KeyRing
    grader: Grader
    rules: Rules
    links: Links


def additions_router(tools: AmendingTools) -> APIRouter:
    """Make the route of additions."""

    async def receive(request: Request) -> Response:
        who = principal_of(request, Scope.COMPLAINTS_WRITE)
        body = await read_body(request, AdditionIn, tools.rules.now())
        complaint_id = await tools.reader.find_id(request.path_params["reference"])
        new = NewAddition(body.text, body.by, body.kind, body.fields, author=who.id)

        async def act(uow: UnitOfWork) -> Answer:
            stored = await amend(uow, tools.keys, tools.grader, complaint_id, new)
            answer = AdditionOut(
                id=stored.id,
                kind=new.kind,
                by=new.by,
                fields=tuple(new.fields),
                text=new.text,
                created_at=stored.created_at,
            )
            location = {"Location": f"/v1/complaints/{complaint_id}"}
            return Answer(201, answer.model_dump_json().encode(), location)

        return await answer_once(request, tools.messaging.unit_of_work, act)

    made = APIRouter(tags=["complaints"])
    made.add_api_route(
        "/v1/complaints/{reference}/additions",
        described_by(add_to_complaint, receive),
        methods=["POST"],
        status_code=201,
        response_model=AdditionOut,
        route_class_override=RawRoute,
    )
    return made


def classification_router(tools: AmendingTools) -> APIRouter:
    """Make the route of overruling."""

    async def receive(request: Request) -> Response:
        who = principal_of(request, Scope.COMPLAINTS_WRITE)
        body = await read_body(request, ClassificationIn, tools.rules.now())
        complaint_id = await tools.reader.find_id(request.path_params["reference"])
        decided = Overruling(
            by=body.by or who.id,
            why=body.why,
            category=body.category,
            severity=body.severity,
            urgency=body.urgency,
        )

        async def act(uow: UnitOfWork) -> Answer:
            await regrade(uow, tools.keys, tools.grader, complaint_id, decided)
            found = await tools.reader.read_within(uow.connection, complaint_id)
            changed = complaint_out(found, tools.links, reveal=False)
            return Answer(200, changed.model_dump_json().encode())

        return await answer_once(request, tools.messaging.unit_of_work, act)

    made = APIRouter(tags=["complaints"])
    made.add_api_route(
        "/v1/complaints/{reference}/classification",
        described_by(classify_complaint, receive),
        methods=["POST"],
        response_model=ComplaintOut,
        route_class_override=RawRoute,
    )
    return made


async def add_to_complaint(
    reference: Reference,
    body: AdditionIn,
    idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
) -> AdditionOut:
    """Add something to a complaint, or put right what was recorded; what was said stays."""
    raise NotImplementedError("answered by the raw route")


async def classify_complaint(
    reference: Reference,
    body: ClassificationIn,
    idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
) -> ComplaintOut:
    """Overrule category, severity or urgency; priority follows. Who and why is kept."""
    raise NotImplementedError("answered by the raw route")
