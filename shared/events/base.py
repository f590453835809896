"""What every event model shares, and the words several of them use."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from shared.events import topics


class Source(StrEnum):
    """Which service says it: the `ce_source` of the envelope."""

    INTAKE = "/intake"
    WORKFLOW = "/workflow"
    NOTIFICATION = "/notification"
    ANALYTICS = "/analytics"


class EventData(BaseModel):
    """The data of one past-tense fact. Unknown fields are ignored, so that new ones may come.

    Subclasses state `source`, and where it differs `topic` and `schema_version`; the class name is
    the event's type. No field may hold personal data or free text.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_timedelta="float")

    source: ClassVar[Source]
    topic: ClassVar[str] = topics.COMPLAINTS
    schema_version: ClassVar[int] = 1

    complaint_id: str
    number: str


class WorkflowEvent(EventData):
    """A fact of the case; carries its present state, so that a subscriber needs no second question.

    `version` of the case rises by one with every change; `next_step` is a clock kind or a
    step's name, `next_due_at` when it is due.
    """

    source = Source.WORKFLOW

    state: str
    version: int
    next_step: str | None = None
    next_due_at: datetime | None = None


class NotificationEvent(EventData):
    """A fact of delivery: one message to one person about one fact of the complaint."""

    source = Source.NOTIFICATION
    topic = topics.NOTIFICATIONS

    notification_id: str
    kind: str
    occurrence: int
    audience: str
    channel: str
    reason: str | None = None


class Money(BaseModel):
    """An amount as a decimal string, never a float, with its ISO 4217 currency."""

    model_config = ConfigDict(frozen=True)

    amount: str
    currency: str
