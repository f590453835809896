"""What workflow answers for the customer's page (internal HTTP)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class OtherCase(_Answer):
    """The complaint in whose case another goes on."""

    complaint_id: str
    number: str


class Telling(_Answer):
    """What the customer is to read of their case; null what does not hold, or is erased."""

    question: str | None = None
    rejection: str | None = None
    merged_into: OtherCase | None = None


class AnswerLink(_Answer):
    """Where a proposal is answered."""

    url: str
