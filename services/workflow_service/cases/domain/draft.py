"""A change to a case while it is being decided: the new case, what is said, noted and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.workflow_service.cases.domain.case import Case, Entry, Words
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.clocks.domain import clock as clocks
from services.workflow_service.clocks.domain.clock import Clock
from shared.events.base import WorkflowEvent
from shared.events.words import CaseState, ClockKind

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Said:
    """An event of the change with its place in the complaint's sequence and the time it is of."""

    event: WorkflowEvent
    sequence: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A decision: the case as it is now, and everything to be stored and said with it."""

    case: Case
    said: tuple[Said, ...]
    entries: tuple[Entry, ...]
    words: tuple[Words, ...]


@dataclass(slots=True)
class Draft:
    """Gathers one change. Events are built at the end, so that all carry the final state."""

    case: Case
    rules: Rules
    now: datetime
    _said: list[tuple[type[WorkflowEvent], datetime, Mapping[str, object]]] = field(
        default_factory=list
    )
    _entries: list[Entry] = field(default_factory=list)
    _words: list[Words] = field(default_factory=list)

    def say(self, event: type[WorkflowEvent], at: datetime, **fields: object) -> None:
        """Add an event; complaint, state, version and next step are filled in at the end."""
        self._said.append((event, at, fields))

    def note(self, entry: Entry) -> None:
        """Add a line to the history."""
        self._entries.append(entry)

    def keep(self, words: Words) -> None:
        """Add words to be stored encrypted."""
        self._words.append(words)

    def system_entry(self, at: datetime, action: str, why: str | None, before: CaseState) -> None:
        """Add a line for what the system did by itself."""
        self.note(Entry(at, SYSTEM, action, before.value, self.case.state.value, why=why))

    def finish(self) -> Change:
        """Return the change, its version one higher and its events in sequence."""
        before = self.case
        case = replace(
            before, version=before.version + 1, sequence=before.sequence + len(self._said)
        )
        step, due_at = case.next_step()
        said = tuple(
            Said(
                kind.model_validate(
                    {
                        "complaint_id": case.id,
                        "number": case.number,
                        "state": case.state.value,
                        "version": case.version,
                        "next_step": step,
                        "next_due_at": due_at,
                        **fields,
                    }
                ),
                before.sequence + place,
                at,
            )
            for place, (kind, at, fields) in enumerate(self._said, start=1)
        )
        return Change(case, said, tuple(self._entries), tuple(self._words))

    def start_clock(self, kind: ClockKind, at: datetime) -> None:
        """Start a clock of the case's round by the policy it was opened under."""
        case = self.case
        clock = new_clock(case, kind, at, self.rules)
        self.case = replace(case, clocks=(*case.clocks, clock))

    def meet(self, kind: ClockKind, at: datetime) -> None:
        """Note that a milestone was reached."""
        self._each(lambda clock: clocks.meet(clock, at=at) if clock.kind is kind else clock)

    def cancel(self, kind: ClockKind, at: datetime) -> None:
        """Note that a milestone does not matter any more."""
        self._each(lambda clock: clocks.cancel(clock, at=at) if clock.kind is kind else clock)

    def cancel_all(self, at: datetime) -> None:
        """End every clock."""
        self._each(lambda clock: clocks.cancel(clock, at=at))

    def pause(self, at: datetime, why: str) -> None:
        """Stop the clocks that wait for the customer."""
        paused = self.rules.policy_of(self.case.policy).paused_while_awaiting_customer
        self._each(
            lambda clock: (
                clocks.pause(clock, at=at, why=why, calendar=self.rules.calendar(clock.calendar))
                if clock.kind in paused
                else clock
            )
        )

    def resume(self, at: datetime, why: str) -> None:
        """Let the clocks that waited for the customer go on."""
        self._each(
            lambda clock: clocks.resume(
                clock, at=at, why=why, calendar=self.rules.calendar(clock.calendar)
            )
        )

    def retarget(self) -> None:
        """Give live clocks the targets of the case's present priority, from their start."""
        case = self.case
        self._each(lambda clock: retargeted(case, clock, self.rules) if clock.is_live else clock)

    def put(self, old: Clock, new: Clock) -> None:
        """Replace one clock."""
        self.case = replace(
            self.case, clocks=tuple(new if c is old else c for c in self.case.clocks)
        )

    def _each(self, change: Callable[[Clock], Clock]) -> None:
        self.case = replace(
            self.case, clocks=tuple(change(c) if c.is_open else c for c in self.case.clocks)
        )


def new_clock(case: Case, kind: ClockKind, at: datetime, rules: Rules) -> Clock:
    """Return a clock of a case, started at `at` by the policy it was opened under."""
    span = rules.span(case.policy, kind, priority=case.priority, tier=case.facts.tier)
    return clocks.start(
        kind,
        at=at,
        target_seconds=span.seconds,
        warnings=rules.policy_of(case.policy).warnings_of(kind),
        calendar=span.calendar,
        rule=span.rule,
        case_round=case.round,
    )


def retargeted(case: Case, clock: Clock, rules: Rules) -> Clock:
    """Return a live clock with the target of the case's present priority."""
    span = rules.span(case.policy, clock.kind, priority=case.priority, tier=case.facts.tier)
    return clocks.retarget(
        clock, target_seconds=span.seconds, rule=span.rule, calendar=span.calendar
    )
