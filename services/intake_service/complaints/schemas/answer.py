"""What senders get: bytes on the hot path, models for the description of the interface."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

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


def created_answer(draft: Draft, links: Links, *, repeat_of: str | None) -> Answer:
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
        "repeat_of": repeat_of,
    }
    return Answer(201, orjson.dumps(document), {"Location": f"/v1/complaints/{draft.id}"})


RECEIVED_EXAMPLE: JsonDict = {
    "id": "01936a3e-7c00-7d32-9f3a-5a0d6c1b2e4f",
    "number": "7K3F-9Q2M-X",
    "status": "received",
    "received_at": "2026-11-22T08:00:00Z",
    "classification": {
        "category": "logistics.short",
        "decided_by": "sender",
        "suggested_category": "logistics.short",
        "severity": "moderate",
        "urgency": "high",
        "priority": "P2",
        "motive": "compensation",
        "language": "zh",
        "reasons": [{"rule": "outward-threat", "evidence": "12315", "effect": "urgency high"}],
    },
    "tracking_url": "http://127.0.0.1:8000/track/5b0zR1sK9aQm3xVt7yLpWcNd2eFgHj4u",
    "repeat_of": None,
}
ADDITION_EXAMPLE: JsonDict = {
    "id": "01936a41-2b10-7c55-8e21-0c9b7a6d5e3f",
    "kind": "addition",
    "by": "customer",
    "fields": [],
    "text": "两件是蓝色的杯子。",
    "created_at": "2026-11-22T09:10:00Z",
}
COMPLAINT_EXAMPLE: JsonDict = RECEIVED_EXAMPLE | {
    "status": "assigned",
    "channel": "web",
    "source": {"system": "shop-front", "id": "A-1029"},
    "occurred_at": "2026-11-18T10:30:00Z",
    "customer": {
        "id": "01936a3e-7bff-7a11-b0c4-2f1e0d9c8b7a",
        "name": "王*",
        "phone": "138****8000",
        "email": "w***@example.com",
        "crm_id": "***77",
        "tier": "gold",
        "locale": "zh-CN",
        "anonymous": False,
    },
    "description": "周三收到的订单少了两件，客服一直推诿，再不处理我就打12315。",
    "references": {"order": "20261118-443", "contract": None, "product": "SKU-88"},
    "place": {"region": "CN-31", "latitude": 31.23, "longitude": 121.47},
    "people": ["客服 037"],
    "demands": ["re_send", "apology"],
    "imported": False,
    "additions": [ADDITION_EXAMPLE],
    "progress": {
        "state": "assigned",
        "next_step": "first_reply",
        "next_due_at": "2026-11-22T12:00:00Z",
        "updated_at": "2026-11-22T08:00:01Z",
    },
}


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
    """A complaint as it was recorded.

    `repeat_of` is the id of the customer's first complaint about the same matter.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [RECEIVED_EXAMPLE]})

    id: str
    number: str
    status: str
    received_at: datetime
    classification: ClassificationOut
    tracking_url: str | None
    repeat_of: str | None


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
    """Something that was added or put right; `objection`: the customer does not hold it settled.

    `supervision`: a supervisor was asked for.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [ADDITION_EXAMPLE]})

    id: str
    kind: Literal["addition", "correction", "objection", "supervision"]
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

    model_config = ConfigDict(json_schema_extra={"examples": [COMPLAINT_EXAMPLE]})

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
    additions: tuple[AdditionOut, ...]
    progress: ProgressOut | None
