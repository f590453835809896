"""Clocks laid open, and promises, as callers see and send them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.promise import Promise, PromiseState
from services.workflow_service.cases.schemas.bodies import PersonId, Text
from services.workflow_service.clocks.domain.clock import Clock, WarningPoint
from services.workflow_service.clocks.domain.explanation import Explanation
from services.workflow_service.clocks.domain.wording import Both
from shared.events.words import ClockState
from shared.http.instants import Instant


class PolicyRef(BaseModel):
    """The policy or regulatory pack that a target comes from, and the line of it."""

    name: str
    version: int
    rule: str


class SegmentView(BaseModel):
    """A span of time that counted or did not, and why."""

    model_config = ConfigDict(populate_by_name=True)

    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    counted: bool
    why: str


class WarningView(BaseModel):
    """A point at which the owner is warned; `at` is null while the clock stands still before it."""

    mark: str
    at: datetime | None
    fired_at: datetime | None

    @classmethod
    def of(cls, point: WarningPoint) -> Self:
        """Show a warning point."""
        return cls(mark=str(point.mark), at=point.at, fired_at=point.fired_at)


class ChangeView(BaseModel):
    """Another target that the clock was given: what it was before, when, why, and by whom."""

    at: datetime
    from_seconds: int
    why: str
    by: str


class ExplanationView(BaseModel):
    """Why the due time is what it is, in words."""

    model_config = ConfigDict(populate_by_name=True)

    zh: str = Field(alias="zh-CN")
    en: str


class ExplainedClock(BaseModel):
    """One clock of a case with everything that its due time follows from.

    Up to `due_at` the counted segments add up to `target_seconds`. `counted_seconds` and
    `paused_seconds` are up to now or to the clock's end.
    """

    kind: str
    name: ExplanationView
    subject: str | None
    round: int
    state: ClockState
    policy: PolicyRef
    calendar: str
    hours: Literal["business", "calendar"]
    started_at: datetime
    target_seconds: int
    counted_seconds: float
    paused_seconds: float
    due_at: datetime | None
    opens_at: datetime | None
    segments: list[SegmentView]
    warnings: list[WarningView]
    changes: list[ChangeView]
    met_at: datetime | None
    breached_at: datetime | None
    ended_at: datetime | None
    explanation: ExplanationView

    @classmethod
    def of(cls, clock: Clock, laid_open: Explanation, *, name: Both, business: bool) -> Self:
        """Show a clock with its explanation."""
        policy, _, version = clock.policy.partition("@")
        return cls(
            kind=clock.kind,
            name=_in_both(name),
            subject=clock.subject,
            round=clock.round,
            state=clock.state,
            policy=PolicyRef(name=policy, version=int(version), rule=clock.rule),
            calendar=clock.calendar,
            hours="business" if business else "calendar",
            started_at=clock.started_at,
            target_seconds=clock.target_seconds,
            counted_seconds=laid_open.counted_seconds,
            paused_seconds=laid_open.paused_seconds,
            due_at=clock.due_at,
            opens_at=clock.opens_at,
            segments=[
                SegmentView(start=span.start, end=span.end, counted=span.counted, why=span.why)
                for span in laid_open.spans
            ],
            warnings=[WarningView.of(point) for point in clock.warnings],
            changes=[
                ChangeView(at=c.at, from_seconds=c.from_seconds, why=c.why, by=c.by)
                for c in clock.changes
            ],
            met_at=clock.met_at,
            breached_at=clock.breached_at,
            ended_at=clock.ended_at,
            explanation=_in_both(laid_open.words),
        )


class ClocksAnswer(BaseModel):
    """The clocks of a case, in the order in which they were started."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [
                    {
                        "kind": "first_reply",
                        "name": {"zh-CN": "首次答复", "en": "First reply"},
                        "subject": None,
                        "round": 1,
                        "state": "running",
                        "policy": {"name": "company", "version": 2, "rule": "p2/first_reply"},
                        "calendar": "calendar-hours",
                        "hours": "calendar",
                        "started_at": "2026-11-23T04:00:00Z",
                        "target_seconds": 14400,
                        "counted_seconds": 3600.0,
                        "paused_seconds": 0.0,
                        "due_at": "2026-11-23T08:00:00Z",
                        "opens_at": None,
                        "segments": [
                            {
                                "from": "2026-11-23T04:00:00Z",
                                "to": "2026-11-23T08:00:00Z",
                                "counted": True,
                                "why": "every hour counts",
                            }
                        ],
                        "warnings": [
                            {"mark": "50%", "at": "2026-11-23T06:00:00Z", "fired_at": None}
                        ],
                        "changes": [],
                        "met_at": None,
                        "breached_at": None,
                        "ended_at": None,
                        "explanation": {
                            "zh-CN": "首次答复：时限 4 小时（company 第 2 版，规则 p2）。"
                            "从2026年11月23日 12:00起算。"
                            "应在2026年11月23日 16:00前完成，还剩 3 小时。",
                            "en": "First reply: 4 hours (rule p2 of company, version 2). "
                            "It began on 23 Nov 2026, 12:00. "
                            "Due on 23 Nov 2026, 16:00; 3 hours left.",
                        },
                    }
                ]
            }
        }
    )

    items: list[ExplainedClock]


class ExtensionBody(BaseModel):
    """More time for a clock: which one (its kind), until when, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "clock": "resolve",
                "until": "2026-12-04T18:00:00+08:00",
                "reason": "需要第三方鉴定",
            }
        },
    )

    clock: Annotated[str, Field(min_length=1, max_length=80)]
    until: Instant
    reason: Text


class PromiseBody(BaseModel):
    """What is promised to the customer, by when, and who sees to it (else the case's owner)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"text": "24 小时内补发两件", "due_at": "2026-11-24T12:00:00+08:00"}
        },
    )

    text: Text
    due_at: Instant
    owner: PersonId | None = None


class KeptBody(BaseModel):
    """The promise was kept; when, if not just now."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"occurred_at": "2026-11-24T09:30:00+08:00"}},
    )

    occurred_at: Instant | None = None


class DelayBody(BaseModel):
    """The new time that the customer is given, and why it takes longer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"due_at": "2026-11-25T12:00:00+08:00", "reason": "仓库缺货，明早到货"}
        },
    )

    due_at: Instant
    reason: Text


_PROMISE: JsonDict = {
    "id": "01938f5e-7c2a-7d5e-9d8b-3f6f0c1a2b3d",
    "state": "open",
    "due_at": "2026-11-24T04:00:00Z",
    "owner": "li.na",
    "made_at": "2026-11-23T04:00:00Z",
    "by": "li.na",
    "delays": 0,
    "kept_at": None,
    "broken_at": None,
    "text": "24 小时内补发两件",
}


class PromiseView(BaseModel):
    """A promise; its words stand in the case's history."""

    model_config = ConfigDict(json_schema_extra={"example": _PROMISE})

    id: str
    state: PromiseState
    due_at: datetime
    owner: str | None
    made_at: datetime
    by: str
    delays: int
    kept_at: datetime | None
    broken_at: datetime | None
    text: str | None = None

    @classmethod
    def of(cls, promise: Promise, text: str | None = None) -> Self:
        """Show a promise."""
        return cls(
            id=promise.id,
            state=promise.state,
            due_at=promise.due_at,
            owner=promise.owner,
            made_at=promise.made_at,
            by=promise.by,
            delays=promise.delays,
            kept_at=promise.kept_at,
            broken_at=promise.broken_at,
            text=text,
        )


class PromisesAnswer(BaseModel):
    """The promises of a case, in the order in which they were made."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [_PROMISE]}})

    items: list[PromiseView]


def promise_of(case: Case, promise_id: str, text: str | None) -> PromiseView:
    """Show one promise of a case, with its words where they are at hand."""
    return PromiseView.of(next(p for p in case.promises if p.id == promise_id), text)


def _in_both(words: Both) -> ExplanationView:
    return ExplanationView(zh=words.zh, en=words.en)
