"""What `/v1/reply-scripts` and `/v1/letters/preview` take and answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic.config import JsonDict

from services.notification_service.scripts.domain.book import Kind, Topic, Written
from services.notification_service.tone.domain.checking import Verdict
from services.notification_service.tone.domain.words import Locale
from services.notification_service.tone.schemas import ToneCheckView
from shared.events.words import Motive
from shared.http.instants import Instant

_SCRIPT: JsonDict = {
    "topic": "logistics",
    "motive": "respect",
    "locale": "en",
    "parts": {
        "opening": "Thank you for telling us. I look after your complaint (number {number}) from "
        "beginning to end.",
        "empathy": "I understand that you want to be taken seriously, and we did not do that.",
        "apology": "We are sorry that {thing} and that you waited in vain.",
        "first_step": "First I will find out who did what and why, and tell you openly.",
        "next_step": "We will find out by {by} where your goods are, and tell you how we deliver "
        "or take them back.",
        "closing": "You will hear the result from me, and need not explain anything again.",
    },
    "thing": "your goods did not arrive as promised",
}
_ASKED: JsonDict = {
    "kind": "apology",
    "complaint_id": "01930b1c-7a10-7c33-9d0c-6f1b5a2e7c01",
    "motive": "respect",
    "locale": "en",
    "thing": "your order came two items short",
    "by": "2026-11-24T18:00:00+08:00",
    "cause": "our warehouse left them out when it packed",
    "remedy": "we posted both items this morning",
    "signer": "Li Na",
}
_WRITTEN: JsonDict = {
    "kind": "apology",
    "locale": "en",
    "subject": "Our apology (complaint 7K3F-9Q2M-X)",
    "text": "Dear Ann Lee,\n\nWe are sorry that your order came two items short and that "
    "you waited in vain. …\n",
    "missing": [],
    "tone": {
        "ok": True,
        "findings": [],
        "duties": {"apology": True, "next_step": True, "time": True},
    },
}


def _one_line(words: str) -> str:
    return " ".join(words.split()).rstrip("。.；;，,")


Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(_one_line),
]
Signed = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which letter about which case, and what its writer adds."""

    kind: Kind
    complaint_id: str
    locale: Locale | None = None
    motive: Motive | None = None
    thing: str | None = None
    by: datetime | None = None
    cause: str | None = None
    remedy: str | None = None
    signer: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter as it would be sent, and what the tone check says of it."""

    locale: Locale
    written: Written
    verdict: Verdict


class ScriptParts(BaseModel):
    """The sentences of a reply, in the order in which they are said; `{…}` is to be filled in."""

    opening: str
    empathy: str
    apology: str
    first_step: str
    next_step: str
    closing: str


class ScriptView(BaseModel):
    """How to answer one kind of complaint to somebody of one motive."""

    model_config = ConfigDict(json_schema_extra={"example": _SCRIPT})

    topic: Topic = Field(description="the top level of the category")
    motive: Motive | None
    locale: Locale
    parts: ScriptParts
    thing: str = Field(description="what stands for `{thing}` where nobody says it better")


class LetterBody(BaseModel):
    """Which letter about which complaint; what is not known is left out or left blank."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _ASKED})

    kind: Kind
    complaint_id: str = Field(min_length=36, max_length=36)
    motive: Motive | None = Field(default=None, description="changes the tone and nothing else")
    locale: Locale | None = Field(default=None, description="absent: the customer's")
    thing: Words | None = Field(
        default=None, description="what went wrong, as a clause: `your order came two items short`"
    )
    by: Instant | None = Field(default=None, description="when the next step will be done")
    cause: Words | None = None
    remedy: Words | None = Field(default=None, description="what has been done already")
    signer: Signed | None = None
    role: Signed | None = Field(default=None, description="for a letter by a leader")

    def asked(self) -> Asked:
        """Return it as the service takes it."""
        return Asked(**{name: getattr(self, name) for name in LetterBody.model_fields})


class LetterView(BaseModel):
    """A draft; `missing` names what its writer still has to say, `＿＿` stands in its place."""

    model_config = ConfigDict(json_schema_extra={"example": _WRITTEN})

    kind: Kind
    locale: Locale
    subject: str
    text: str
    missing: list[str]
    tone: ToneCheckView

    @classmethod
    def of(cls, kind: Kind, draft: Draft) -> Self:
        """Show a draft."""
        return cls(
            kind=kind,
            locale=draft.locale,
            subject=draft.written.subject,
            text=draft.written.text,
            missing=list(draft.written.missing),
            tone=ToneCheckView.of(draft.verdict),
        )
