"""What every event model shares, and the words several of them use."""

from __future__ import annotations

from abc import abstractmethod
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

    @property
    @abstractmethod
    def subject(self) -> str:
        """The id of what it is about: the key of its record, whose facts stay in their order."""


class ComplaintEvent(EventData):
    """A fact about one complaint."""

    complaint_id: str
    number: str

    @property
    def subject(self) -> str:
        """The complaint's id."""
        return self.complaint_id


class WorkflowEvent(ComplaintEvent):
    """A fact of the case; carries its present state, so that a subscriber needs no second question.

    `version` of the case rises by one with every change; `next_step` is a clock kind or a
    step's name, `next_due_at` when it is due.
    """

    source = Source.WORKFLOW

    state: str
    version: int
    next_step: str | None = None
    next_due_at: datetime | None = None


class NotificationEvent(ComplaintEvent):
    """A fact of delivery: one message to one person about one fact of the complaint."""

    source = Source.NOTIFICATION
    topic = topics.NOTIFICATIONS

    notification_id: str
    kind: str
    occurrence: int
    audience: str
    channel: str
    reason: str | None = None


class Signal(EventData):
    """A fact about something that shows in many complaints; keyed by that thing's own id.

    It has no `complaint_id`: who needs the complaints asks for them with what it says.
    """

    topic = topics.SIGNALS


class Money(BaseModel):
    """An amount as a decimal string, never a float, with its ISO 4217 currency."""

    model_config = ConfigDict(frozen=True)

    amount: str
    currency: str
