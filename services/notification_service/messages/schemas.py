"""What `/v1/notifications` answers."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.notification_service.messages.domain.words import About, State
from services.notification_service.messages.repository.listing import Listed
from shared.events.words import Audience, MessageChannel


class Subject(BaseModel):
    """What a message is about."""

    kind: About
    id: str


class Notification(BaseModel):
    """One message to one recipient about one fact; its words and address are not in it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01930b1c-7d7f-7a80-8000-4f2d1f6f0a11",
                "complaint_id": "01930b1c-7a10-7c33-9d0c-6f1b5a2e7c01",
                "about": {"kind": "complaint", "id": "01930b1c-7a10-7c33-9d0c-6f1b5a2e7c01"},
                "kind": "acknowledgement",
                "occurrence": 1,
                "channel": "sms",
                "audience": "customer",
                "state": "sent",
                "attempts": 1,
                "created_at": "2026-11-22T08:00:00.120000Z",
                "sent_at": "2026-11-22T08:00:00.410000Z",
                "reason": None,
                "next_attempt_at": None,
                "digest_id": None,
            }
        }
    )

    id: str
    complaint_id: str | None = Field(
        description="null where it is about no single complaint: see `about`"
    )
    about: Subject
    kind: str = Field(description="what it is about, such as acknowledgement or staff_breach")
    occurrence: int = Field(description="counts from 1 per kind and what it is about")
    channel: MessageChannel | None = Field(description="null until one is chosen")
    audience: Audience
    state: State = Field(
        description="`unknown`: it may have been accepted; sending again might double it"
    )
    attempts: int
    created_at: AwareDatetime
    sent_at: AwareDatetime | None
    reason: str | None = Field(
        description="why it was not sent, or waits: no_consent, no_address, superseded, expired, "
        "duplicate, disabled, quiet_hours, rate_limited, gathered …; else what the gateway said"
    )
    next_attempt_at: AwareDatetime | None = Field(
        description="when it is tried next; null unless it is queued"
    )
    digest_id: str | None = Field(
        description="the digest that it was sent in with others to the same member of staff"
    )

    @classmethod
    def of(cls, listed: Listed) -> Notification:
        """Return a message as machines see it."""
        fields = listed._asdict()
        subject = Subject(kind=About(fields.pop("about")), id=fields.pop("about_id"))
        of_complaint = subject.id if subject.kind is About.COMPLAINT else None
        return cls.model_validate(fields | {"complaint_id": of_complaint, "about": subject})
