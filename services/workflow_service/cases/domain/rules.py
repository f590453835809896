"""What decisions are made by: policies, calendars and the organisation, as loaded at the moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter

from services.workflow_service.calendars.domain.book import CalendarBook
from services.workflow_service.calendars.domain.calendar import (
    Calendar,
    RoundTheClock,
    WorkingCalendar,
)
from services.workflow_service.cases.domain.case import Case, Facts
from services.workflow_service.clocks.domain.clock import Clock, Timing
from services.workflow_service.clocks.domain.pack import (
    Deadline,
    Pack,
    due_after,
    is_of_a_pack,
)
from services.workflow_service.clocks.domain.policy import (
    ClockConduct,
    OnBreach,
    Policy,
    Subject,
)
from services.workflow_service.clocks.domain.target import WHOLE, Mark, Target
from services.workflow_service.clocks.domain.wording import Both, name_of
from services.workflow_service.organisation.domain.people import Assignment, Organisation
from shared.events.words import ClockKind
from shared.kernel.errors import ConfigurationError
from shared.kernel.records import replace

_MOST_REMEMBERED = 20_000
_WHERE: Mapping[str, str] = {
    "category": "category",
    "priority": "priority",
    "department": "department",
    **{name: f"facts.{name}" for name in ("tier", "channel", "segment", "region", "severity")},
}
"""Where a case has what the rules of a policy look at."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything a decision about a case may ask. `policy` is the one new cases get.

    Calendars are those of now, or of `moment` where the past is replayed. Targets worked out once
    are remembered by what the policy's rules look at: an import asks for the same few a hundred
    thousand times. `load` is open cases by owner, for routing.
    """

    policy: Policy
    calendars: CalendarBook
    organisation: Organisation
    earlier: Mapping[str, Policy] = field(default_factory=dict)
    packs: Mapping[str, Pack] = field(default_factory=dict)
    always: Calendar = field(default_factory=RoundTheClock)
    moment: datetime | None = None
    load: Mapping[str, int] = field(default_factory=dict)
    _timings: dict[tuple[object, ...], Timing | None] = field(default_factory=dict)
    _emergencies: dict[tuple[object, ...], bool] = field(default_factory=dict)
    _looks: dict[str, Callable[[Case], object]] = field(default_factory=dict)

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
        if is_of_a_pack(clock.kind):
            return self.pack_of(clock).deadline(clock.kind).conduct
        return self.policy_of(clock.policy).conduct_of(ClockKind(clock.kind))

    def route(self, category: str, facts: Facts, *, complaint_id: str, at: datetime) -> Assignment:
        """Choose department and owner: by category and language, who is there, and their load."""
        return self.organisation.route(
            category,
            complaint_id=complaint_id,
            language=facts.language,
            at=at,
            load=self.load,
            segment=facts.segment,
        )

    def by_law(self, case: Case) -> Iterable[tuple[str, Timing]]:
        """Return the clocks that rules from outside give a case: kind, and timing from its receipt.

        They begin with the whole second of the receipt (`begins_by_law`), so that they end with the
        last day and not a fraction of a second after it.
        A pack that the policy names more than once, for different cases, binds a case once.
        """
        policy = self.policy_of(case.policy)
        bound: set[str] = set()
        for use in policy.packs:
            pack = self._pack(use.name)
            wanted = pack.when if use.when is None else use.when
            if pack.name in bound or not wanted.matches(subject_of(case)):
                continue
            bound.add(pack.name)
            for deadline in pack.deadlines:
                yield pack.kind_of(deadline), self._by_law(pack, deadline, case.opened_at, policy)

    def timing_by_law(self, case: Case, clock: Clock) -> Timing:
        """Return what a clock of a pack is started by, as its calendar is known now."""
        pack = self.pack_of(clock)
        policy = self.policy_of(case.policy)
        timing = self._by_law(pack, pack.deadline(clock.kind), case.opened_at, policy)
        return replace(timing, policy=clock.policy)

    def _by_law(
        self, pack: Pack, deadline: Deadline, received_at: datetime, policy: Policy
    ) -> Timing:
        calendar = self._statutory(pack.calendar)
        due_at = due_after(received_at, deadline.within, deadline.until, calendar)
        warnings = policy.warnings if deadline.warnings is None else deadline.warnings
        return Timing(
            seconds=(due_at - begins_by_law(received_at)) // timedelta(seconds=1),
            calendar=self.always,
            policy=pack.label,
            rule=deadline.name,
            marks=tuple(warnings),
            reached_by=deadline.met_by,
        )

    def name_of(self, clock: Clock) -> Both:
        """Return what a clock is called."""
        if is_of_a_pack(clock.kind):
            return self.pack_of(clock).name_of(clock.kind)
        return name_of(clock.kind)

    def law_of(self, clock: Clock) -> Both | None:
        """Return the rule from outside that a clock keeps, in words; None for one of ours."""
        if not is_of_a_pack(clock.kind):
            return None
        deadline = self.pack_of(clock).deadline(clock.kind)
        cites, says = deadline.cites, deadline.says
        return Both(f"{cites}：{says.zh}", f"{cites}: {says.en}")

    def limit_by_law(self, clock: Clock, within: Target, received_at: datetime) -> datetime:
        """Return until when a rule lets a deadline be extended that began with the receipt."""
        pack = self.pack_of(clock)
        until = pack.deadline(clock.kind).until
        return due_after(received_at, within, until, self._statutory(pack.calendar))

    def _statutory(self, name: str) -> WorkingCalendar:
        if self.moment is not None:
            return self.calendars.at(name, self.moment)
        return self.calendars.current(name)

    def _pack(self, name: str) -> Pack:
        """Return the newest version of a pack."""
        return max(self._versions(name), key=lambda pack: pack.version)

    def _versions(self, name: str) -> Sequence[Pack]:
        return [pack for pack in self.packs.values() if pack.name == name]

    def pack_of(self, clock: Clock) -> Pack:
        """Return the version of a pack that a clock was started by; raises ConfigurationError.

        Where that version's file is gone, the nearest one that has the deadline stands in for it:
        due times stay as they were, only words and conduct come from there.
        """
        found = self.packs.get(clock.policy)
        if found is not None:
            return found
        name, _, version = clock.policy.partition("@")
        others = [pack for pack in self._versions(name) if pack.has(clock.kind)]
        if not others:
            raise ConfigurationError(
                "packs",
                f"cases have the deadline {clock.kind} of {clock.policy}, which is not known any "
                "more: keep the file of every version under clocks/packs",
            )
        return min(others, key=lambda pack: (abs(pack.version - int(version)), -pack.version))

    def timing(self, case: Case, kind: ClockKind) -> Timing | None:
        """Return a clock's target for a case as it is now; None where its policy names none."""
        key = (case.policy, kind, self._alike(case))
        if key not in self._timings:
            if len(self._timings) >= _MOST_REMEMBERED:
                self._timings.clear()
            policy = self.policy_of(case.policy)
            self._timings[key] = self._work_out(policy, kind, subject_of(case))
        return self._timings[key]

    def _alike(self, case: Case) -> object:
        """Return what the case's policy looks at: cases alike in it get the same targets."""
        look = self._looks.get(case.policy)
        if look is None:
            fields = self.policy_of(case.policy).fields
            # A policy whose rules look at nothing gives every case the same.
            look = (
                attrgetter(*(_WHERE[name] for name in fields)) if fields else attrgetter("policy")
            )
            self._looks[case.policy] = look
        return look(case)

    def _work_out(self, policy: Policy, kind: ClockKind, subject: Subject) -> Timing | None:
        line = policy.line_for(kind, subject)
        if line is None:
            return None
        calendar = self._calendar_for(policy, line.target)
        seconds = line.target.counted_seconds(calendar.day_seconds, halved=line.halved)
        after = policy.conduct_of(kind).opens_after
        # A window that ends sooner opens sooner too: else it would never open for who has half.
        opens = after.counted_seconds(calendar.day_seconds, halved=line.halved) if after else None
        return Timing(
            seconds=seconds,
            calendar=calendar,
            policy=policy.label,
            rule=line.rule,
            marks=_marks(policy, kind, seconds, opens),
            opens_seconds=opens,
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
        key = (case.policy, self._alike(case))
        if key not in self._emergencies:
            if len(self._emergencies) >= _MOST_REMEMBERED:
                self._emergencies.clear()
            policy = self.policy_of(case.policy)
            self._emergencies[key] = policy.is_emergency(subject_of(case))
        return self._emergencies[key]

    def goes_up(self, clock: Clock) -> bool:
        """Tell whether a breach of the clock takes its case a level up."""
        return self.conduct_of(clock).on_breach is OnBreach.ESCALATE

    def alerts(self, clock: Clock) -> bool:
        """Tell whether a breach of the clock is the operators' matter."""
        return self.conduct_of(clock).on_breach is OnBreach.ALERT

    def _calendar_for(self, policy: Policy, target: Target) -> Calendar:
        if not target.business:
            return self.always
        if self.moment is not None:
            return self.calendars.at(policy.calendar, self.moment)
        return self.calendars.current(policy.calendar)


def begins_by_law(received_at: datetime) -> datetime:
    """Return from when a deadline of a rule from outside is counted: the second of the receipt."""
    return received_at.replace(microsecond=0)


def _marks(policy: Policy, kind: ClockKind, seconds: int, opens: int | None) -> tuple[Mark, ...]:
    """Return the points of a clock; before its window opens nobody can do anything about it."""
    marks = [*policy.warnings_of(kind)]
    if opens is not None and opens < seconds:
        marks = [mark for mark in marks if mark.offset(seconds) > opens]
    if kind is ClockKind.FOLLOW_UP:
        marks.append(policy.satisfaction.call_back_at)
    return tuple(dict.fromkeys(marks))


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
