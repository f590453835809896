"""What decisions are made by: policies, calendars and the organisation, as loaded at the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.workflow_service.calendars.domain.calendar import Calendar, RoundTheClock
from services.workflow_service.clocks.domain.policy import Policy, priority_of
from services.workflow_service.organisation.domain.people import Organisation
from shared.events.words import ClockKind
from shared.kernel.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Span:
    """A target worked out for one case: seconds of which calendar, by which line of the policy."""

    seconds: int
    calendar: Calendar
    rule: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything a decision about a case may ask. `policy` is the one new cases get."""

    policy: Policy
    working: Calendar
    organisation: Organisation
    earlier: Mapping[str, Policy] = field(default_factory=dict)
    always: Calendar = field(default_factory=RoundTheClock)
    _spans: dict[tuple[str, ClockKind, str, str], Span] = field(default_factory=dict)

    def policy_of(self, label: str) -> Policy:
        """Return the policy a case was opened under; raises ConfigurationError for a lost one."""
        if label == self.policy.label:
            return self.policy
        try:
            return self.earlier[label]
        except KeyError:
            raise ConfigurationError(
                "REDRESS_POLICY_FILE",
                f"cases were opened under {label}, which is not known any more",
            ) from None

    def calendar(self, name: str) -> Calendar:
        """Return the calendar that a clock names."""
        return self.always if name == self.always.name else self.working

    def waiting_ends(self, label: str, at: datetime) -> datetime:
        """Return until when we wait for the customer, having asked at `at`."""
        target = self.policy_of(label).awaiting_customer_ends_after
        calendar = self.working if target.business else self.always
        return calendar.add(at, target.counted_seconds(calendar.day_seconds, halved=False))

    def span(self, label: str, kind: ClockKind, *, priority: str, tier: str) -> Span:
        """Return a clock's target under a policy."""
        key = (label, kind, priority, tier)
        found = self._spans.get(key)
        if found is None:
            found = self._spans[key] = self._work_out(*key)
        return found

    def _work_out(self, label: str, kind: ClockKind, priority: str, tier: str) -> Span:
        policy = self.policy_of(label)
        target, line = policy.clocks[kind].target_for(priority_of(priority))
        calendar = self.working if target.business else self.always
        halved = policy.is_halved(tier)
        rule = f"{kind}/{line}" + (f"/half for {tier}" if halved else "")
        return Span(target.counted_seconds(calendar.day_seconds, halved=halved), calendar, rule)
