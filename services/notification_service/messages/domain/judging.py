"""May a message go now? What is superseded, too late, unwanted, at night or too much: pure rules.

Asked each time before a message is tried, so that a message that waited goes by what holds then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from services.notification_service.messages.domain.routing import Route, RoutingTable
from services.notification_service.messages.domain.words import Kind, Reason
from services.notification_service.preferences.domain.choices import Preferences, QuietHours
from services.notification_service.preferences.domain.quiet import quiet_until
from shared.events.words import Audience

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Manners:
    """The company's rules of writing to customers; a limit of 0 is none."""

    zone: ZoneInfo
    quiet_hours: QuietHours | None
    per_hour: int
    per_day: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is asked about; `untouched` while no gateway has ever had it."""

    id: str
    complaint_id: str
    recipient: str
    kind: str
    facts: Mapping[str, JsonValue]
    created_at: datetime
    untouched: bool
    route: Route
    is_urgent: bool
    is_withdrawn: bool = False
    """A later fact, of which nobody is told, has made it untrue."""


@dataclass(frozen=True, slots=True)
class Newer:
    """Another message about the same complaint that was not given up."""

    id: str
    complaint_id: str
    recipient: str
    kind: str
    route: str | None
    facts: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of the customer: choices, their zone, what they got lately."""

    chosen: Preferences
    zone: ZoneInfo | None
    told_at: Sequence[datetime]


@dataclass(frozen=True, slots=True)
class Skip:
    """It is never sent."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Wait:
    """It is asked about again at `until`."""

    reason: Reason
    until: datetime


def skipped_for(
    message: Waiting, newer: Iterable[Newer], routing: RoutingTable, *, now: datetime
) -> Skip | None:
    """Tell why a message is not sent any more, whoever it is for; None where it still may go."""
    if not message.route.enabled:
        return Skip(Reason.DISABLED)
    # What a gateway may have had is not taken back: `skipped` would be untrue.
    if not message.untouched:
        return None
    if message.is_withdrawn or any(_replaces(one, message, routing) for one in newer):
        return Skip(Reason.SUPERSEDED)
    return Skip(Reason.EXPIRED) if _is_late(message, now) else None


def held_for(
    message: Waiting, person: Person, manners: Manners, *, now: datetime
) -> Skip | Wait | None:
    """Tell until when a message to a customer has to wait, or that they want none.

    What is urgent never waits.
    """
    if message.route.audience is not Audience.CUSTOMER:
        return None
    if person.chosen.do_not_contact and not message.route.mandatory:
        return Skip(Reason.NO_CONSENT)
    if message.is_urgent:
        return None
    hours = person.chosen.quiet_hours or manners.quiet_hours
    if hours is not None:
        until = quiet_until(now, person.zone or manners.zone, hours)
        if until is not None and not _would_be_late(message, until):
            return Wait(Reason.QUIET_HOURS, until)
    if message.route.mandatory:
        return None
    free = free_at(person.told_at, manners, now=now)
    return Wait(Reason.RATE_LIMITED, free) if free > now else None


def free_at(told_at: Sequence[datetime], manners: Manners, *, now: datetime) -> datetime:
    """Return when one more message keeps within both limits; `told_at` may hold planned times."""
    free = now
    for most, span in ((manners.per_hour, HOUR), (manners.per_day, DAY)):
        recent = sorted(at for at in told_at if at > now - span)
        if 0 < most <= len(recent):
            free = max(free, recent[-most] + span)
    return free


def _replaces(newer: Newer, message: Waiting, routing: RoutingTable) -> bool:
    """Tell whether a newer fact makes an older message pointless."""
    if newer.id <= message.id or newer.recipient != message.recipient:
        return False
    row = routing.row(newer.route, newer.kind)
    if row is None or message.kind not in row.supersedes:
        return False
    # What is owed gives way to nothing less; the acknowledgement to nothing at all.
    if message.kind == Kind.ACKNOWLEDGEMENT or (message.route.mandatory and not row.mandatory):
        return False
    # A fact about one clock says nothing of another one, nor one promise of the next.
    clocks = [(facts["clock"], facts.get("due_at")) for facts in _with_clock(newer, message)]
    return len(clocks) < 2 or clocks[0] == clocks[1]


def _would_be_late(message: Waiting, until: datetime) -> bool:
    """Tell whether a broken promise would be announced only after the customer has waited for it.

    They are told before it is missed (domain.md section 2, step 10), at night too if it must be.
    """
    due = message.facts.get("due_at")
    is_delay = message.kind == Kind.PROMISE_DELAYED
    return is_delay and isinstance(due, str) and datetime.fromisoformat(due) <= until


def _with_clock(*messages: Newer | Waiting) -> list[Mapping[str, JsonValue]]:
    return [one.facts for one in messages if one.facts.get("clock")]


def _is_late(message: Waiting, now: datetime) -> bool:
    if message.route.mandatory:
        return False
    due = message.facts.get("due_at")
    # A warning of what has happened by now: the breach is told by itself.
    if message.kind == Kind.STAFF_WARNING and isinstance(due, str):
        return datetime.fromisoformat(due) <= now
    after = message.route.expires_after
    return after is not None and now - message.created_at >= after
