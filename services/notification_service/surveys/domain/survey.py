"""One survey: what was asked about when, and the one answer that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.kernel.errors import Conflict, NotFound

LONGEST_TEXT = 4000


class SurveyState(StrEnum):
    """Where a survey stands."""

    OPEN = "open"
    ANSWERED = "answered"
    EXPIRED = "expired"


class UnknownSurvey(NotFound):
    """No survey is answered under this token."""

    code = "unknown-survey"
    title = "This link leads to no survey"


class SurveyExpired(Conflict):
    """The time in which the survey could be answered is over."""

    code = "survey-expired"
    title = "This survey can no longer be answered"


class AlreadyAnswered(Conflict):
    """The survey was answered before, in another way; that answer stands."""

    code = "survey-answered"
    title = "This survey was answered before"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a customer said: 1 very dissatisfied … 5 very satisfied."""

    score: int
    text: str | None = None
    wants_call: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey as it stands; `answer` holds the words where they can be read."""

    id: str
    complaint_id: str
    number: str
    language: str
    round: int
    asked_at: datetime
    expires_at: datetime
    answer: Answer | None = None
    answered_at: datetime | None = None

    def state_at(self, now: datetime) -> SurveyState:
        """Return where it stands; an answer stays one whatever time passes."""
        if self.answer is not None:
            return SurveyState.ANSWERED
        return SurveyState.OPEN if now < self.expires_at else SurveyState.EXPIRED


def take(survey: Survey, answer: Answer, *, now: datetime) -> bool:
    """Tell whether an answer is to be recorded; False where it was already.

    Raises AlreadyAnswered for another answer than the first, and SurveyExpired.
    """
    match survey.state_at(now):
        case SurveyState.ANSWERED:
            if survey.answer != answer:
                raise AlreadyAnswered("An answer counts once, and the first one is recorded.")
            return False
        case SurveyState.EXPIRED:
            raise SurveyExpired("Please tell us on the page of your complaint instead.")
        case SurveyState.OPEN:
            return True
