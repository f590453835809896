"""Cases as callers see them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from services.workflow_service.cases.domain.call_back import Satisfaction
from services.workflow_service.cases.domain.case import Case, Entry
from services.workflow_service.cases.domain.lifecycle import Action
from services.workflow_service.cases.repository.spoken import Spoken
from services.workflow_service.clocks.domain.clock import Clock
from services.workflow_service.remedies.domain.approval import Approval
from shared.events.base import Money
from shared.events.words import CaseState, ClockState


class ClockView(BaseModel):
    """One clock of a case. `due_at` is null where it cannot be known while paused."""

    kind: str
    state: ClockState
    due_at: datetime | None
    started_at: datetime
    met_at: datetime | None = None
    breached_at: datetime | None = None
    round: int = 1

    @classmethod
    def of(cls, clock: Clock) -> Self:
        """Show a clock."""
        return cls(
            kind=clock.kind,
            state=clock.state,
            due_at=clock.due_at,
            started_at=clock.started_at,
            met_at=clock.met_at,
            breached_at=clock.breached_at,
            round=clock.round,
        )


class OptionView(BaseModel):
    """An option that was put to the customer; its words are in the history."""

    key: str
    kind: str
    amount: Money | None = None


class ApprovalView(BaseModel):
    """A proposal that waits for approval; its words are in the history."""

    options: list[OptionView]
    final: bool
    role: str = Field(description="the least that may approve it")
    amount: Money
    requested_by: str
    requested_at: datetime
    approver: str | None = Field(description="who was asked; null where nobody has the role")

    @classmethod
    def of(cls, approval: Approval) -> Self:
        """Show what waits."""
        return cls(
            options=[OptionView(**option.model_dump()) for option in approval.options],
            final=approval.final,
            role=approval.role.value,
            amount=approval.amount,
            requested_by=approval.requested_by,
            requested_at=approval.requested_at,
            approver=approval.approver,
        )


class HistoryView(BaseModel):
    """One thing that was done, by whom, when and why."""

    model_config = ConfigDict(populate_by_name=True)

    at: datetime
    by: str
    action: str
    from_state: str | None = Field(alias="from")
    to_state: str = Field(alias="to")
    why: str | None
    note: str | None = None

    @classmethod
    def of(cls, entry: Entry, words: Mapping[str, Spoken]) -> Self:
        """Show a line of the history with its words, where they still can be read."""
        spoken = words.get(entry.words_id or "")
        note = words.get(entry.note_id or "")
        return cls(
            at=entry.at,
            by=entry.by,
            action=entry.action,
            from_state=entry.from_state,
            to_state=entry.to_state,
            why=_in_words(spoken) if spoken else entry.why,
            note=note.text if note else None,
        )


def _in_words(spoken: Spoken) -> str | None:
    if spoken.text is not None:
        return spoken.text
    return "\n".join(f"{option['key']}: {option['text']}" for option in spoken.options)


class SatisfactionView(BaseModel):
    """What the customer said last: 1 very dissatisfied … 5 very satisfied, by survey or call."""

    score: int
    source: str
    at: datetime
    round: int

    @classmethod
    def of(cls, said: Satisfaction) -> Self:
        """Show an answer."""
        return cls(score=said.score, source=said.told_by, at=said.at, round=said.round)


class CaseView(BaseModel):
    """A case: our handling of one complaint, with the complaint's id."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01938f5e-7c2a-7d5e-9d8b-3f6f0c1a2b3c",
                "number": "7K3F-9Q2M-X",
                "state": "assigned",
                "round": 1,
                "owner": "li.na",
                "department": "logistics",
                "category": "logistics.short",
                "priority": "P2",
                "escalation_level": 0,
                "warning_level": "none",
                "opened_at": "2026-11-22T08:00:00Z",
                "version": 4,
                "policy": "company@1",
                "next_step": "first_reply",
                "next_due_at": "2026-11-22T12:00:00Z",
                "handovers": 0,
                "clocks": [
                    {
                        "kind": "first_reply",
                        "state": "running",
                        "due_at": "2026-11-22T12:00:00Z",
                        "started_at": "2026-11-22T08:00:00Z",
                    }
                ],
                "allowed_actions": ["start-investigation", "propose"],
            }
        }
    )

    id: str
    number: str
    state: CaseState
    round: int
    owner: str | None
    department: str | None
    category: str
    priority: str
    escalation_level: int
    warning_level: str
    opened_at: datetime
    version: int
    policy: str
    next_step: str | None
    next_due_at: datetime | None
    outcome: str | None = None
    handovers: int
    options: list[OptionView] = []
    accepted_option: str | None = None
    clocks: list[ClockView]
    allowed_actions: list[Action]
    segment: str | None = None
    repeat_of: str | None = Field(
        default=None, description="the earlier complaint about the same matter"
    )
    merged_into: str | None = Field(
        default=None, description="the complaint whose case goes on in place of this one"
    )
    escalated_because: str | None = Field(default=None, description="the latest cause")
    watched: bool = False
    watched_because: str | None = None
    approval: ApprovalView | None = Field(
        default=None, description="a proposal that the customer does not know of yet"
    )
    satisfaction: SatisfactionView | None = None

    @classmethod
    def of(cls, case: Case) -> Self:
        """Show a case."""
        return cls(**_fields(case))


class CaseFileView(CaseView):
    """A case with everything that was done about it."""

    history: list[HistoryView]


def case_file_view(case: Case, history: list[Entry], words: Mapping[str, Spoken]) -> CaseFileView:
    """Show a case with its history."""
    return CaseFileView(
        **_fields(case), history=[HistoryView.of(entry, words) for entry in history]
    )


def _fields(case: Case) -> dict[str, Any]:
    next_step, next_due_at = case.next_step()
    return {
        "id": case.id,
        "number": case.number,
        "state": case.state,
        "round": case.round,
        "owner": case.owner,
        "department": case.department,
        "category": case.category,
        "priority": case.priority,
        "escalation_level": case.escalation_level,
        "warning_level": case.warning_level,
        "opened_at": case.opened_at,
        "version": case.version,
        "policy": case.policy,
        "next_step": next_step,
        "next_due_at": next_due_at,
        "outcome": case.outcome,
        "handovers": case.handovers,
        "options": [OptionView(**option.model_dump()) for option in case.options],
        "accepted_option": case.accepted_option,
        "clocks": [ClockView.of(clock) for clock in case.clocks],
        "allowed_actions": list(case.allowed_actions),
        "segment": case.facts.segment,
        "repeat_of": case.facts.repeat_of,
        "merged_into": case.merged_into,
        "escalated_because": case.causes[-1] if case.causes else None,
        "watched": case.watched is not None,
        "watched_because": case.watched,
        "approval": ApprovalView.of(case.approval) if case.approval else None,
        "satisfaction": SatisfactionView.of(case.satisfaction) if case.satisfaction else None,
    }
