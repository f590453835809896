"""What workflow says: how the case of a complaint goes on."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.events.base import Money, WorkflowEvent

_WHO_SEES_TO_IT = (
    "who sees to it: whose promise it is, who was asked to approve, else the case's owner"
)


class ClockDue(BaseModel):
    """A clock that was started, and when it is due."""

    model_config = ConfigDict(frozen=True)

    kind: str
    due_at: datetime | None = None


class ClockResult(BaseModel):
    """What an imported case's clock came to."""

    model_config = ConfigDict(frozen=True)

    kind: str
    state: str
    due_at: datetime | None = None
    met_at: datetime | None = None


class OptionOffered(BaseModel):
    """One option of a proposal without its words."""

    model_config = ConfigDict(frozen=True)

    key: str
    kind: str
    amount: Money | None = None


class CaseOpened(WorkflowEvent):
    """A case was opened for a complaint, with its first assignment where routing found one."""

    department: str | None = None
    owner: str | None = None
    priority: str
    policy: str = Field(description="name and version of the policy the case keeps")
    clocks: tuple[ClockDue, ...] = ()


class CaseImported(WorkflowEvent):
    """An imported complaint's case in its final state: one event instead of all others."""

    department: str | None = None
    owner: str | None = None
    priority: str
    policy: str
    received_at: datetime
    assigned_at: datetime | None = None
    first_reply_at: datetime | None = None
    proposed_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: str | None = None
    clocks: tuple[ClockResult, ...] = ()


class CaseAssigned(WorkflowEvent):
    """An owner was named for a case that had none."""

    owner: str
    department: str | None = None
    previous_owner: str | None = None
    previous_department: str | None = None
    handovers: int = 0


class CaseTransferred(WorkflowEvent):
    """The case went from one owner or department to another."""

    owner: str
    department: str | None = None
    previous_owner: str | None = None
    previous_department: str | None = None
    handovers: int


class InvestigationStarted(WorkflowEvent):
    """Somebody began to look into it."""


class CustomerContacted(WorkflowEvent):
    """We spoke with the customer."""

    direction: str = "out"
    channel: str | None = None


class InformationRequested(WorkflowEvent):
    """We asked the customer for something and wait; the words are asked for by id."""

    words_id: str


class InformationReceived(WorkflowEvent):
    """The customer gave what we asked for."""


class SolutionProposed(WorkflowEvent):
    """Options were put to the customer."""

    round: int
    options: tuple[OptionOffered, ...]
    final: bool = False
    words_id: str


class SolutionAccepted(WorkflowEvent):
    """The customer took an option."""

    option: str
    round: int
    owner: str | None = None
    by_customer: bool = Field(default=False, description="by the link, not told to somebody of us")


class SolutionDeclined(WorkflowEvent):
    """The customer took none."""

    round: int
    words_id: str
    owner: str | None = None
    by_customer: bool = Field(default=False, description="by the link, not told to somebody of us")


class StepCarriedOut(WorkflowEvent):
    """A step of the accepted solution was carried out."""

    kind: str | None = None
    reference: str | None = None
    words_id: str


class ClockWarned(WorkflowEvent):
    """A clock passed a warning point."""

    clock: str
    due_at: datetime
    share: float = Field(description="share of the target used, 0…1")
    owner: str | None = Field(default=None, description=_WHO_SEES_TO_IT)


class ClockBreached(WorkflowEvent):
    """A clock passed its due time."""

    clock: str
    due_at: datetime
    late_seconds: float
    owner: str | None = Field(default=None, description=_WHO_SEES_TO_IT)
    alert: bool = Field(default=False, description="the policy lets the operators be told of it")


class ClockExtended(WorkflowEvent):
    """Somebody who may do so gave a clock more time; the reason's words are asked for by id."""

    clock: str
    policy: str = Field(description="name and version of the policy or regulatory pack")
    due_at: datetime | None = None
    previous_due_at: datetime | None = None
    words_id: str | None = None


class ClocksMoved(WorkflowEvent):
    """Running clocks are due at other times: graded anew, or the calendar has other days."""

    cause: Literal["regrade", "calendar"]
    priority: str
    clocks: tuple[ClockDue, ...] = Field(description="those that moved, and those that began")


class CustomerWrote(WorkflowEvent):
    """The customer added to the complaint, corrected it or objected; the words are intake's."""

    kind: str = Field(description="addition, correction or objection")
    owner: str | None = Field(default=None, description=_WHO_SEES_TO_IT)


class WaitingEnded(WorkflowEvent):
    """The customer did not answer in time: we go on without, from where we were."""

    due_at: datetime
    owner: str | None = None


class ApprovalRequested(WorkflowEvent):
    """A proposal waits for somebody who may make it: its amount is over its maker's authority."""

    role: str = Field(description="the least that may approve it")
    amount: Money
    round: int
    requested_by: str
    approver: str | None = Field(default=None, description="who was asked")
    due_at: datetime | None = Field(default=None, description="until when it is waited for")
    words_id: str


class ApprovalGranted(WorkflowEvent):
    """A proposal was approved; SolutionProposed follows."""

    role: str
    amount: Money
    by: str
    requested_by: str
    owner: str | None = None


class ApprovalRefused(WorkflowEvent):
    """A proposal was not approved: the customer does not hear of it."""

    role: str
    amount: Money
    by: str
    requested_by: str
    owner: str | None = None
    words_id: str | None = Field(default=None, description="why")


class PromiseMade(WorkflowEvent):
    """We promised the customer something by a time; the words are asked for by id."""

    promise: str
    due_at: datetime
    owner: str | None = None
    words_id: str


class PromiseKept(WorkflowEvent):
    """What we promised was done."""

    promise: str
    due_at: datetime | None = None
    words_id: str | None = None


class PromiseDelayed(WorkflowEvent):
    """A promise will be kept later than we said; said before the time that was promised."""

    promise: str
    due_at: datetime
    new_due_at: datetime
    owner: str | None = None
    by_itself: bool = Field(default=False, description="nobody had said so: the system did")
    words_id: str | None = Field(default=None, description="what was promised")
    reason_id: str | None = Field(default=None, description="why it takes longer")


class PromiseBroken(WorkflowEvent):
    """The time we promised passed, and nothing was said."""

    promise: str
    due_at: datetime
    owner: str | None = None
    words_id: str | None = None


class Escalated(WorkflowEvent):
    """The case went to a higher level."""

    level: int
    previous_level: int
    cause: str
    owner: str | None = None
    previous_owner: str | None = None
    asked_by_customer: bool = Field(
        default=False, description="the customer asked for it and is told that it was done"
    )
    emergency: bool = Field(default=False, description="the duty officer is paged")
    earlier_complaint: str | None = Field(
        default=None, description="the internal complaint that this one grew out of"
    )
    went_up: str | None = Field(
        default=None,
        description="why the customer went over our head: late, unsolved, result, attitude, direct",
    )


class DeEscalated(WorkflowEvent):
    """The case went back to a lower level."""

    level: int
    previous_level: int
    owner: str | None = None
    previous_owner: str | None = None


class UpdateDue(WorkflowEvent):
    """It is time that the customer hears from us again, even if nothing has changed."""

    due_at: datetime
    owner: str | None = None


class FollowUpDue(WorkflowEvent):
    """The time has come to ask the customer whether all is well, until `due_at`."""

    due_at: datetime | None = None
    owner: str | None = None
    round: int = Field(default=1, description="the round whose resolution is asked about")


class CallBackDue(WorkflowEvent):
    """The customer is to be called, as the question whether all is well got no other answer."""

    call_back: str = Field(description="id of the task")
    reason: str = Field(description="unanswered, unreachable, asked, or agreed with the customer")
    due_at: datetime | None = None
    owner: str | None = None


class SatisfactionRecorded(WorkflowEvent):
    """The customer told how satisfied they are; the words stay with who asked."""

    # `source` is what every event's class calls its service: in Python the field has another name.
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    score: int = Field(description="1 very dissatisfied … 5 very satisfied")
    told_by: str = Field(alias="source", description="survey or call")
    round: int = Field(default=1, description="the round whose resolution was judged")
    wants_call: bool = Field(default=False, description="the customer wants to be called")
    owner: str | None = None


class CaseMerged(WorkflowEvent):
    """A second complaint about the same matter: its case was added to the one that is open."""

    into: str = Field(description="id of the complaint whose case goes on")
    into_number: str
    owner: str | None = None
    department: str | None = None


class IncidentLinked(WorkflowEvent):
    """The case was found to have the same cause as others: it belongs to an incident."""

    incident: str = Field(description="id of the incident")
    owner: str | None = None
    department: str | None = None


class Resolved(WorkflowEvent):
    """All is done and the customer is told."""

    outcome: str
    verdict: str | None = None
    words_id: str


class Rejected(WorkflowEvent):
    """The complaint was found to be unfounded; the reason's words are asked for by id."""

    outcome: str = "rejected"
    verdict: str | None = None
    words_id: str


class Withdrawn(WorkflowEvent):
    """The customer took the complaint back."""

    outcome: str = "withdrawn"
    verdict: str | None = None


class Reopened(WorkflowEvent):
    """A resolved or closed case began another round."""

    round: int
    reason: str | None = Field(default=None, description="a code, never words")
    owner: str | None = None


class Closed(WorkflowEvent):
    """The case was filed."""

    outcome: str
    verdict: str | None = None
    root_cause: str | None = None
