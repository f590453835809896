"""`POST /v1/complaints`: the hot path."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from services.intake_service.complaints.endpoints.bodies import Rules, read_body
from services.intake_service.complaints.endpoints.rendering import received_out
from services.intake_service.complaints.schemas.answer import Links, ReceivedOut
from services.intake_service.complaints.schemas.request import ComplaintIn
from services.intake_service.complaints.service import Recorder
from services.intake_service.complaints.service.planning import Accepted, Replayed
from services.intake_service.complaints.service.reading import Reader
from shared.http.auth import Scope, principal_of
from shared.http.idempotency import Running, read_key
from shared.http.raw import RawRoute, described_by


def router(recorder: Recorder, reader: Reader, *, rules: Rules, links: Links) -> APIRouter:
    """Make the route."""
    running = Running()

    async def receive(request: Request) -> Response:
        principal_of(request, Scope.COMPLAINTS_WRITE)
        new = (await read_body(request, ComplaintIn, rules.now())).to_new()
        key = await read_key(request)
        async with running.claim(key) if key else nullcontext():
            outcome = await recorder.record(new, key=key)
        if isinstance(outcome, Accepted):
            return outcome.answer.to_response()
        if isinstance(outcome, Replayed):
            return outcome.answer.to_response(replayed=True)
        existing = received_out(await reader.read(outcome.complaint_id), links)
        return Response(
            existing.model_dump_json(),
            200,
            headers={"Location": f"/v1/complaints/{existing.id}"},
            media_type="application/json",
        )

    made = APIRouter(tags=["complaints"])
    made.add_api_route(
        "/v1/complaints",
        described_by(receive_complaint, receive),
        methods=["POST"],
        status_code=201,
        response_model=ReceivedOut,
        responses={
            200: {
                "model": ReceivedOut,
                "description": "The complaint that stands under this `source` already",
            }
        },
        route_class_override=RawRoute,
    )
    return made


async def receive_complaint(
    body: ComplaintIn, idempotency_key: Annotated[str | None, Header(max_length=255)] = None
) -> ReceivedOut:
    """Record a complaint.

    Answers after it is stored for good, with its number, its classification and the customer's
    tracking link. A `source` that came before answers 200 with the complaint that exists; an
    `Idempotency-Key` that came before answers as it did then, with `Idempotency-Replayed: true`.
    """
    raise NotImplementedError("answered by the raw route")
