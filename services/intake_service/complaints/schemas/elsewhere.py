"""What workflow answers for the customer's page (internal HTTP)."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class OtherCase(_Answer):
    """The complaint in whose case another goes on."""

    complaint_id: str
    number: str


class PromiseTold(_Answer):
    """What we promised the customer, by when, and what became of it: open, kept, broken."""

    text: str | None
    due_at: datetime
    state: str


class StepTold(_Answer):
    """What was carried out, and the number by which the customer can follow it."""

    text: str | None
    reference: str | None
    at: datetime


class Telling(_Answer):
    """What the customer is to read of their case; null what does not hold, or is erased."""

    question: str | None = None
    rejection: str | None = None
    merged_into: OtherCase | None = None
    promises: tuple[PromiseTold, ...] = ()
    steps: tuple[StepTold, ...] = ()


class AnswerLink(_Answer):
    """Where a proposal is answered."""

    url: str
