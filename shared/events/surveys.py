"""What notification says of its surveys."""

from __future__ import annotations

from pydantic import Field

from shared.events import topics
from shared.events.base import ComplaintEvent, Source


class SurveyAnswered(ComplaintEvent):
    """A customer answered the follow-up survey, once; the words are asked for by HTTP."""

    source = Source.NOTIFICATION
    topic = topics.NOTIFICATIONS

    survey: str = Field(description="id of the survey")
    round: int = Field(description="the round of the case that it asked about")
    score: int = Field(description="1 very dissatisfied … 5 very satisfied")
    wants_call: bool = Field(default=False, description="the customer wants to be called")
