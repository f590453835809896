"""What a customer sees of their complaint by the tracking link."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from services.intake_service.complaints.schemas.answer import PlaceOut, ReferencesOut


class MilestoneOut(BaseModel):
    """Something that happened, in the order of time."""

    kind: str
    at: datetime


class OwnAdditionOut(BaseModel):
    """What the customer added or put right."""

    kind: str
    text: str | None
    created_at: datetime


class PromiseOut(BaseModel):
    """What was promised, by when, and what became of it: open, kept, broken."""

    text: str | None
    due_at: datetime
    state: str


class StepOut(BaseModel):
    """What was carried out, and the number by which it can be followed."""

    text: str | None
    reference: str | None
    at: datetime


class EarlierOut(BaseModel):
    """The complaint that this one was added to, and how it stands where that is the customer's."""

    number: str
    status: str | None
    next_step: str | None
    next_due_at: datetime | None


class TrackOut(BaseModel):
    """A complaint as its customer sees it: how it stands, what comes next, the facts as recorded.

    `next_step` names a milestone; `timeline` has the newest first. `supervision_asked_at`: since
    when it lies with the supervisors because the customer asked for one. `question`: what we wait
    for from the customer, in words; `rejection_reason`: why we could not confirm the complaint.
    Both are null also for the moment in which the service that has the words does not answer, and
    `promises`, the first due first, and `steps`, the newest first, are empty.
    `timezone`: the IANA zone of the customer's clock, by which their messages tell times; null: the
    company's.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "number": "7K3F-9Q2M-X",
                "status": "assigned",
                "received_at": "2026-11-22T08:00:00Z",
                "next_step": "first_reply",
                "next_due_at": "2026-11-22T12:00:00Z",
                "timeline": [
                    {"kind": "opened", "at": "2026-11-22T08:00:01Z"},
                    {"kind": "received", "at": "2026-11-22T08:00:00Z"},
                ],
                "channel": "web",
                "category": "logistics.short",
                "category_label": "Delivery · Items missing",
                "description": "The order delivered on Wednesday was two items short.",
                "occurred_at": "2026-11-18T10:30:00Z",
                "references": {"order": "20261118-443", "contract": None, "product": "SKU-88"},
                "place": {"region": "CN-31", "latitude": None, "longitude": None},
                "people": [],
                "demands": ["re_send", "apology"],
                "additions": [],
                "supervision_asked_at": None,
                "question": None,
                "rejection_reason": None,
                "promises": [
                    {
                        "text": "We send the two items again.",
                        "due_at": "2026-11-25T08:00:00Z",
                        "state": "open",
                    }
                ],
                "steps": [],
                "merged_into": None,
                "timezone": "Asia/Shanghai",
            }
        }
    )

    number: str
    status: str
    received_at: datetime
    next_step: str | None
    next_due_at: datetime | None
    timeline: tuple[MilestoneOut, ...]
    channel: str
    category: str
    category_label: str
    description: str | None
    occurred_at: datetime | None
    references: ReferencesOut
    place: PlaceOut
    people: tuple[str, ...]
    demands: tuple[str, ...]
    additions: tuple[OwnAdditionOut, ...]
    supervision_asked_at: datetime | None
    question: str | None
    rejection_reason: str | None
    promises: tuple[PromiseOut, ...] = ()
    steps: tuple[StepOut, ...] = ()
    merged_into: EarlierOut | None
    timezone: str | None


class SupervisionOut(BaseModel):
    """Since when the complaint lies with the supervisors."""

    model_config = ConfigDict(json_schema_extra={"example": {"asked_at": "2026-11-22T09:10:00Z"}})

    asked_at: datetime
