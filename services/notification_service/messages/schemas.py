"""What `/v1/notifications` answers."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.notification_service.messages.domain.words import State
from shared.events.words import Audience, MessageChannel


class Notification(BaseModel):
    """One message to one recipient about one fact; its words and address are not in it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01930b1c-7d7f-7a80-8000-4f2d1f6f0a11",
                "complaint_id": "01930b1c-7a10-7c33-9d0c-6f1b5a2e7c01",
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
    complaint_id: str
    kind: str = Field(description="what it is about, such as acknowledgement or staff_breach")
    occurrence: int = Field(description="counts from 1 per complaint and kind")
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
