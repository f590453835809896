"""What the tracking page is told, and what intake answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class AnswerLink(BaseModel):
    """Where a customer answers the last proposal."""

    url: str


class TrackingLink(BaseModel):
    """What intake answers: where the customer sees how the complaint stands."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    url: str
