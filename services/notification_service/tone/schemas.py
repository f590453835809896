"""What `/v1/tone-check` takes and answers."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from services.notification_service.tone.domain.checking import Verdict
from services.notification_service.tone.domain.words import Locale, Purpose

LONGEST = 20_000
"""So many characters (code points) a text may have: as many as a complaint's description."""

_ASKED: JsonDict = {
    "text": "如果是我们的问题，我们很抱歉给您带来不便，问题会被处理。",
    "locale": "zh-CN",
    "purpose": "reply",
}
_FOUND: JsonDict = {
    "start": 0,
    "end": 8,
    "phrase": "如果是我们的问题",
    "rule": "conditional-apology",
    "why": "带“如果”的道歉不是道歉：它在怀疑客户说的事是否发生。",
    "suggestion": "说出具体的事，不加条件：“您的订单少了两件，这是我们的错，向您道歉。”",
}
_ANSWERED: JsonDict = {
    "ok": False,
    "findings": [_FOUND],
    "duties": {"apology": False, "next_step": False, "time": False},
}


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "The text holds nothing but spaces.")
    return text


class ToneCheckBody(BaseModel):
    """A text to be checked before somebody reads it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _ASKED})

    text: Annotated[str, AfterValidator(_not_blank)] = Field(min_length=1, max_length=LONGEST)
    locale: Locale | None = Field(
        default=None,
        description="the language of `why` and `suggestion`; absent: Accept-Language, "
        "else the text's own",
    )
    purpose: Purpose = Field(
        default=Purpose.REPLY, description="what the text is for: it decides which duties are due"
    )


class FindingView(BaseModel):
    """Words that should not be said."""

    start: int = Field(description="code points from the beginning of the text as sent")
    end: int = Field(description="not included")
    phrase: str
    rule: str
    why: str
    suggestion: str


class DutiesView(BaseModel):
    """Which duties the text does; null where one is neither done nor due."""

    apology: bool | None = Field(description="a real apology for the concrete thing")
    next_step: bool | None = Field(description="what happens next, in active voice")
    time: bool | None = Field(description="by when")


class ToneCheckView(BaseModel):
    """What the check found; `ok` where there is no finding and no duty that is false."""

    model_config = ConfigDict(json_schema_extra={"example": _ANSWERED})

    ok: bool
    findings: list[FindingView]
    duties: DutiesView

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        """Show a verdict."""
        return cls(
            ok=verdict.ok,
            findings=[
                FindingView.model_validate(found, from_attributes=True)
                for found in verdict.findings
            ],
            duties=DutiesView.model_validate({str(d): done for d, done in verdict.duties.items()}),
        )
