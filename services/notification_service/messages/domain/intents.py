"""From a fact to intents: who the recipients of a row are, and what its wording needs to know.

What is said to whom when is one table: `messages/routing.yaml`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from services.notification_service.messages.domain.conditions import Complaint
from services.notification_service.messages.domain.routing import RoutingTable, To
from services.notification_service.messages.domain.words import CUSTOMER, ROOM, Kind
from services.notification_service.recipients.domain.groups import OPERATORS, QUALITY, leads_of
from shared.events import cases, signals
from shared.events.base import EventData
from shared.events.words import Audience, ClockKind

Facts = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing to tell one recipient by one row; `facts` are what the wording needs to know."""

    kind: Kind
    audience: Audience
    recipient: str
    facts: Facts = field(default_factory=dict)
    route: str | None = None
    mandatory: bool = False


def intents_of(
    event: EventData, table: RoutingTable, complaint: Complaint | None = None
) -> Sequence[Intent]:
    """Return what the event has somebody told; empty for an event that is told to nobody.

    One message per fact: of two rows with the same wording for the same person the first holds.
    """
    found: dict[tuple[Kind, str], Intent] = {}
    for row in table.of(event, complaint or Complaint()):
        recipient = _recipient(event, row.to)
        if recipient is not None:
            facts = _facts(event, row.audience)
            intent = Intent(row.kind, row.audience, recipient, facts, row.name, row.mandatory)
            found.setdefault((row.kind, recipient), intent)
    return list(found.values())


def with_rooms(intents: Sequence[Intent], rooms: Mapping[str, Collection[str]]) -> Sequence[Intent]:
    """Return intents and those of the team's rooms: each room hears a kind once for a fact."""
    found = {
        (intent.kind, room): replace(intent, recipient=f"{ROOM}{room}", mandatory=False)
        for intent in intents
        if intent.audience is Audience.STAFF
        for room, kinds in rooms.items()
        if intent.kind in kinds
    }
    return [*intents, *found.values()]


def _recipient(event: EventData, to: To) -> str | None:
    match to:
        case To.CUSTOMER:
            return CUSTOMER
        case To.OPERATORS:
            return OPERATORS
        case To.QUALITY:
            return QUALITY
        case To.DEPARTMENT:
            # Who sees to it is not known: quality find out. Where they are told anyway, once.
            department = _name(event, "department")
            return leads_of(department) if department else QUALITY
        case To.OWNER | To.APPROVER:
            return _name(event, to.value)
        case To.PREVIOUS_OWNER:
            previous = _name(event, "previous_owner")
            return previous if previous != _name(event, "owner") else None


def _name(event: EventData, which: str) -> str | None:
    found: object = getattr(event, which, None)
    return found if isinstance(found, str) else None


_TO_ALL = frozenset(
    {"next_step", "next_due_at", "due_at", "new_due_at", "into_number", "state", "outcome"}
)
# How the house works inside is nobody's business outside, whatever a template asks for.
_FACTS: Mapping[Audience, frozenset[str]] = {
    Audience.CUSTOMER: _TO_ALL | {"words_id", "round", "final", "reference"},
    Audience.STAFF: _TO_ALL
    | {"clock", "level", "cause", "priority", "late_seconds", "handovers", "round"}
    | {"call_back", "score", "wants_call"},
}
_OF_HOTSPOTS = {"product", "region", "count", "usual", "since", "until"}


def _facts(event: EventData, audience: Audience) -> Facts:
    """Return the fields of the event that wordings speak of, and what is found out from others."""
    match event:
        case signals.HotspotDetected():
            return event.model_dump(mode="json", include=_OF_HOTSPOTS, exclude_none=True)
        case signals.IncidentOpened():
            told = event.model_dump(mode="json", include={"owner", "due_at"}, exclude_none=True)
            return told | {"count": event.complaints}
    names = set(_FACTS[audience])
    # Staff read words in the case; the one promise that slips is said, so that it is recognised.
    if isinstance(event, cases.PromiseDelayed):
        names.add("words_id")
    # A customer is told what the new time is for: an answer, a proposal, or all of it.
    if isinstance(event, cases.ClockExtended):
        names.add("clock")
    facts: Facts = event.model_dump(mode="json", include=names, exclude_none=True)
    return facts | _found_out(event, audience)


def _found_out(event: EventData, audience: Audience) -> Facts:
    match event:
        case cases.CaseOpened() if audience is Audience.CUSTOMER:
            due = {clock.kind: clock.due_at for clock in event.clocks}.get(ClockKind.FIRST_REPLY)
            return {"due_at": due.isoformat()} if due is not None else {}
        case cases.SolutionAccepted() if audience is Audience.STAFF:
            return {"chosen": event.option}
        case cases.CallBackDue() if audience is Audience.STAFF:
            return {"cause": event.reason}
        case cases.PromiseBroken() if audience is Audience.STAFF:
            return {"clock": ClockKind.PROMISE}
        case cases.ApprovalRequested() | cases.ApprovalGranted() | cases.ApprovalRefused():
            return {"amount": f"{event.amount.amount} {event.amount.currency}"}
        case _:
            return {}
