"""What callers send to act on a case."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from services.workflow_service.cases.domain.command import Command, OptionText
from services.workflow_service.cases.domain.lifecycle import Action
from shared.events.base import Money
from shared.events.words import Outcome
from shared.http.instants import Instant
from shared.http.words import form

MAX_WORDS = 20_000

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_WORDS)]
PersonId = Annotated[
    str, form(r"^[a-zA-Z0-9][a-zA-Z0-9._@-]{0,63}$", "the id of a person, such as li.na")
]
DepartmentId = Annotated[
    str, form(r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$", "the code of a department, such as logistics")
]
Resolution = Literal[Outcome.SOLVED, Outcome.WORKAROUND, Outcome.ANSWERED]
"""How a case can be resolved; rejecting and withdrawing are actions of their own."""


Reference = Annotated[
    str,
    form(
        r"^[A-Za-z0-9][A-Za-z0-9._/#-]{0,63}$",
        "a number such as SF1234567890: letters, digits and . _ / # -, at most 64",
    ),
]
Code = Annotated[
    str,
    form(
        r"^[a-z][a-z0-9_-]{0,39}$",
        "a code such as re_send: small letters, digits, _ and -, a letter first, at most 40",
    ),
]


class ActionBody(BaseModel):
    """What every action takes: a note, and when it happened if not just now."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"note": "与仓库核对过"}}
    )

    note: Text | None = None
    occurred_at: Instant | None = Field(
        default=None, description="When it happened; not before the case, not in the future"
    )


class AssignBody(ActionBody):
    """Who takes the case over."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"owner": "li.na", "department": "logistics"}}
    )

    owner: PersonId
    department: DepartmentId | None = None


class TextBody(ActionBody):
    """What was said or asked."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"text": "已与客户通话，说明了下一步。"}}
    )

    text: Text


class ContactBody(TextBody):
    """What was said, how, and who began it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "text": "客户来电询问进度，已说明下一步。",
                "channel": "phone",
                "direction": "in",
            }
        },
    )

    channel: Literal["phone", "email", "sms", "chat", "letter", "in_person"] | None = None
    direction: Literal["in", "out"] = Field(
        default="out", description="`in`: the customer came to us"
    )


class CarryOutBody(TextBody):
    """What was done, and the number by which the customer can follow it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "text": "补发的两件今天已寄出。",
                "kind": "re_send",
                "reference": "SF1234567890",
            }
        },
    )

    kind: Code | None = None
    reference: Reference | None = Field(
        default=None, description="A parcel number, a refund reference; no name, no words"
    )


class SummaryBody(ActionBody):
    """What was done, so that it does not happen again."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"summary": "已补发两件并道歉，出库增加了复核。", "outcome": "solved"}
        },
    )

    summary: Text
    outcome: Resolution = Outcome.SOLVED


class ReasonBody(ActionBody):
    """Why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"reason": "客户来电说又少了一件。"}}
    )

    reason: Text


class EscalateBody(ReasonBody):
    """Why the case goes a level up, and whether the customer wishes it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"reason": "客户要求由主管处理。", "by_customer": True}},
    )

    by_customer: bool = Field(
        default=False, description="The customer asked for it and is told that it was done"
    )


class DeEscalateBody(ReasonBody):
    """Why the case goes a level down, and who takes it there."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"reason": "已与客户谈妥，回到一线处理。", "owner": "li.na"}},
    )

    owner: PersonId | None = None


class AcceptBody(ActionBody):
    """Which option the customer takes."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"option": "A"}})

    option: Annotated[str, form(r"^[A-Z]$", 'the key of an option, one capital letter such as "A"')]


class MoneyIn(BaseModel):
    """An amount as text with its ISO 4217 currency."""

    model_config = ConfigDict(extra="forbid")

    amount: Annotated[
        str,
        form(
            r"^\d{1,12}(\.\d{1,4})?$",
            'an amount as text such as "12.50": at most 12 digits, and 4 decimals',
        ),
    ]
    currency: Annotated[str, form(r"^[A-Z]{3}$", "a currency by its ISO 4217 code, such as CNY")]

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
                    {"kind": "re_send", "text": "今天补发缺少的两件，顺丰次日达。"},
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
    final: bool = Field(
        default=False,
        description="Our last word: refused, the case goes up and onto the watch list",
    )


BODIES: Mapping[Action, type[ActionBody]] = {
    Action.ASSIGN: AssignBody,
    Action.START_INVESTIGATION: ActionBody,
    Action.RECORD_CONTACT: ContactBody,
    Action.REQUEST_INFORMATION: TextBody,
    Action.RECEIVE_INFORMATION: TextBody,
    Action.PROPOSE: ProposeBody,
    Action.APPROVE: ActionBody,
    Action.REFUSE: ReasonBody,
    Action.ACCEPT: AcceptBody,
    Action.DECLINE: TextBody,
    Action.CARRY_OUT: CarryOutBody,
    Action.RESOLVE: SummaryBody,
    Action.CLOSE: ActionBody,
    Action.REOPEN: ReasonBody,
    Action.REJECT: ReasonBody,
    Action.WITHDRAW: ReasonBody,
    Action.ESCALATE: EscalateBody,
    Action.DE_ESCALATE: DeEscalateBody,
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
        just_now=body.occurred_at is None,
        words_id=words_id,
        note_id=note_id,
        text=_text_of(body),
        note=body.note,
        owner=body.owner if isinstance(body, AssignBody | DeEscalateBody) else None,
        department=body.department if isinstance(body, AssignBody) else None,
        options=tuple(
            OptionText(
                option.kind, option.text, option.amount.to_money() if option.amount else None
            )
            for option in options
        ),
        option=body.option if isinstance(body, AcceptBody) else None,
        outcome=body.outcome if isinstance(body, SummaryBody) else Outcome.SOLVED,
        channel=body.channel if isinstance(body, ContactBody) else None,
        direction=body.direction if isinstance(body, ContactBody) else "out",
        step=body.kind if isinstance(body, CarryOutBody) else None,
        reference=body.reference if isinstance(body, CarryOutBody) else None,
        final=isinstance(body, ProposeBody) and body.final,
        by_customer=isinstance(body, EscalateBody) and body.by_customer,
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
