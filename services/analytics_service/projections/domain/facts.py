"""The fact: one complaint as the figures see it, and what one stage change leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple

from shared.events.base import Source
from shared.events.words import CaseState, ClockKind, ClockState

CLOCK_KINDS: tuple[str, ...] = (
    ClockKind.ACKNOWLEDGE,
    ClockKind.ASSIGN,
    ClockKind.FIRST_REPLY,
    ClockKind.PROPOSE,
    ClockKind.RESOLVE,
    ClockKind.FOLLOW_UP,
)
"""The clocks that every case has; each has its columns in the fact row."""
_CLOCK_STATES = frozenset(ClockState)
OPEN_STATES = frozenset(
    {
        CaseState.RECEIVED,
        CaseState.ASSIGNED,
        CaseState.INVESTIGATING,
        CaseState.AWAITING_CUSTOMER,
        CaseState.PROPOSED,
        CaseState.EXECUTING,
    }
)


class Milestone(StrEnum):
    """What a complaint reaches on its way, in the usual order; each fact has `<milestone>_at`."""

    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    FIRST_REPLY = "first_reply"
    PROPOSED = "proposed"
    RESOLVED = "resolved"


@dataclass(slots=True)
class Fact:
    """One complaint. Instants are naive UTC, as DuckDB's TIMESTAMP is; spans are seconds.

    `<source>_sequence` is the last event of that source folded in: what is not higher was seen.
    `to_<milestone>` are kept rather than computed by each query: ten million rows are read often
    and a row changes a dozen times in its life. `<stage>_band` is the narrow band that a span lies
    in (`bands`): percentiles are found by counting it.
    """

    complaint_id: str
    number: str
    received_at: datetime
    category: str
    channel: str
    severity: str
    urgency: str
    priority: str
    tier: str
    language: str
    product: str | None = None
    region: str | None = None
    department: str | None = None
    h3: int | None = None
    motive: str | None = None
    source_system: str | None = None
    imported: bool = False
    state: str = CaseState.RECEIVED.value
    outcome: str | None = None
    escalation_level: int = 0
    reopened: int = 0
    handovers: int = 0
    breached: bool = False
    score: int | None = None
    acknowledged_at: datetime | None = None
    assigned_at: datetime | None = None
    first_reply_at: datetime | None = None
    proposed_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    to_acknowledge: float | None = None
    to_assign: float | None = None
    to_first_reply: float | None = None
    to_propose: float | None = None
    to_resolve: float | None = None
    total: float | None = None
    to_acknowledge_band: int | None = None
    to_assign_band: int | None = None
    to_first_reply_band: int | None = None
    to_propose_band: int | None = None
    to_resolve_band: int | None = None
    total_band: int | None = None
    acknowledge_clock: str | None = None
    acknowledge_due_at: datetime | None = None
    assign_clock: str | None = None
    assign_due_at: datetime | None = None
    first_reply_clock: str | None = None
    first_reply_due_at: datetime | None = None
    propose_clock: str | None = None
    propose_due_at: datetime | None = None
    resolve_clock: str | None = None
    resolve_due_at: datetime | None = None
    follow_up_clock: str | None = None
    follow_up_due_at: datetime | None = None
    intake_sequence: int = 0
    workflow_sequence: int = 0
    notification_sequence: int = 0

    def clock(self, kind: str) -> str | None:
        """Return the state of a clock, None where this complaint has none of that kind."""
        state: str | None = getattr(self, f"{kind}_clock", None)
        return state

    def set_clock(self, kind: str, state: str, due_at: datetime | None = None) -> None:
        """Change a clock's state, and its due time where one is given; unknown words are left."""
        if kind not in CLOCK_KINDS or state not in _CLOCK_STATES:
            return
        setattr(self, f"{kind}_clock", str(state))
        if due_at is not None:
            setattr(self, f"{kind}_due_at", due_at)
        if state == ClockState.BREACHED:
            self.breached = True

    def meet_clock(self, kind: str) -> None:
        """Stop a running clock in time; a breached one stays breached, for late is not in time."""
        if self.clock(kind) in (ClockState.RUNNING, ClockState.PAUSED):
            self.set_clock(kind, ClockState.MET)

    def cancel_clock(self, kind: str) -> None:
        """Stop waiting for a clock; what was met or breached stays so."""
        if self.clock(kind) in (ClockState.RUNNING, ClockState.PAUSED):
            self.set_clock(kind, ClockState.CANCELLED)


class StageChange(NamedTuple):
    """A case went from one state to another, moved by event `sequence` of workflow."""

    complaint_id: str
    sequence: int
    at: datetime
    event: str
    from_state: str | None
    to_state: str
    department: str | None


SEQUENCE_OF: dict[str, str] = {
    Source.INTAKE: "intake_sequence",
    Source.WORKFLOW: "workflow_sequence",
    Source.NOTIFICATION: "notification_sequence",
}

COLUMNS: tuple[str, ...] = tuple(Fact.__slots__)
as_row = attrgetter(*COLUMNS)
