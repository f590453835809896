"""Which fact is told to whom: one table from event type to intents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from pydantic import JsonValue

from services.notification_service.messages.domain.words import CUSTOMER, OPERATORS, Kind
from shared.events import cases
from shared.events.base import EventData, WorkflowEvent
from shared.events.words import Audience, ClockKind

Facts = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing to tell one recipient; `facts` are what the wording needs of the event."""

    kind: Kind
    audience: Audience
    recipient: str
    facts: Facts = field(default_factory=dict)


Rule = Callable[[EventData], Sequence[Intent]]


def intents_of(event: EventData) -> Sequence[Intent]:
    """Return what the event has somebody told; empty for an event that is told to nobody."""
    rule = _RULES.get(type(event))
    return rule(event) if rule else ()


def _opened(event: EventData) -> Sequence[Intent]:
    assert isinstance(event, cases.CaseOpened)
    due = {clock.kind: clock.due_at for clock in event.clocks}.get(ClockKind.FIRST_REPLY)
    told = _customer(event, Kind.ACKNOWLEDGEMENT)
    if due is not None:
        told.facts["due_at"] = due.isoformat()
    return (told, *_owner(event, Kind.STAFF_ASSIGNMENT, event.owner, priority=event.priority))


def _handed_over(kind: Kind) -> Rule:
    def rule(event: EventData) -> Sequence[Intent]:
        assert isinstance(event, cases.CaseAssigned | cases.CaseTransferred)
        staff = _owner(event, Kind.STAFF_ASSIGNMENT, event.owner, handovers=event.handovers)
        return (_customer(event, kind), *staff)

    return rule


def _told_customer(kind: Kind, *names: str) -> Rule:
    """Tell the customer, with the event's fields `names`."""

    def rule(event: EventData) -> Sequence[Intent]:
        facts = event.model_dump(mode="json", include=set(names), exclude_none=True)
        return (_customer(event, kind, **facts),)

    return rule


def _warned(event: EventData) -> Sequence[Intent]:
    assert isinstance(event, cases.ClockWarned)
    # The acknowledgement is sent by machine within a minute: its warnings help no owner.
    if event.clock == ClockKind.ACKNOWLEDGE:
        return ()
    facts: Facts = {"clock": event.clock, "due_at": event.due_at.isoformat()}
    return _owner(event, Kind.STAFF_WARNING, event.owner, **facts)


def _breached(event: EventData) -> Sequence[Intent]:
    assert isinstance(event, cases.ClockBreached)
    facts: Facts = {
        "clock": event.clock,
        "due_at": event.due_at.isoformat(),
        "late_seconds": event.late_seconds,
    }
    # A breached acknowledgement means that messages do not leave: that is the operators' matter,
    # also in events from before `alert`. One without an owner would otherwise be told to nobody.
    if event.alert or event.clock == ClockKind.ACKNOWLEDGE or event.owner is None:
        return (Intent(Kind.OPERATOR_ALERT, Audience.STAFF, OPERATORS, facts),)
    return _owner(event, Kind.STAFF_BREACH, event.owner, **facts)


def _waiting_ended(event: EventData) -> Sequence[Intent]:
    assert isinstance(event, cases.WaitingEnded)
    facts: Facts = {"clock": "receive-information", "due_at": event.due_at.isoformat()}
    return _owner(event, Kind.STAFF_BREACH, event.owner, **facts)


def _escalated(event: EventData) -> Sequence[Intent]:
    assert isinstance(event, cases.Escalated)
    facts: Facts = {"level": event.level, "cause": event.cause}
    kind = Kind.STAFF_EMERGENCY if event.emergency else Kind.STAFF_ESCALATION
    told = _owner(event, kind, event.owner, **facts)
    if event.previous_owner not in {None, event.owner}:
        told += _owner(event, Kind.STAFF_HANDED_UP, event.previous_owner, **facts)
    return (_customer(event, Kind.ESCALATED), *told) if event.asked_by_customer else told


def _handed_down(event: EventData) -> Sequence[Intent]:
    assert isinstance(event, cases.DeEscalated)
    return _owner(event, Kind.STAFF_HANDED_DOWN, event.owner, level=event.level)


def _update_due(event: EventData) -> Sequence[Intent]:
    assert isinstance(event, cases.UpdateDue)
    return (_customer(event, Kind.PROGRESS, state=event.state),)


def _follow_up_due(event: EventData) -> Sequence[Intent]:
    assert isinstance(event, cases.FollowUpDue)
    due_at = event.due_at.isoformat() if event.due_at else None
    return _owner(event, Kind.STAFF_FOLLOW_UP, event.owner, due_at=due_at)


def _promise_delayed(event: EventData) -> Sequence[Intent]:
    assert isinstance(event, cases.PromiseDelayed)
    names = {"words_id", "due_at", "new_due_at"}
    facts = event.model_dump(mode="json", include=names, exclude_none=True)
    told = _customer(event, Kind.PROMISE_DELAYED, **facts)
    if not event.by_itself:
        return (told,)
    return (told, *_owner(event, Kind.STAFF_PROMISE_DELAYED, event.owner, **facts))


def _promise_broken(event: EventData) -> Sequence[Intent]:
    assert isinstance(event, cases.PromiseBroken)
    facts: Facts = {"due_at": event.due_at.isoformat()}
    words: Facts = {"words_id": event.words_id} if event.words_id else {}
    staff = _owner(event, Kind.STAFF_BREACH, event.owner, clock=ClockKind.PROMISE, **facts)
    return (_customer(event, Kind.PROMISE_BROKEN, **facts, **words), *staff)


def _merged(event: EventData) -> Sequence[Intent]:
    assert isinstance(event, cases.CaseMerged)
    facts: Facts = {"into_number": event.into_number}
    staff = _owner(event, Kind.STAFF_MERGED, event.owner, **facts)
    return (_customer(event, Kind.ACKNOWLEDGEMENT, **facts), *staff)


_SHOWN_TO_CUSTOMERS = frozenset({ClockKind.FIRST_REPLY, ClockKind.PROPOSE, ClockKind.RESOLVE})


def _extended(event: EventData) -> Sequence[Intent]:
    """Tell the customer of more time for what they wait for; clocks of the law are such too."""
    assert isinstance(event, cases.ClockExtended)
    by_law = "." in event.clock
    if event.due_at is None or (event.clock not in _SHOWN_TO_CUSTOMERS and not by_law):
        return ()
    return (_customer(event, Kind.EXTENDED, due_at=event.due_at.isoformat()),)


def _customer(event: EventData, kind: Kind, **facts: JsonValue) -> Intent:
    return Intent(kind, Audience.CUSTOMER, CUSTOMER, _next_step(event) | facts)


def _owner(
    event: EventData, kind: Kind, owner: str | None, **facts: JsonValue
) -> tuple[Intent, ...]:
    if owner is None:
        return ()
    return (Intent(kind, Audience.STAFF, owner, _next_step(event) | facts),)


def _next_step(event: EventData) -> Facts:
    """Return the case's next step and its time, which nearly every wording names."""
    assert isinstance(event, WorkflowEvent)
    facts: Facts = {}
    if event.next_step is not None:
        facts["next_step"] = event.next_step
    if event.next_due_at is not None:
        facts["next_due_at"] = event.next_due_at.isoformat()
    return facts


_RULES: Mapping[type[EventData], Rule] = MappingProxyType(
    {
        cases.CaseOpened: _opened,
        cases.CaseAssigned: _handed_over(Kind.ASSIGNED),
        cases.CaseTransferred: _handed_over(Kind.TRANSFERRED),
        cases.InformationRequested: _told_customer(Kind.INFORMATION_REQUESTED, "words_id"),
        cases.SolutionProposed: _told_customer(
            Kind.PROPOSAL, "words_id", "options", "round", "final"
        ),
        cases.StepCarriedOut: _told_customer(Kind.STEP, "words_id", "reference"),
        cases.Resolved: _told_customer(Kind.RESOLVED, "words_id", "outcome"),
        cases.Rejected: _told_customer(Kind.REJECTED, "words_id"),
        cases.Reopened: _told_customer(Kind.REOPENED, "round"),
        cases.Closed: _told_customer(Kind.CLOSED, "outcome"),
        cases.ClockWarned: _warned,
        cases.ClockBreached: _breached,
        cases.WaitingEnded: _waiting_ended,
        cases.Escalated: _escalated,
        cases.DeEscalated: _handed_down,
        cases.UpdateDue: _update_due,
        cases.FollowUpDue: _follow_up_due,
        cases.PromiseMade: _told_customer(Kind.PROMISE, "words_id", "due_at"),
        cases.PromiseKept: _told_customer(Kind.PROMISE_KEPT, "words_id"),
        cases.PromiseDelayed: _promise_delayed,
        cases.PromiseBroken: _promise_broken,
        cases.CaseMerged: _merged,
        cases.ClockExtended: _extended,
    }
)

TOLD: tuple[type[EventData], ...] = tuple(_RULES)
"""The events that somebody is told about."""
