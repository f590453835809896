"""The case: our handling of one complaint, whole and immutable; every change makes a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.workflow_service.cases.domain.call_back import CallBack, Satisfaction
from services.workflow_service.cases.domain.lifecycle import (
    OPEN_STATES,
    SETTLED_STATES,
    Action,
    allowed_from,
)
from services.workflow_service.cases.domain.promise import Promise
from services.workflow_service.clocks.domain.clock import Clock
from services.workflow_service.escalation.domain.ladder import may_rise
from services.workflow_service.remedies.domain.approval import Approval
from shared.events.cases import OptionOffered
from shared.events.words import CaseState, ClockKind

STEPS = frozenset(
    {
        ClockKind.ASSIGN,
        ClockKind.FIRST_REPLY,
        ClockKind.PROPOSE,
        ClockKind.CARRY_OUT,
        ClockKind.PROMISE,
        ClockKind.RESOLVE,
        ClockKind.FOLLOW_UP,
    }
)
"""The milestones that a customer waits for."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the complaint's event said about it, as far as handling needs it."""

    channel: str
    severity: str
    urgency: str
    tier: str
    language: str
    customer_id: str
    motive: str | None = None
    region: str | None = None
    product: str | None = None
    source_system: str | None = None
    repeat_of: str | None = None
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `version` rises with every change, `sequence` is that of its last event.

    `state_before` is where an awaiting case returns to, at `awaiting_until` by itself. `round`
    counts from 1, up at reopening. `causes` tells why it went up, the last time last, at
    `escalated_at`. `final_offer`: the present proposal is our last word. `watched` is why the case
    is on the watch list. `merged_into` is the complaint whose case goes on in its place. `approval`
    is a proposal of which the customer does not know yet: it waits for somebody to approve it.
    `satisfaction` is what the customer said last of how they were treated.
    """

    id: str
    number: str
    state: CaseState
    category: str
    priority: str
    opened_at: datetime
    policy: str
    facts: Facts
    owner: str | None = None
    department: str | None = None
    round: int = 1
    escalation_level: int = 0
    warning_level: str = "none"
    handovers: int = 0
    declines: int = 0
    options: tuple[OptionOffered, ...] = ()
    accepted_option: str | None = None
    outcome: str | None = None
    state_before: CaseState | None = None
    clocks: tuple[Clock, ...] = ()
    version: int = 1
    sequence: int = 0
    imported: bool = False
    awaiting_until: datetime | None = None
    promises: tuple[Promise, ...] = ()
    causes: tuple[str, ...] = ()
    escalated_at: datetime | None = None
    final_offer: bool = False
    watched: str | None = None
    merged_into: str | None = None
    changed_at: datetime | None = None
    approval: Approval | None = None
    call_backs: tuple[CallBack, ...] = ()
    satisfaction: Satisfaction | None = None

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to solve it."""
        return self.state in OPEN_STATES

    @property
    def is_settled(self) -> bool:
        """Whether nothing is waited for any more."""
        return self.state in SETTLED_STATES

    @property
    def allowed_actions(self) -> tuple[Action, ...]:
        """What may be done now."""
        if self.merged_into is not None:
            return ()
        impossible = {
            Action.ESCALATE: not may_rise(self.escalation_level),
            Action.DE_ESCALATE: self.escalation_level == 0,
            Action.APPROVE: self.approval is None,
            Action.REFUSE: self.approval is None,
        }
        return tuple(a for a in allowed_from(self.state) if not impossible.get(a))

    @property
    def open_call_back(self) -> CallBack | None:
        """The task to call the customer, while there is one."""
        return next((task for task in self.call_backs if task.is_open), None)

    @property
    def call_again_at(self) -> datetime | None:
        """When the owner is reminded to call the customer again."""
        task = self.open_call_back
        return task.call_again_at if task else None

    def next_point(self) -> datetime | None:
        """Return when a clock warns or breaches, a wait ends or a call is agreed; or None."""
        points = [clock.next_point() for clock in self.clocks]
        others = (self.awaiting_until, self.call_again_at)
        return min((at for at in (*points, *others) if at), default=None)

    def next_step(self) -> tuple[str | None, datetime | None]:
        """Return what comes next and when it is due: for tracking pages and CRM systems.

        Only steps that the customer waits for: not the message of receipt, nor what departments
        owe each other.
        """
        if self.state is CaseState.AWAITING_CUSTOMER:
            return Action.RECEIVE_INFORMATION.value, self.awaiting_until
        waiting = [
            (clock.due_at, str(clock.milestone))
            for clock in self.clocks
            if clock.is_open and clock.due_at and clock.milestone in STEPS
        ]
        if not waiting:
            return None, None
        due_at, kind = min(waiting)
        return kind, due_at

    def answerable(self, clock: Clock) -> str | None:
        """Return who sees to a clock: who promised, who was asked to approve, or the owner."""
        if clock.kind == ClockKind.PROMISE:
            owners = (one.owner for one in self.promises if one.id == clock.subject)
            return next(owners, None) or self.owner
        if clock.kind == ClockKind.APPROVE and self.approval is not None:
            return self.approval.approver or self.owner
        return self.owner

    def due_first(self) -> Clock | None:
        """Return the clock due first among milestones not reached; it may be overdue."""
        waiting = [
            (clock.due_at, place)
            for place, clock in enumerate(self.clocks)
            if clock.is_open and clock.due_at
        ]
        return self.clocks[min(waiting)[1]] if waiting else None

    def overdue_from(self) -> datetime | None:
        """Return the earliest due time among milestones not reached; it may lie in the past."""
        clock = self.due_first()
        return clock.due_at if clock else None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history. `why` is a code or a word of the system, `words_id` names words.

    `data` is what a replay of the clocks needs beyond action and time (`replay.py`), of a step that
    was carried out its reference; no words.
    """

    at: datetime
    by: str
    action: str
    from_state: str | None
    to_state: str
    why: str | None = None
    words_id: str | None = None
    note_id: str | None = None
    data: Mapping[str, object] | None = None
    recorded_at: datetime | None = None

    @property
    def known_at(self) -> datetime:
        """When the line was written, which may be later than what it tells of."""
        return self.recorded_at or self.at


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody wrote or said; stored encrypted, named by id in events and history.

    `details` are the options of a proposal: key, kind, text and amount.
    """

    id: str
    kind: str
    text: str | None
    by: str
    at: datetime
    details: tuple[Mapping[str, object], ...] = field(default=())
