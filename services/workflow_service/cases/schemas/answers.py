"""What notification answers about surveys: the customers' words, shown and not kept."""

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
