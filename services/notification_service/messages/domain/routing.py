"""What is said when: the rows of the routing table, and the channel of a message."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    model_validator,
)

from services.notification_service.messages.domain.conditions import (
    COMPLAINT,
    AnyOf,
    Complaint,
    holds,
)
from services.notification_service.messages.domain.words import About, Kind, about_of
from shared.events.base import EventData, Signal, WorkflowEvent
from shared.events.cases import CaseImported
from shared.events.registry import EVENT_TYPES
from shared.events.signals import HotspotDetected, IncidentOpened
from shared.events.words import Audience, MessageChannel, PersonalChannel, Urgency

# An import (CaseImported) tells nobody anything, whatever a table says.
TELLABLE: Mapping[str, type[EventData]] = {
    model.__name__: model
    for model in EVENT_TYPES
    if issubclass(model, WorkflowEvent | Signal) and model is not CaseImported
}
"""The facts that somebody can be told of."""

_SIGNALS: Mapping[type[EventData], About] = {
    HotspotDetected: About.HOTSPOT,
    IncidentOpened: About.INCIDENT,
}

URGENT = frozenset({Urgency.HIGH, Urgency.IMMEDIATE})
"""Complaints whose messages are urgent where their row does not say otherwise."""

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _no_doubles(channels: tuple[PersonalChannel, ...]) -> tuple[PersonalChannel, ...]:
    if len(set(channels)) < len(channels):
        raise ValueError("names a channel twice")
    return channels


def _span(given: object) -> object:
    if not isinstance(given, str):
        return given
    found = re.fullmatch(r"([1-9]\d{0,4}) ?([mhd])", given)
    if found is None:
        raise ValueError("must be a time span such as 30m, 12h or 2d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


Channels = Annotated[tuple[PersonalChannel, ...], Field(min_length=1), AfterValidator(_no_doubles)]
Span = Annotated[timedelta, BeforeValidator(_span)]


class To(StrEnum):
    """Who is told; all but the customer are staff."""

    CUSTOMER = "customer"
    OWNER = "owner"
    PREVIOUS_OWNER = "previous_owner"
    APPROVER = "approver"
    DEPARTMENT = "department"
    """Those who lead the event's department."""
    QUALITY = "quality"
    OPERATORS = "operators"


_NAMED_BY_EVENT = frozenset({To.OWNER, To.PREVIOUS_OWNER, To.APPROVER, To.DEPARTMENT})


def subject_kind(model: type[EventData]) -> About:
    """Return what an event is about."""
    return _SIGNALS.get(model, About.COMPLAINT)


class Row(BaseModel):
    """What every row has: a fact, its conditions, and which unsent messages it makes pointless.

    `when` and `unless` are conditions on the event and the complaint: any of the alternatives, of
    which each wants all its tests.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")
    event: str
    when: AnyOf = ()
    unless: AnyOf = ()
    enabled: bool = True
    supersedes: frozenset[Kind] = frozenset()

    def applies(self, fields: Mapping[str, JsonValue]) -> bool:
        """Tell whether the conditions hold for the fields of an event and its complaint."""
        return (not self.when or holds(self.when, fields)) and not holds(self.unless, fields)

    @model_validator(mode="after")
    def _speaks_of_an_event(self) -> Self:
        model = TELLABLE.get(self.event)
        if model is None:
            raise ValueError(f"{self.event} is no fact that somebody can be told of")
        named = {info.alias or name for name, info in model.model_fields.items()}
        known = {*named, *COMPLAINT} if subject_kind(model) is About.COMPLAINT else named
        for tested in (one for tests in (*self.when, *self.unless) for one in tests):
            if tested not in known:
                raise ValueError(f"{self.event} has no field {tested} to put a condition on")
        return self


class Withdrawal(Row):
    """A row that tells nobody: what its fact makes untrue, and no gateway has had, is not sent.

    `supersedes` names the kinds, whoever they are for, owed or not: who has answered must not be
    asked in the morning. Only the acknowledgement is beyond it.
    """

    to: Literal["nobody"]
    supersedes: frozenset[Kind] = Field(min_length=1)


class Route(Row):
    """One row: this fact, under these conditions, is told to them in this wording, this way.

    `calm` and `urgent` are channels, preferred first. `urgency`
    says whether the message is urgent: as its complaint is (calm where there is none), always or
    never; what is urgent passes quiet hours. A `mandatory` one needs proof that it arrived. One
    that is not `enabled` is skipped with that reason. `supersedes` names kinds whose unsent older
    messages to the same person about the same thing this one replaces.
    """

    to: To
    kind: Kind
    calm: Channels
    urgent: Channels
    urgency: Literal["as_complaint", "always", "never"] = "as_complaint"
    mandatory: bool = False
    expires_after: Span | None = None

    @property
    def audience(self) -> Audience:
        """Whether the customer or staff are told."""
        return Audience.CUSTOMER if self.to is To.CUSTOMER else Audience.STAFF

    def is_urgent(self, complaint_urgency: str) -> bool:
        """Tell whether a message by this row is urgent, for a complaint of that urgency."""
        if self.urgency == "as_complaint":
            return complaint_urgency in URGENT
        return self.urgency == "always"

    def order(self, complaint_urgency: str) -> tuple[MessageChannel, ...]:
        """Return the channels of a message by this row, preferred first."""
        return self.urgent if self.is_urgent(complaint_urgency) else self.calm

    @model_validator(mode="after")
    def _fits(self) -> Self:
        model = TELLABLE[self.event]
        if self.to in _NAMED_BY_EVENT and self.to not in model.model_fields:
            raise ValueError(f"{self.event} names no {self.to}")
        self._suits(subject_kind(model))
        return self

    def _suits(self, about: About) -> None:
        """Refuse what does not go with what the event is about, or with who is told."""
        if about is not About.COMPLAINT and self.to is To.CUSTOMER:
            raise ValueError(f"{self.event} is about no customer")
        if about is not About.COMPLAINT and self.mandatory:
            raise ValueError(f"{self.event} cannot be mandatory: proof is for what customers get")
        to_staff = self.kind.startswith(("staff_", "operator_"))
        if to_staff is (self.to is To.CUSTOMER):
            raise ValueError(f"{self.kind} is no wording for {self.to}")
        if about is not about_of(self.kind):
            raise ValueError(f"{self.kind} is no wording for {self.event}")


R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """All rows by name, in their order: those that tell somebody, and those that tell nobody."""

    rows: Mapping[str, Route]
    withdrawals: Mapping[str, Withdrawal] = field(default_factory=dict)

    def of(self, event: EventData, complaint: Complaint) -> list[Route]:
        """Return the rows that apply to an event."""
        return _applying(self.rows.values(), event, complaint)

    def withdrawn_by(self, event: EventData, complaint: Complaint) -> frozenset[Kind]:
        """Return the kinds of messages that an event makes untrue, beside what it tells."""
        rows = _applying(self.withdrawals.values(), event, complaint)
        return frozenset(kind for row in rows if row.enabled for kind in row.supersedes)

    def speaks_of(self, event: EventData) -> bool:
        """Tell whether any row is about this kind of event."""
        every = (*self.rows.values(), *self.withdrawals.values())
        return any(row.event == type(event).__name__ for row in every)

    def row(self, name: str | None, kind: str) -> Route | None:
        """Return a row by name, else the first of its kind: tables change, queued messages stay."""
        named = self.rows.get(name or "")
        if named is not None and named.kind == kind:
            return named
        return next((row for row in self.rows.values() if row.kind == kind), None)


def _applying(rows: Iterable[R], event: EventData, complaint: Complaint) -> list[R]:
    spoken_of = [row for row in rows if row.event == type(event).__name__]
    if not spoken_of:
        return []
    fields = event.model_dump(mode="json") | complaint.fields()
    return [row for row in spoken_of if row.applies(fields)]


def channel_for(
    order: Iterable[MessageChannel],
    *,
    known: Collection[MessageChannel],
    tried: Collection[str] = (),
) -> MessageChannel | None:
    """Return the first channel that has an address and was not given up; None without one."""
    for channel in order:
        if channel in known and channel not in tried:
            return channel
    return None
