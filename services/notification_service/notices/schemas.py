"""What `/v1/notices` answers."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.notification_service.messages.domain.words import State
from services.notification_service.notices.domain.proof import Proof
from services.notification_service.notices.repository import HandOver, Notice
from shared.events.words import MessageChannel


class ReceiptOut(BaseModel):
    """The receipt of a hand-over."""

    id: str
    arrival: str = Field(description="delivered or undelivered")
    code: str | None = Field(description="the gateway's word for why")
    happened_at: AwareDatetime | None = Field(description="by the gateway's clock")
    received_at: AwareDatetime


class HandOverOut(BaseModel):
    """One time that a gateway took the message."""

    channel: str
    to: str | None = Field(description="the address, masked")
    gateway: str
    reference: str | None = Field(description="the gateway's own name for the message")
    handed_over_at: AwareDatetime
    digest: str | None = Field(
        description="SHA-256 of the words in UTF-8; an e-mail's subject and an empty line first"
    )
    template: str | None = Field(description="the version of the wording")
    receipt_due_at: AwareDatetime | None = Field(description="null: this one sends no receipts")
    receipt_missing: bool
    receipt: ReceiptOut | None


class DecisionOut(BaseModel):
    """What an operator decided about it."""

    action: str
    was: str
    by: str
    at: AwareDatetime


class NoticeOut(BaseModel):
    """What proves that the customer was told one fact; the words themselves are not in it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01930b1c-7d7f-7a80-8000-4f2d1f6f0a11",
                "complaint_id": "01930b1c-7a10-7c33-9d0c-6f1b5a2e7c01",
                "kind": "acknowledgement",
                "occurrence": 1,
                "mandatory": True,
                "proof": "delivered",
                "state": "delivered",
                "channel": "sms",
                "to": "138****8000",
                "planned_at": "2026-11-22T08:00:00.120000Z",
                "sent_at": "2026-11-22T08:00:00.410000Z",
                "delivered_at": "2026-11-22T08:00:05Z",
                "reason": None,
                "template_version": "built-in",
                "hand_overs": [
                    {
                        "channel": "sms",
                        "to": "138****8000",
                        "gateway": "aliyun",
                        "reference": "900619746936498440^0",
                        "handed_over_at": "2026-11-22T08:00:00.410000Z",
                        "digest": "9f86d081884c7d659a2feaa0c55ad015"
                        "a3bf4f1b2b0b822cd15d6c15b0f00a08",
                        "template": "built-in",
                        "receipt_due_at": "2026-11-22T08:30:00.410000Z",
                        "receipt_missing": False,
                        "receipt": {
                            "id": "01930b1c-9b21-7d10-8c33-2b1f0c9d8e7f",
                            "arrival": "delivered",
                            "code": "DELIVERED",
                            "happened_at": "2026-11-22T08:00:05Z",
                            "received_at": "2026-11-22T08:00:06.020000Z",
                        },
                    }
                ],
                "decisions": [],
            }
        }
    )

    id: str
    complaint_id: str
    kind: str
    occurrence: int = Field(description="counts from 1 per complaint and kind")
    mandatory: bool
    proof: Proof = Field(description="delivered, accepted (no receipts there), awaited or none")
    state: State
    channel: MessageChannel | None
    to: str | None = Field(description="the address, masked")
    planned_at: AwareDatetime
    sent_at: AwareDatetime | None
    delivered_at: AwareDatetime | None
    reason: str | None = Field(description="why it was not sent, or not by the first channel")
    template_version: str | None = Field(
        description="of the wording it was last written with, see /v1/templates"
    )
    hand_overs: list[HandOverOut]
    decisions: list[DecisionOut]


def notice_out(notice: Notice) -> NoticeOut:
    """Return a notice as callers see it."""
    told = notice.told
    return NoticeOut(
        id=told.id,
        complaint_id=told.complaint_id,
        kind=told.kind,
        occurrence=told.occurrence,
        mandatory=told.mandatory,
        proof=notice.proof,
        state=State(told.state),
        channel=MessageChannel(told.channel) if told.channel else None,
        to=told.address_masked,
        planned_at=told.created_at,
        sent_at=told.sent_at,
        delivered_at=told.delivered_at,
        reason=told.reason,
        template_version=told.template_version,
        hand_overs=[_hand_over(one) for one in notice.hand_overs],
        decisions=[
            DecisionOut(action=one.action, was=one.was, by=one.by, at=one.at)
            for one in notice.decisions
        ],
    )


def _hand_over(one: HandOver) -> HandOverOut:
    return HandOverOut(
        channel=one.channel,
        to=one.address_masked,
        gateway=one.gateway,
        reference=one.reference,
        handed_over_at=one.handed_over_at,
        digest=one.digest,
        template=one.template,
        receipt_due_at=one.receipt_due_at,
        receipt_missing=one.arrival == "missing",
        receipt=_receipt(one),
    )


def _receipt(one: HandOver) -> ReceiptOut | None:
    if one.receipt_id is None or one.receipt_received_at is None or one.arrival is None:
        return None
    return ReceiptOut(
        id=one.receipt_id,
        arrival=one.arrival,
        code=one.receipt_code,
        happened_at=one.receipt_happened_at,
        received_at=one.receipt_received_at,
    )
