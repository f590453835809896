"""Words as the service that sends them asks for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.workflow_service.cases.domain.promise import PromiseState
from services.workflow_service.cases.repository.spoken import Spoken
from shared.events.base import Money


class WordsRequest(BaseModel):
    """Which words are asked for."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[str], Field(max_length=500)]


class WordsOption(BaseModel):
    """One option of a proposal in its words."""

    key: str
    kind: str
    text: str
    amount: Money | None = None


class WordsView(BaseModel):
    """Words as they were said; `options` for proposals, which are answered at `answer_url`."""

    id: str
    complaint_id: str
    kind: str
    text: str | None
    options: list[WordsOption] | None
    answer_url: str | None = None


class WordsAnswer(BaseModel):
    """The words that exist; an id that is unknown or erased is absent."""

    items: list[WordsView]


class OtherCase(BaseModel):
    """The complaint in whose case another goes on."""

    complaint_id: str
    number: str


class PromiseTold(BaseModel):
    """What we promised the customer, by when, and what became of it."""

    text: str | None
    due_at: datetime
    state: PromiseState


class StepTold(BaseModel):
    """What was carried out, and the number by which the customer can follow it."""

    text: str | None
    reference: str | None
    at: datetime


class TellingAnswer(BaseModel):
    """What a customer's page says of the case: what we ask for, why we said no, where it goes on.

    Null what does not hold at this moment, or whose words are erased.
    """

    question: str | None
    rejection: str | None
    merged_into: OtherCase | None
    promises: list[PromiseTold]
    steps: list[StepTold]


def words_view(spoken: Spoken, url_of: Callable[[str], str]) -> WordsView:
    """Show words to the service that sends them."""
    options = [WordsOption.model_validate(option) for option in spoken.options]
    return WordsView(
        id=spoken.id,
        complaint_id=spoken.complaint_id,
        kind=spoken.kind,
        text=spoken.text,
        options=options or None,
        answer_url=url_of(spoken.id) if options else None,
    )
