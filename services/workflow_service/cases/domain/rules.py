"""What decisions are made by: policies, calendars and the organisation, as loaded at the moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.workflow_service.calendars.domain.book import CalendarBook
from services.workflow_service.calendars.domain.calendar import Calendar, RoundTheClock
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.clocks.domain.clock import Clock, Timing
from services.workflow_service.clocks.domain.policy import ClockConduct, Policy, Subject
from services.workflow_service.clocks.domain.target import Target
from services.workflow_service.organisation.domain.people import Organisation
from shared.events.words import ClockKind
from shared.kernel.errors import ConfigurationError

_MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything a decision about a case may ask. `policy` is the one new cases get.

    Calendars are those of now, or of `moment` where the past is replayed. Targets worked out once
    are remembered by what the policy's rules look at: an import asks for the same few a hundred
    thousand times.
    """

    policy: Policy
    calendars: CalendarBook
    organisation: Organisation
    earlier: Mapping[str, Policy] = field(default_factory=dict)
    always: Calendar = field(default_factory=RoundTheClock)
    moment: datetime | None = None
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

    def knows(self, case: Case) -> bool:
        """Tell whether every policy and calendar that a case names is loaded."""
        if case.policy != self.policy.label and case.policy not in self.earlier:
            return False
        return all(self._has_calendar(clock.calendar) for clock in case.clocks if clock.is_open)

    def _has_calendar(self, label: str) -> bool:
        return label == self.always.name or self.calendars.has(label)

    def calendar(self, name: str) -> Calendar:
        """Return the calendar that a clock names; raises UnknownVersion for one not loaded here."""
        return self.always if name == self.always.name else self.calendars.labelled(name)

    def as_of(self, moment: datetime) -> Rules:
        """Return the rules with the calendars that were valid at a moment."""
        return replace(self, moment=moment, _timings={})

    def waiting_ends(self, label: str, at: datetime) -> datetime:
        """Return until when we wait for the customer, having asked at `at`."""
        policy = self.policy_of(label)
        target = policy.awaiting_customer_ends_after
        calendar = self._calendar_for(policy, target)
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
        calendar = self._calendar_for(policy, line.target)
        opens = policy.conduct_of(kind).opens_after
        return Timing(
            seconds=line.target.counted_seconds(calendar.day_seconds, halved=line.halved),
            calendar=calendar,
            policy=policy.label,
            rule=line.rule,
            marks=tuple(policy.warnings_of(kind)),
            opens_seconds=opens.counted_seconds(calendar.day_seconds) if opens else None,
        )

    def _calendar_for(self, policy: Policy, target: Target) -> Calendar:
        if not target.business:
            return self.always
        if self.moment is not None:
            return self.calendars.at(policy.calendar, self.moment)
        return self.calendars.current(policy.calendar)


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
