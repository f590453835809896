"""What each event does to a fact: one small function per event, no store, no clock.

Every function is handed the fact, the event and when it happened, needed or not.

Events of one source come in order. Those of notification travel on a topic of their own, so
their functions must commute with all others: a replay may meet them earlier or later.
"""

# ruff: noqa: ARG001 (one signature for all, so that `handlers.py` is one table)

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from services.analytics_service.projections.domain.facts import CLOCK_KINDS, Fact
from shared.events import cases, complaints
from shared.events.base import EventData, NotificationEvent, WorkflowEvent
from shared.events.words import Audience, CaseState, ClockKind, ClockState, Outcome

Reaction = Callable[[Fact, EventData, datetime], None]


def naive(instant: datetime) -> datetime:
    """Return an aware instant as the store holds it: UTC without saying so."""
    # Pydantic has an object of its own for UTC: what counts is that there is nothing to convert.
    if instant.utcoffset():
        instant = instant.astimezone(UTC)
    # `replace(tzinfo=None)` takes five times as long, and every event has several instants.
    return datetime.combine(instant.date(), instant.time())


def _optional(instant: datetime | None) -> datetime | None:
    return None if instant is None else naive(instant)


def new_fact(data: complaints.ComplaintReceived) -> Fact:
    """Make the fact of a complaint that was just received."""
    # By place: with sixteen names it takes twice as long.
    return Fact(
        data.complaint_id,
        data.number,
        naive(data.received_at),
        data.category,
        data.channel,
        data.severity,
        data.urgency,
        data.priority,
        data.tier,
        data.language,
        data.product,
        data.region,
        None,
        _cell(data.h3) if data.h3 else None,
        data.motive,
        data.source_system,
        data.imported,
    )


def _cell(text: str) -> int:
    cell = int(text, 16)
    if not 0 < cell < 1 << 63:
        raise ValueError(f"h3: {text} is no cell")
    return cell


def regraded(fact: Fact, data: complaints.ComplaintRegraded, at: datetime) -> None:
    """Follow intake's opinion; the company's past figures move with it on purpose."""
    fact.category = data.category
    fact.severity = data.severity
    fact.urgency = data.urgency
    fact.priority = data.priority


def follow_case(fact: Fact, data: WorkflowEvent) -> None:
    """Take over what every event of workflow carries: state, and the next clock's due time.

    Comes after the event's own function, whose clocks it may give another due time.
    """
    fact.state = data.state
    if data.next_step in CLOCK_KINDS and data.next_due_at is not None:
        state = fact.clock(data.next_step)
        if state in (None, ClockState.CANCELLED):
            fact.set_clock(data.next_step, ClockState.RUNNING, naive(data.next_due_at))
        elif state in (ClockState.RUNNING, ClockState.PAUSED):
            setattr(fact, f"{data.next_step}_due_at", naive(data.next_due_at))


def opened(fact: Fact, data: cases.CaseOpened, at: datetime) -> None:
    """Start the clocks; an owner found at opening counts as assigned at once.

    The priority stays intake's, which owns the grade: it may have graded anew before this.
    """
    fact.department = data.department
    for clock in data.clocks:
        if fact.clock(clock.kind) is None:
            fact.set_clock(clock.kind, ClockState.RUNNING, _optional(clock.due_at))
        elif clock.kind in CLOCK_KINDS and clock.due_at is not None:
            # What notification says was read before this event.
            setattr(fact, f"{clock.kind}_due_at", naive(clock.due_at))
    if data.owner is not None:
        _assigned_at(fact, at)


def clocks_moved(fact: Fact, data: cases.ClocksMoved, at: datetime) -> None:
    """Take over other due times of clocks that run."""
    for clock in data.clocks:
        _due_at(fact, clock.kind, clock.due_at)


def clock_extended(fact: Fact, data: cases.ClockExtended, at: datetime) -> None:
    """Take over the due time of a clock that was given more time."""
    _due_at(fact, data.clock, data.due_at)


def imported(fact: Fact, data: cases.CaseImported, at: datetime) -> None:
    """Take a case as its source recorded it, in one step; the priority stays intake's."""
    fact.department = data.department
    fact.assigned_at = _optional(data.assigned_at)
    fact.first_reply_at = _optional(data.first_reply_at)
    fact.proposed_at = _optional(data.proposed_at)
    fact.resolved_at = _optional(data.resolved_at)
    fact.closed_at = _optional(data.closed_at)
    fact.outcome = data.outcome
    for clock in data.clocks:
        fact.set_clock(clock.kind, clock.state, _optional(clock.due_at))


def assigned(fact: Fact, data: cases.CaseAssigned, at: datetime) -> None:
    """Note that somebody owns it."""
    fact.department = data.department
    fact.handovers = data.handovers
    _assigned_at(fact, at)


def transferred(fact: Fact, data: cases.CaseTransferred, at: datetime) -> None:
    """Note that somebody else owns it; the first assignment stays the milestone."""
    fact.department = data.department
    fact.handovers = data.handovers
    _assigned_at(fact, at)


def contacted(fact: Fact, data: cases.CustomerContacted, at: datetime) -> None:
    """Count speaking as the first reply, or as the follow-up of a resolved case."""
    if data.state == CaseState.RESOLVED:
        fact.meet_clock(ClockKind.FOLLOW_UP)
    else:
        _replied_at(fact, at)


def information_requested(fact: Fact, data: cases.InformationRequested, at: datetime) -> None:
    """Count asking as a first reply too."""
    _replied_at(fact, at)


def proposed(fact: Fact, data: cases.SolutionProposed, at: datetime) -> None:
    """Take the first proposal as the milestone; later rounds leave it."""
    _replied_at(fact, at)
    fact.proposed_at = fact.proposed_at or at
    fact.meet_clock(ClockKind.PROPOSE)


def clock_breached(fact: Fact, data: cases.ClockBreached, at: datetime) -> None:
    """Take the timer's word over everything else that is known of this clock.

    A kind that is not known here, being newer, counts as a missed deadline all the same. Where a
    milestone was missed before, the clock that followed on it was missed too: the milestone is
    late since the first time.
    """
    fact.breached = True
    known_due_at = getattr(fact, f"{data.clock}_due_at", None)
    if fact.clock(data.clock) != ClockState.BREACHED or known_due_at is None:
        fact.set_clock(data.clock, ClockState.BREACHED, naive(data.due_at))


def escalated(fact: Fact, data: cases.Escalated, at: datetime) -> None:
    """Note the level the case is on now, and who got it there."""
    fact.escalation_level = data.level
    if data.owner is not None:
        _assigned_at(fact, at)


def de_escalated(fact: Fact, data: cases.DeEscalated, at: datetime) -> None:
    """Note the lower level that the case is on now, and who got it there."""
    fact.escalation_level = data.level
    if data.owner is not None:
        _assigned_at(fact, at)


def resolved(fact: Fact, data: cases.Resolved, at: datetime) -> None:
    """Count the last resolution: a later one takes the place of an earlier one."""
    fact.resolved_at = at
    fact.outcome = data.outcome
    fact.meet_clock(ClockKind.RESOLVE)
    for kind in (ClockKind.ASSIGN, ClockKind.FIRST_REPLY, ClockKind.PROPOSE):
        fact.cancel_clock(kind)


def follow_up_due(fact: Fact, data: cases.FollowUpDue, at: datetime) -> None:
    """Wait for the follow-up of this round: where a promise comes next nothing said so before."""
    if data.round == fact.reopened + 1 and fact.follow_up_clock != ClockState.BREACHED:
        fact.set_clock(ClockKind.FOLLOW_UP, ClockState.RUNNING, _optional(data.due_at))


def satisfaction_recorded(fact: Fact, data: cases.SatisfactionRecorded, at: datetime) -> None:
    """Keep what the customer said last; about an earlier round it says nothing of the present."""
    if data.round != fact.reopened + 1:
        fact.score = data.score if fact.score is None else fact.score
        return
    fact.score = data.score
    if not data.wants_call:
        fact.meet_clock(ClockKind.FOLLOW_UP)


def rejected(fact: Fact, data: cases.Rejected, at: datetime) -> None:
    """End a case without a resolution; the customer has an answer, which resolve waits for."""
    fact.meet_clock(ClockKind.RESOLVE)
    _end(fact, data.outcome)


def withdrawn(fact: Fact, data: cases.Withdrawn, at: datetime) -> None:
    """End a case without a resolution and without a time."""
    _end(fact, data.outcome)


def reopened(fact: Fact, data: cases.Reopened, at: datetime) -> None:
    """Open the case again: until it is resolved anew it has no time of resolution.

    A breach of an earlier round stays on record. It is late no more, so it loses its due time:
    the new round's clock is late only when it is breached itself.
    """
    fact.reopened += 1
    fact.outcome = fact.resolved_at = fact.closed_at = None
    fact.cancel_clock(ClockKind.FOLLOW_UP)
    for kind in (ClockKind.PROPOSE, ClockKind.RESOLVE):
        setattr(fact, f"{kind}_due_at", None)
        if fact.clock(kind) != ClockState.BREACHED:
            fact.set_clock(kind, ClockState.RUNNING)
    if data.owner is not None:
        _assigned_at(fact, at)


def closed(fact: Fact, data: cases.Closed, at: datetime) -> None:
    """File the case; nobody waits for the follow-up any more."""
    fact.closed_at = at
    _end(fact, data.outcome)


def merged(fact: Fact, data: cases.CaseMerged, at: datetime) -> None:
    """File a complaint that is handled with another one: it is no resolution of its own.

    Nor has it clocks: what its customer was told counts as a milestone, and no deadline was met.
    """
    fact.department = data.department
    fact.closed_at = at
    _end(fact, Outcome.MERGED)
    if fact.acknowledge_clock != ClockState.BREACHED:
        fact.acknowledge_clock = fact.acknowledge_due_at = None


def acknowledgement_sent(fact: Fact, data: NotificationEvent, at: datetime) -> None:
    """Note that the customer knows. Commutes with the case's opening and with a breach."""
    if not _is_acknowledgement(data):
        return
    if fact.acknowledged_at is None or at < fact.acknowledged_at:
        fact.acknowledged_at = at
    if _waits_for_acknowledgement(fact):
        fact.set_clock(ClockKind.ACKNOWLEDGE, ClockState.MET)


def acknowledgement_skipped(fact: Fact, data: NotificationEvent, at: datetime) -> None:
    """Drop the clock: there was nobody to acknowledge to."""
    if _is_acknowledgement(data) and _waits_for_acknowledgement(fact):
        fact.set_clock(ClockKind.ACKNOWLEDGE, ClockState.CANCELLED)


def _is_acknowledgement(data: NotificationEvent) -> bool:
    return data.kind == "acknowledgement" and data.audience == Audience.CUSTOMER


def _waits_for_acknowledgement(fact: Fact) -> bool:
    """Tell whether a message may decide the clock; before the case opened it may as well."""
    return fact.acknowledge_clock != ClockState.BREACHED and fact.outcome != Outcome.MERGED


def _due_at(fact: Fact, kind: str, due_at: datetime | None) -> None:
    """Take over when a clock is due now, if it runs."""
    if due_at is not None and fact.clock(kind) in (ClockState.RUNNING, ClockState.PAUSED):
        setattr(fact, f"{kind}_due_at", naive(due_at))


def _assigned_at(fact: Fact, at: datetime) -> None:
    fact.assigned_at = fact.assigned_at or at
    fact.meet_clock(ClockKind.ASSIGN)


def _replied_at(fact: Fact, at: datetime) -> None:
    fact.first_reply_at = fact.first_reply_at or at
    fact.meet_clock(ClockKind.FIRST_REPLY)


def _end(fact: Fact, outcome: str) -> None:
    fact.outcome = outcome
    for kind in CLOCK_KINDS:
        fact.cancel_clock(kind)
