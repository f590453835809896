"""Call-backs as callers see them, and what agents enter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.workflow_service.cases.domain.call_back import (
    CallAttempt,
    CallBackState,
    CallReason,
    CallResult,
)
from services.workflow_service.cases.domain.call_script import CallScript
from services.workflow_service.cases.domain.satisfaction import Call
from services.workflow_service.cases.repository.calling import Task
from services.workflow_service.cases.schemas.bodies import Text
from shared.http.instants import Instant
from shared.kernel.ids import new_id

Score = Annotated[int, Field(ge=1, le=5, description="1 very dissatisfied … 5 very satisfied")]
Result = Literal[
    CallResult.REACHED,
    CallResult.NO_ANSWER,
    CallResult.WRONG_NUMBER,
    CallResult.REFUSED,
    CallResult.LATER,
]


class AttemptBody(BaseModel):
    """What one call came to; `call_again_at` is required for `later`, and may go with `no_answer`.

    The call was made just now, if `occurred_at` does not say when.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"result": "later", "call_again_at": "2026-11-25T18:00:00+08:00"}
        },
    )

    result: Result
    call_again_at: Instant | None = None
    note: Text | None = None
    occurred_at: Instant | None = None

    def to_call(self, call_back: str, *, by: str, now: datetime) -> Call:
        """Return the call."""
        return Call(
            call_back=call_back,
            by=by,
            at=self.occurred_at or now,
            result=self.result,
            words_id=new_id(),
            note_id=new_id(),
            note=self.note,
            call_again_at=self.call_again_at,
        )


class AnswersBody(BaseModel):
    """What the customer said: the score, and their words."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"score": 5, "text": "处理得很快，谢谢。"}},
    )

    score: Score
    text: Text | None = None
    occurred_at: Instant | None = None

    def to_call(self, call_back: str, *, by: str, now: datetime) -> Call:
        """Return the call in which they said it."""
        return Call(
            call_back=call_back,
            by=by,
            at=self.occurred_at or now,
            result=CallResult.REACHED,
            words_id=new_id(),
            note_id=new_id(),
            score=self.score,
            text=self.text,
        )


class AttemptView(BaseModel):
    """One call."""

    at: datetime
    by: str
    result: CallResult
    call_again_at: datetime | None = None
    note: str | None = None

    @classmethod
    def of(cls, attempt: CallAttempt, words: Mapping[str, str | None]) -> Self:
        """Show a call."""
        return cls(
            at=attempt.at,
            by=attempt.by,
            result=attempt.result,
            call_again_at=attempt.call_again_at,
            note=words.get(attempt.note_id or ""),
        )


_EXAMPLE: JsonDict = {
    "id": "01938f5e-7c2a-7d5e-9d8b-3f6f0c1a2b3d",
    "complaint_id": "01938f5e-7c2a-7d5e-9d8b-3f6f0c1a2b3c",
    "number": "7K3F-9Q2M-X",
    "owner": "li.na",
    "department": "logistics",
    "round": 1,
    "state": "open",
    "reason": "unanswered",
    "opened_at": "2026-11-24T16:00:00Z",
    "due_at": "2026-11-25T04:00:00Z",
    "call_again_at": None,
    "attempts": [
        {"at": "2026-11-25T01:30:00Z", "by": "li.na", "result": "no_answer", "note": None}
    ],
    "score": None,
    "ended_at": None,
}


class CallBackView(BaseModel):
    """The task to call a customer and ask whether they are satisfied; its owner is the case's."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    id: str
    complaint_id: str
    number: str
    owner: str | None
    department: str | None
    round: int
    state: CallBackState
    reason: CallReason
    opened_at: datetime
    due_at: datetime | None
    call_again_at: datetime | None
    attempts: list[AttemptView]
    score: int | None
    ended_at: datetime | None

    @classmethod
    def of(cls, task: Task, words: Mapping[str, str | None] | None = None) -> Self:
        """Show a call-back; with `words` what was written down of it too."""
        return cls(**_fields(task, words or {}))


class ScriptView(BaseModel):
    """What the agent says, in both languages."""

    model_config = ConfigDict(populate_by_name=True)

    zh: list[str] = Field(alias="zh-CN")
    en: list[str]


class CallBackFileView(CallBackView):
    """A call-back with the customer's words and with the script."""

    text: str | None
    script: ScriptView

    @classmethod
    def opened(cls, task: Task, words: Mapping[str, str | None], script: CallScript) -> Self:
        """Show a call-back with everything that belongs to it."""
        said = script.about(task.case.number)
        return cls(
            **_fields(task, words),
            text=words.get(task.call_back.words_id or ""),
            script=ScriptView(zh=list(said.zh), en=list(said.en)),
        )


def _fields(task: Task, words: Mapping[str, str | None]) -> dict[str, Any]:
    case, found = task.case, task.call_back
    return {
        "id": found.id,
        "complaint_id": case.id,
        "number": case.number,
        "owner": case.owner,
        "department": case.department,
        "round": found.round,
        "state": found.state,
        "reason": found.reason,
        "opened_at": found.opened_at,
        "due_at": found.due_at,
        "call_again_at": found.call_again_at,
        "attempts": [AttemptView.of(attempt, words) for attempt in found.attempts],
        "score": found.score,
        "ended_at": found.ended_at,
    }
