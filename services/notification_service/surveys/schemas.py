"""Surveys as customers answer them and as staff and services see them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services.notification_service.surveys.domain.survey import (
    LONGEST_TEXT,
    Answer,
    Survey,
    SurveyState,
)

Score = Annotated[int, Field(ge=1, le=5, description="1 very dissatisfied … 5 very satisfied")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT)]


class SurveyIn(BaseModel):
    """An answer: a score, and if the customer likes some words and the wish to be called."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"score": 4, "text": "处理得很快，谢谢。", "wants_call": False}
        },
    )

    score: Score
    text: Annotated[Text | None, AfterValidator(lambda text: text or None)] = None
    wants_call: bool = False

    def to_answer(self) -> Answer:
        """Return what was said."""
        return Answer(self.score, self.text, self.wants_call)


class SurveyOut(BaseModel):
    """A survey as who holds its link sees it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "number": "7K3F-9Q2M-X",
                "state": "answered",
                "language": "zh",
                "asked_at": "2026-11-24T08:00:00Z",
                "expires_at": "2026-12-08T08:00:00Z",
                "score": 4,
                "wants_call": False,
                "answered_at": "2026-11-24T09:12:00Z",
            }
        }
    )

    number: str
    state: SurveyState
    language: str
    asked_at: datetime
    expires_at: datetime
    score: int | None
    wants_call: bool | None
    answered_at: datetime | None

    @classmethod
    def of(cls, survey: Survey, state: SurveyState) -> Self:
        """Show a survey without its words."""
        answer = survey.answer
        return cls(
            number=survey.number,
            state=state,
            language=survey.language,
            asked_at=survey.asked_at,
            expires_at=survey.expires_at,
            score=answer.score if answer else None,
            wants_call=answer.wants_call if answer else None,
            answered_at=survey.answered_at,
        )


class SurveyListed(BaseModel):
    """A survey in the list of staff: without its link, and without the customer's words."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01938f5e-7c2a-7d5e-9d8b-3f6f0c1a2b3d",
                "complaint_id": "01938f5e-7c2a-7d5e-9d8b-3f6f0c1a2b3c",
                "number": "7K3F-9Q2M-X",
                "round": 1,
                "state": "answered",
                "asked_at": "2026-11-24T08:00:00Z",
                "expires_at": "2026-12-08T08:00:00Z",
                "score": 4,
                "has_words": True,
                "wants_call": False,
                "answered_at": "2026-11-24T09:12:00Z",
            }
        }
    )

    id: str
    complaint_id: str
    number: str
    round: int
    state: SurveyState
    asked_at: datetime
    expires_at: datetime
    score: int | None
    has_words: bool
    wants_call: bool | None
    answered_at: datetime | None

    @classmethod
    def of(cls, survey: Survey, state: SurveyState) -> Self:
        """Show a survey to staff."""
        answer = survey.answer
        return cls(
            id=survey.id,
            complaint_id=survey.complaint_id,
            number=survey.number,
            round=survey.round,
            state=state,
            asked_at=survey.asked_at,
            expires_at=survey.expires_at,
            score=answer.score if answer else None,
            has_words=bool(answer and answer.text),
            wants_call=answer.wants_call if answer else None,
            answered_at=survey.answered_at,
        )


class AnswersAsked(BaseModel):
    """Which complaints' answers are asked for."""

    model_config = ConfigDict(extra="forbid")

    complaint_ids: Annotated[list[str], Field(max_length=100)]


class AnswerOut(BaseModel):
    """What a customer said about one round, in their words."""

    complaint_id: str
    round: int
    score: int
    text: str | None
    wants_call: bool
    answered_at: datetime


class AnswersOut(BaseModel):
    """The answers that there are; what was erased is absent."""

    items: list[AnswerOut]


def answer_out(survey: Survey) -> AnswerOut:
    """Show an answered survey to the service that shows it to staff."""
    assert survey.answer is not None
    assert survey.answered_at is not None
    return AnswerOut(
        complaint_id=survey.complaint_id,
        round=survey.round,
        score=survey.answer.score,
        text=survey.answer.text,
        wants_call=survey.answer.wants_call,
        answered_at=survey.answered_at,
    )
