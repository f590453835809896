"""What intake and workflow answer about people and words (internal HTTP)."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from shared.events.base import Money


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Contact(_Answer):
    """The customer of a complaint as intake knows them now; nothing of it is kept in clear."""

    complaint_id: str
    number: str
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    locale: str | None = None
    description: str | None = None
    category: str | None = None
    received_at: datetime | None = None
    tracking_url: str | None = None


class OptionWords(_Answer):
    """One option of a proposal in workflow's words."""

    key: str
    kind: str | None = None
    text: str | None = None
    amount: Money | None = None


class Words(_Answer):
    """What somebody wrote in a case: a question, a proposal, a step, a reason."""

    id: str
    complaint_id: str
    kind: str
    text: str | None = None
    options: tuple[OptionWords, ...] | None = None
    answer_url: str | None = None


class Person(_Answer):
    """One of the staff; events name them by `id`."""

    id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    department: str | None = None
    role: str | None = None


class Contacts(_Answer):
    """Intake's answer: an erased or unknown complaint is absent."""

    items: tuple[Contact, ...]


class WordsFound(_Answer):
    """Workflow's answer to ids of words."""

    items: tuple[Words, ...]


class People(_Answer):
    """Workflow's organisation."""

    items: tuple[Person, ...]


class Tracked(_Answer):
    """Whose complaint a tracking link leads to; nobody's where it is unknown or erased."""

    customer_id: str | None
