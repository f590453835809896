"""What senders get: bytes on the hot path, models for the description of the interface."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import orjson
from pydantic import BaseModel

from services.intake_service.complaints.domain.draft import Draft
from shared.http.idempotency import Answer
from shared.kernel.clock import to_rfc3339


@dataclass(frozen=True, slots=True)
class Links:
    """Makes the addresses that answers contain; `base_url` without a slash at its end."""

    base_url: str

    def tracking(self, token: str) -> str:
        """Return the address of a customer's tracking page."""
        return f"{self.base_url}/track/{token}"


def created_answer(draft: Draft, links: Links) -> Answer:
    """Build the 201 of a complaint that is recorded now."""
    graded = draft.classification
    document = {
        "id": draft.id,
        "number": draft.number,
        "status": "received",
        "received_at": to_rfc3339(draft.received_at),
        "classification": {
            "category": graded.category,
            "decided_by": graded.decided_by,
            "suggested_category": graded.suggested_category,
            "severity": graded.severity.value,
            "urgency": graded.urgency.value,
            "priority": graded.priority.value,
            "motive": graded.motive.value if graded.motive else None,
            "language": graded.language,
            "reasons": graded.reasons,
        },
        "tracking_url": links.tracking(draft.token),
    }
    return Answer(201, orjson.dumps(document), {"Location": f"/v1/complaints/{draft.id}"})


class ReasonOut(BaseModel):
    """Why the classification is as it is."""

    rule: str
    evidence: str
    effect: str


class ClassificationOut(BaseModel):
    """Category and grade. `decided_by` is sender, system or staff."""

    category: str
    decided_by: str
    suggested_category: str
    severity: str
    urgency: str
    priority: str
    motive: str | None
    language: str
    reasons: tuple[ReasonOut, ...]


class ReceivedOut(BaseModel):
    """A complaint as it was recorded."""

    id: str
    number: str
    status: str
    received_at: datetime
    classification: ClassificationOut
    tracking_url: str | None


class CustomerOut(BaseModel):
    """Who complains, masked unless revealed."""

    id: str
    name: str | None
    phone: str | None
    email: str | None
    crm_id: str | None
    tier: str
    locale: str
    anonymous: bool


class SourceOut(BaseModel):
    """Where the complaint stood before."""

    system: str
    id: str


class ReferencesOut(BaseModel):
    """The order, contract and product it is about."""

    order: str | None
    contract: str | None
    product: str | None


class PlaceOut(BaseModel):
    """Where it happened."""

    region: str | None
    latitude: float | None
    longitude: float | None


class AdditionOut(BaseModel):
    """Something that was added or put right."""

    id: str
    kind: Literal["addition", "correction"]
    by: Literal["customer", "staff"]
    fields: tuple[str, ...]
    text: str | None
    created_at: datetime


class ProgressOut(BaseModel):
    """How the case stands, as soon as it is open."""

    state: str
    next_step: str | None
    next_due_at: datetime | None
    updated_at: datetime


class ComplaintOut(ReceivedOut):
    """A complaint with everything that is known of it."""

    channel: str
    source: SourceOut | None
    occurred_at: datetime | None
    customer: CustomerOut
    description: str | None
    references: ReferencesOut
    place: PlaceOut
    people: tuple[str, ...]
    demands: tuple[str, ...]
    imported: bool
    repeat_of: str | None
    additions: tuple[AdditionOut, ...]
    progress: ProgressOut | None
