"""Which targets a case gets: ordered rules, and for each clock the first that matches wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from services.workflow_service.clocks.domain.target import (
    WHOLE,
    Mark,
    MarkText,
    PercentText,
    Target,
    TargetText,
)
from services.workflow_service.organisation.domain.person import StaffRole
from services.workflow_service.remedies.domain.authority import Authority
from shared.events.words import CaseState, Channel, ClockKind, Priority, Segment, Severity, Tier

ROUND_THE_CLOCK = "calendar-hours"
"""The calendar of targets in plain hours and days."""

REQUIRED: tuple[ClockKind, ...] = (
    ClockKind.ACKNOWLEDGE,
    ClockKind.ASSIGN,
    ClockKind.FIRST_REPLY,
    ClockKind.PROPOSE,
    ClockKind.RESOLVE,
    ClockKind.FOLLOW_UP,
)
"""The clocks that every case has; the others run where a policy names a target for them."""


LAST_VERSION = 999_999_999
"""With the longest name, a label as long as it is stored."""

LEVELS = (1, 2, 3, 4)
"""The levels of escalation above the front line."""


class OnBreach(StrEnum):
    """What follows when a target is missed."""

    ESCALATE = "escalate"
    """The case goes a level up."""
    TELL = "tell"
    """The owner is told."""
    ALERT = "alert"
    """The operators are told: it is the machine's fault."""


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


Channels = Annotated[tuple[Channel, ...], BeforeValidator(_listed)]
Priorities = Annotated[tuple[Priority, ...], BeforeValidator(_listed)]
Segments = Annotated[tuple[Segment, ...], BeforeValidator(_listed)]
Severities = Annotated[tuple[Severity, ...], BeforeValidator(_listed)]
Tiers = Annotated[tuple[Tier, ...], BeforeValidator(_listed)]
Words = Annotated[tuple[str, ...], BeforeValidator(_listed)]


@dataclass(frozen=True, slots=True)
class Subject:
    """What rules look at in a case."""

    category: str
    priority: str
    tier: str
    channel: str
    segment: str | None = None
    region: str | None = None
    department: str | None = None
    severity: str | None = None


class When(BaseModel):
    """A condition: all fields that are given must match; values of one field are alternatives.

    A category or region names all below it: `logistics` matches `logistics.short`, `CN` matches
    `CN-31`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: Words = ()
    priority: Priorities = ()
    tier: Tiers = ()
    segment: Segments = ()
    channel: Channels = ()
    region: Words = ()
    department: Words = ()
    severity: Severities = ()

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields that are looked at."""
        return tuple(name for name in type(self).model_fields if getattr(self, name))

    def matches(self, subject: Subject) -> bool:
        """Tell whether a case fulfils the condition."""
        return all(self._matches(name, getattr(subject, name)) for name in self.fields)

    def _matches(self, name: str, value: str | None) -> bool:
        if value is None:
            return False
        wanted = getattr(self, name)
        if value in wanted:
            return True
        joint = {"category": ".", "region": "-"}.get(name)
        return joint is not None and any(value.startswith(word + joint) for word in wanted)


Conditions = Annotated[tuple[When, ...], BeforeValidator(_listed)]


class PolicyRule(BaseModel):
    """One rule: for which cases, and the targets it gives them by clock."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    when: When = When()
    targets: Mapping[ClockKind, TargetText] = Field(min_length=1)


class ClockConduct(BaseModel):
    """How one clock runs, whatever its target: when it stands still, warns, and what follows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    warnings: tuple[MarkText, ...] | None = None
    pauses_in: tuple[CaseState, ...] = ()
    opens_after: TargetText | None = None
    on_breach: OnBreach = OnBreach.ESCALATE

    @model_validator(mode="after")
    def _pauses_where_work_goes_on(self) -> ClockConduct:
        never = {CaseState.CLOSED, CaseState.REJECTED, CaseState.WITHDRAWN}
        if never & set(self.pauses_in):
            raise ValueError("clocks end in closed, rejected and withdrawn; they do not pause")
        return self


class Ladder(BaseModel):
    """How much of every target a case gets at each level of escalation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shares: Mapping[int, PercentText] = Field(default_factory=lambda: {1: 75, 2: 50, 3: 50, 4: 50})

    @model_validator(mode="after")
    def _complete(self) -> Ladder:
        if set(self.shares) != set(LEVELS):
            raise ValueError("give a share to each of the levels 1, 2, 3 and 4")
        return self

    def share_at(self, level: int) -> int:
        """Return the share of a target in percent; the front line has all of it."""
        return self.shares.get(level, WHOLE)


class Emergency(BaseModel):
    """Which cases are emergencies, and the limits they have instead of all others (S3).

    Several conditions are alternatives. Nothing makes these limits shorter or longer: not the
    customer's tier or segment, not the level of escalation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: Conditions
    targets: Mapping[ClockKind, TargetText] = Field(min_length=1)

    @model_validator(mode="after")
    def _some_cases(self) -> Emergency:
        if not self.when or not all(condition.fields for condition in self.when):
            raise ValueError("say which cases: without a condition every case is an emergency")
        return self

    def covers(self, subject: Subject) -> bool:
        """Tell whether a case is an emergency."""
        return any(condition.matches(subject) for condition in self.when)


class Halved(BaseModel):
    """Who gets half of every target."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tiers: Tiers = ()
    segments: Segments = ()


class PromiseConduct(BaseModel):
    """When the customer is given a new time by itself, how much later it is, and how often."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    customer_told_at: MarkText = Mark(percent=90)
    delayed_by: PercentText = 50
    delays_by_itself: int = Field(default=1, ge=0, le=10)


class AfterAsking(StrEnum):
    """What asking whether the customer is satisfied came to."""

    ANSWER = "answer"
    NO_ANSWER = "no_answer"


class SatisfactionConduct(BaseModel):
    """Which score reopens, when and how often customers are called, and what closes a case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low_score: int = Field(default=2, ge=0, le=5)
    call_back_at: MarkText = Mark(percent=75)
    attempts: int = Field(default=3, ge=1, le=20)
    closes_after: tuple[AfterAsking, ...] = (AfterAsking.ANSWER, AfterAsking.NO_ANSWER)


@dataclass(frozen=True, slots=True)
class Line:
    """The line of a policy that gives a clock its target. `rule` is how explanations name it.

    `urgent`: the limit of an emergency.
    """

    target: Target
    halved: bool
    rule: str
    urgent: bool = False


class PackUse(BaseModel):
    """A regulatory pack that a policy switches on, by `when` only for some cases."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    when: When | None = None


def _pack(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class Extensions(BaseModel):
    """Who may give a clock of ours more time, and by how much of its target at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: StaffRole = StaffRole.LEAD
    at_most: PercentText = 100


class Policy(BaseModel):
    """One version of the company's targets. A case keeps the version it was opened under."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    version: int = Field(ge=1, le=LAST_VERSION)
    calendar: str = "company"
    warnings: tuple[MarkText, ...] = (Mark(percent=50), Mark(percent=80))
    halved_for: Halved = Halved()
    awaiting_customer_ends_after: TargetText = Target(seconds=7 * 86400, days=0, business=False)
    promises: PromiseConduct = PromiseConduct()
    satisfaction: SatisfactionConduct = SatisfactionConduct()
    packs: tuple[Annotated[PackUse, BeforeValidator(_pack)], ...] = ()
    extensions: Extensions = Extensions()
    authority: Authority = Authority({})
    clocks: Mapping[ClockKind, ClockConduct] = Field(default_factory=dict)
    escalation: Ladder = Ladder()
    emergency: Emergency | None = None
    rules: tuple[PolicyRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _complete(self) -> Policy:
        names = [rule.name for rule in self.rules]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two rules are named {name!r}")
        given = {kind for rule in self.rules if not rule.when.fields for kind in rule.targets}
        missing = [kind.value for kind in REQUIRED if kind not in given]
        if missing:
            raise ValueError(
                f"some cases would get no target for {', '.join(missing)}: "
                "end with a rule without `when` that names them"
            )
        self._check_order()
        return self

    def _check_order(self) -> None:
        taken: dict[ClockKind, str] = {}
        for rule in self.rules:
            hidden = [kind for kind in rule.targets if kind in taken]
            if hidden:
                kind = hidden[0]
                raise ValueError(
                    f"rule {rule.name!r} can never give a target for {kind}: "
                    f"{taken[kind]!r} before it matches every case"
                )
            if not rule.when.fields:
                taken.update(dict.fromkeys(rule.targets, rule.name))

    @property
    def label(self) -> str:
        """The name and version that a case keeps, such as `company@3`."""
        return f"{self.name}@{self.version}"

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """What the rules look at in a case: cases alike in these get the same targets."""
        used = {name for rule in self.rules for name in rule.when.fields}
        if self.halved_for.tiers:
            used.add("tier")
        if self.halved_for.segments:
            used.add("segment")
        if self.emergency is not None:
            used |= {name for when in self.emergency.when for name in when.fields}
        return tuple(sorted(used))

    def line_for(self, kind: ClockKind, subject: Subject) -> Line | None:
        """Return the first rule's target for a clock; None where the policy has no such clock.

        An emergency's own limits come before every rule.
        """
        if self.emergency is not None and self.emergency.covers(subject):
            limit = self.emergency.targets.get(kind)
            if limit is not None:
                return Line(limit, halved=False, rule=f"emergency/{kind}", urgent=True)
        for rule in self.rules:
            target = rule.targets.get(kind)
            if target is not None and rule.when.matches(subject):
                halved, whom = self._halved(subject)
                return Line(target, halved, f"{rule.name}/{kind}{whom}")
        return None

    def _halved(self, subject: Subject) -> tuple[bool, str]:
        for word, listed in (
            (subject.tier, self.halved_for.tiers),
            (subject.segment, self.halved_for.segments),
        ):
            if word in listed:
                return True, f"/half for {word}"
        return False, ""

    def is_emergency(self, subject: Subject) -> bool:
        """Tell whether a case is an emergency."""
        return self.emergency is not None and self.emergency.covers(subject)

    def conduct_of(self, kind: ClockKind) -> ClockConduct:
        """Return how a clock runs."""
        return self.clocks.get(kind) or _CONDUCT.get(kind) or _DEFAULT_CONDUCT

    def warnings_of(self, kind: ClockKind) -> Sequence[Mark]:
        """Return the points at which a clock warns."""
        own = self.conduct_of(kind).warnings
        return self.warnings if own is None else own


_DEFAULT_CONDUCT = ClockConduct()
_CONDUCT: Mapping[ClockKind, ClockConduct] = {
    # A late message of receipt is a fault of the machine: no person above can mend it.
    ClockKind.ACKNOWLEDGE: ClockConduct(warnings=(), on_breach=OnBreach.ALERT),
    # When it is due the customer hears from us by itself: there is nothing to warn of.
    ClockKind.NEXT_UPDATE: ClockConduct(warnings=(), on_breach=OnBreach.TELL),
}
