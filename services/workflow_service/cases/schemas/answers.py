"""What other services answer of the customers' words: shown, and not kept."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class SurveyAnswer(BaseModel):
    """What a customer said about one round of a case."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    round: int
    score: int
    text: str | None = None
    wants_call: bool = False
    answered_at: datetime


class SurveyAnswers(BaseModel):
    """Notification's answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    items: tuple[SurveyAnswer, ...]


class Said(BaseModel):
    """Something that was added to a complaint, by `customer` or `staff`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str
    by: str
    text: str
    created_at: datetime


class Teller(BaseModel):
    """Who told it; the name comes masked."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str | None = None
    tier: str | None = None
    anonymous: bool = False


class Told(BaseModel):
    """What the customer told us, as intake keeps it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    customer: Teller = Teller()
    channel: str | None = None
    occurred_at: datetime | None = None
    region: str | None = None
    people: tuple[str, ...] = ()
    demands: tuple[str, ...] = ()
    description: str
    order: str | None = None
    contract: str | None = None
    product: str | None = None
    additions: tuple[Said, ...] = ()
