"""Cases as callers see them, and what they send to act on one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.workflow_service.cases.domain.actions import Command, OptionText
from services.workflow_service.cases.domain.case import Case, Entry
from services.workflow_service.cases.domain.lifecycle import Action
from services.workflow_service.cases.repository.spoken import Spoken
from services.workflow_service.clocks.domain.clock import Clock
from shared.events.base import Money
from shared.events.words import CaseState, ClockKind, ClockState, Outcome

MAX_WORDS = 20_000

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_WORDS)]
PersonId = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._@-]{0,63}$")]
DepartmentId = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class ClockView(BaseModel):
    """One clock of a case. `due_at` is null where it cannot be known while paused."""

    kind: ClockKind
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
    }


class ActionBody(BaseModel):
    """What every action takes: a note, and when it happened if not just now."""

    model_config = ConfigDict(extra="forbid")

    note: Text | None = None
    occurred_at: AwareDatetime | None = Field(
        default=None, description="When it happened; not before the case, not in the future"
    )


class AssignBody(ActionBody):
    """Who takes the case over."""

    owner: PersonId
    department: DepartmentId | None = None


class TextBody(ActionBody):
    """What was said or asked."""

    text: Text


class SummaryBody(ActionBody):
    """What was done, so that it does not happen again."""

    summary: Text
    outcome: Outcome = Outcome.SOLVED


class ReasonBody(ActionBody):
    """Why."""

    reason: Text


class AcceptBody(ActionBody):
    """Which option the customer takes."""

    option: Annotated[str, StringConstraints(pattern=r"^[A-Z]$")]


class MoneyIn(BaseModel):
    """An amount as text with its ISO 4217 currency."""

    model_config = ConfigDict(extra="forbid")

    amount: Annotated[str, StringConstraints(pattern=r"^\d{1,12}(\.\d{1,4})?$")]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

    def to_money(self) -> Money:
        """Return the amount in its shortest exact spelling with at least two decimals."""
        amount = Decimal(self.amount)
        places = max(2, -int(amount.as_tuple().exponent))
        return Money(amount=f"{amount:.{places}f}", currency=self.currency)


class OptionIn(BaseModel):
    """One option: what kind of remedy, in which words, worth what."""

    model_config = ConfigDict(extra="forbid")

    kind: Code
    text: Text
    amount: MoneyIn | None = None


class ProposeBody(ActionBody):
    """The options put to the customer; they get the keys A, B and so on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "options": [
                    {"kind": "re_send", "text": "今天补发缺少的两件,顺丰次日达。"},
                    {
                        "kind": "refund",
                        "text": "退还缺少两件的货款。",
                        "amount": {"amount": "58.00", "currency": "CNY"},
                    },
                ]
            }
        },
    )

    options: Annotated[list[OptionIn], Field(min_length=1, max_length=26)]


BODIES: Mapping[Action, type[ActionBody]] = {
    Action.ASSIGN: AssignBody,
    Action.START_INVESTIGATION: ActionBody,
    Action.RECORD_CONTACT: TextBody,
    Action.REQUEST_INFORMATION: TextBody,
    Action.RECEIVE_INFORMATION: TextBody,
    Action.PROPOSE: ProposeBody,
    Action.ACCEPT: AcceptBody,
    Action.DECLINE: TextBody,
    Action.CARRY_OUT: TextBody,
    Action.RESOLVE: SummaryBody,
    Action.CLOSE: ActionBody,
    Action.REOPEN: ReasonBody,
    Action.REJECT: ReasonBody,
    Action.WITHDRAW: ReasonBody,
    Action.ESCALATE: ReasonBody,
}


def to_command(
    action: Action, body: ActionBody, *, by: str, now: datetime, words_id: str, note_id: str
) -> Command:
    """Make the command that a body asks for."""
    options = body.options if isinstance(body, ProposeBody) else []
    return Command(
        action=action,
        by=by,
        at=body.occurred_at or now,
        words_id=words_id,
        note_id=note_id,
        text=_text_of(body),
        note=body.note,
        owner=body.owner if isinstance(body, AssignBody) else None,
        department=body.department if isinstance(body, AssignBody) else None,
        options=tuple(
            OptionText(
                option.kind, option.text, option.amount.to_money() if option.amount else None
            )
            for option in options
        ),
        option=body.option if isinstance(body, AcceptBody) else None,
        outcome=body.outcome if isinstance(body, SummaryBody) else Outcome.SOLVED,
    )


def _text_of(body: ActionBody) -> str | None:
    match body:
        case TextBody(text=text):
            return text
        case SummaryBody(summary=summary):
            return summary
        case ReasonBody(reason=reason):
            return reason
        case _:
            return None


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
    """Words as they were said; `options` for proposals."""

    id: str
    complaint_id: str
    kind: str
    text: str | None
    options: list[WordsOption] | None


class WordsAnswer(BaseModel):
    """The words that exist; an id that is unknown or erased is absent."""

    items: list[WordsView]


def words_view(spoken: Spoken) -> WordsView:
    """Show words to the service that sends them."""
    options = [WordsOption.model_validate(option) for option in spoken.options]
    return WordsView(
        id=spoken.id,
        complaint_id=spoken.complaint_id,
        kind=spoken.kind,
        text=spoken.text,
        options=options or None,
    )
