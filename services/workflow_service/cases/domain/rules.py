"""What decisions are made by: policies, calendars and the organisation, as loaded at the moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.workflow_service.calendars.domain.calendar import Calendar, RoundTheClock
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.clocks.domain.clock import Clock, Timing
from services.workflow_service.clocks.domain.policy import (
    ClockConduct,
    OnBreach,
    Policy,
    Subject,
)
from services.workflow_service.clocks.domain.target import WHOLE, Target
from services.workflow_service.organisation.domain.people import Organisation
from shared.events.words import ClockKind
from shared.kernel.errors import ConfigurationError

_MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything a decision about a case may ask. `policy` is the one new cases get.

    Targets worked out once are remembered by what the policy's rules look at: an import asks for
    the same few a hundred thousand times.
    """

    policy: Policy
    working: Calendar
    organisation: Organisation
    earlier: Mapping[str, Policy] = field(default_factory=dict)
    always: Calendar = field(default_factory=RoundTheClock)
    _timings: dict[tuple[object, ...], Timing | None] = field(default_factory=dict)

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
        calendar = self._calendar_for(target)
        return calendar.add(at, target.counted_seconds(calendar.day_seconds))

    def conduct_of(self, clock: Clock) -> ClockConduct:
        """Return how a clock of a case runs."""
        return self.policy_of(clock.policy).conduct_of(ClockKind(clock.kind))

    def timing(self, case: Case, kind: ClockKind) -> Timing | None:
        """Return a clock's target for a case as it is now; None where its policy names none."""
        policy = self.policy_of(case.policy)
        subject = subject_of(case)
        key = (policy.label, kind, *(getattr(subject, name) for name in policy.fields))
        if key not in self._timings:
            if len(self._timings) >= _MOST_REMEMBERED:
                self._timings.clear()
            self._timings[key] = self._work_out(policy, kind, subject)
        return self._timings[key]

    def _work_out(self, policy: Policy, kind: ClockKind, subject: Subject) -> Timing | None:
        line = policy.line_for(kind, subject)
        if line is None:
            return None
        calendar = self._calendar_for(line.target)
        opens = policy.conduct_of(kind).opens_after
        return Timing(
            seconds=line.target.counted_seconds(calendar.day_seconds, halved=line.halved),
            calendar=calendar,
            policy=policy.label,
            rule=line.rule,
            marks=tuple(policy.warnings_of(kind)),
            opens_seconds=opens.counted_seconds(calendar.day_seconds) if opens else None,
            urgent=line.urgent,
        )

    def share_of(self, case: Case) -> int:
        """Return how much of a target the case's level leaves, in percent.

        An emergency has limits of its own, the same on every level.
        """
        if self.is_emergency(case):
            return WHOLE
        return self.policy_of(case.policy).escalation.share_at(case.escalation_level)

    def is_emergency(self, case: Case) -> bool:
        """Tell whether the case's policy makes it an emergency, as it is graded now."""
        return self.policy_of(case.policy).is_emergency(subject_of(case))

    def goes_up(self, clock: Clock) -> bool:
        """Tell whether a breach of the clock takes its case a level up."""
        return self.conduct_of(clock).on_breach is OnBreach.ESCALATE

    def _calendar_for(self, target: Target) -> Calendar:
        return self.working if target.business else self.always


def subject_of(case: Case) -> Subject:
    """Return what a policy's rules look at in a case."""
    facts = case.facts
    return Subject(
        category=case.category,
        priority=case.priority,
        tier=facts.tier,
        channel=facts.channel,
        segment=facts.segment,
        region=facts.region,
        department=case.department,
        severity=facts.severity,
    )
