"""A change to a case while it is being decided: the new case, what is said, noted and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

from services.workflow_service.cases.domain.call_back import CallBack, CallBackState
from services.workflow_service.cases.domain.case import Case, Entry, Words
from services.workflow_service.cases.domain.milestones import HURRIED, Effects
from services.workflow_service.cases.domain.promise import Promise, PromiseState
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.clocks.domain import clock as clocks
from services.workflow_service.clocks.domain.clock import Clock
from services.workflow_service.clocks.domain.pack import is_of_a_pack
from services.workflow_service.clocks.domain.target import WHOLE
from shared.events.base import WorkflowEvent
from shared.events.cases import ClocksMoved
from shared.events.words import CaseState, ClockKind
from shared.kernel.records import replace

SYSTEM = "system"
ESCALATION = "escalation"
"""How a clock's explanation names what a higher level makes of it."""


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
    """Gathers one change. Events are built at the end, so that all carry the final state.

    `now` is never before the case's last change: where the machine's clock is set back, the history
    goes on from where it was.
    """

    case: Case
    rules: Rules
    now: datetime
    _said: list[tuple[type[WorkflowEvent], datetime, Mapping[str, object]]] = field(
        default_factory=list
    )
    _entries: list[Entry] = field(default_factory=list)
    _words: list[Words] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = max(self.now, self.case.changed_at or self.now)

    def say(self, event: type[WorkflowEvent], at: datetime, **fields: object) -> None:
        """Add an event; complaint, state, version and next step are filled in at the end."""
        self._said.append((event, at, fields))

    def say_first(self, event: type[WorkflowEvent], at: datetime, **fields: object) -> None:
        """Add an event before all others: what it tells was found out last."""
        self._said.insert(0, (event, at, fields))

    @property
    def place(self) -> int:
        """Where the next event is going to stand."""
        return len(self._said)

    def say_at(
        self, place: int, event: type[WorkflowEvent], at: datetime, **fields: object
    ) -> None:
        """Add an event before what followed from it, which tells of it what was not known yet."""
        self._said.insert(place, (event, at, fields))

    def note(self, entry: Entry) -> None:
        """Add a line to the history."""
        self._entries.append(entry)

    def keep(self, words: Words) -> None:
        """Add words to be stored encrypted."""
        self._words.append(words)

    def system_entry(
        self, at: datetime, action: str, why: str | None, before: CaseState | None, **data: object
    ) -> None:
        """Add a line for what the system did by itself; `data` is what a replay needs of it."""
        state = self.case.state.value
        came_from = before.value if before else None
        self.note(Entry(at, SYSTEM, action, came_from, state, why=why, data=data or None))

    def finish(self) -> Change:
        """Return the change, its version one higher and its events in sequence."""
        before = self.case
        case = replace(
            before,
            version=before.version + 1,
            sequence=before.sequence + len(self._said),
            changed_at=self.now,
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

    def apply(self, effects: Effects, at: datetime) -> None:
        """End and start the clocks that an action ends and starts."""
        for kind in effects.meets:
            self.meet(kind, at)
        for kind in effects.cancels:
            self.cancel(kind, at)
        if effects.answers:
            self.answered(at)
        if effects.ends_all:
            self.cancel_all(at)
            self._void_promises()
            self.end_call_back(CallBackState.NOT_NEEDED, at)
        self.start_clocks(effects.starts, at)
        if effects.is_heard:
            self.heard(at)

    def start_clock(self, kind: ClockKind, at: datetime, *, subject: str | None = None) -> None:
        """Start a clock by the policy that the case was opened under, where that names a target."""
        self.add(new_clock(self.case, kind, at, self.rules, subject=subject))

    def start_clocks(self, kinds: Iterable[ClockKind], at: datetime) -> None:
        """Start several clocks at once."""
        found = (new_clock(self.case, kind, at, self.rules) for kind in kinds)
        started = tuple(clock for clock in found if clock is not None)
        if started:
            self.case = replace(self.case, clocks=(*self.case.clocks, *started))

    def add(self, clock: Clock | None) -> None:
        """Add a clock, where there is one."""
        if clock is not None:
            self.case = replace(self.case, clocks=(*self.case.clocks, clock))

    def meet(self, kind: ClockKind, at: datetime) -> None:
        """Note that a milestone was reached."""
        self.each(lambda clock: clocks.meet(clock, at=at) if clock.milestone == kind else clock)

    def answered(self, at: datetime) -> None:
        """Note that the customer got the answer: whatever rules from outside still wait for.

        A resolution tells the customer all that an earlier step would have told them.
        """
        self.each(lambda clock: clocks.meet(clock, at=at) if is_of_a_pack(clock.kind) else clock)

    def cancel(self, kind: ClockKind, at: datetime) -> None:
        """Note that a milestone does not matter any more."""
        self.each(lambda clock: clocks.cancel(clock, at=at) if clock.kind == kind else clock)

    def cancel_all(self, at: datetime) -> None:
        """End every clock."""
        self.each(lambda clock: clocks.cancel(clock, at=at))

    def heard(self, at: datetime) -> None:
        """Start the next update anew: the customer has just heard from us.

        The clock begins again in its place; what the customer heard stands in the history.
        """
        for clock in self.case.clocks:
            if clock.kind == ClockKind.NEXT_UPDATE and clock.is_open and at > clock.started_at:
                again = new_clock(self.case, ClockKind.NEXT_UPDATE, at, self.rules)
                if again is not None and clock.state is clocks.PAUSED:
                    # It began in a state in which it stands still, and goes on standing still.
                    calendar = self.rules.calendar(again.calendar)
                    why = clock.segments[-1].why
                    again = clocks.pause(again, at=at, why=why, calendar=calendar)
                self.put(clock, again or clocks.cancel(clock, at=at))

    def promise(self, promise_id: str) -> Promise:
        """Return a promise of the case; raises StopIteration where it has none of this id."""
        return next(promise for promise in self.case.promises if promise.id == promise_id)

    def put_promise(self, promise: Promise) -> None:
        """Replace a promise."""
        self.case = replace(
            self.case,
            promises=tuple(promise if p.id == promise.id else p for p in self.case.promises),
        )

    def meet_promise(self, promise_id: str, at: datetime) -> None:
        """Note that a promise was kept."""
        self.each(lambda clock: clocks.meet(clock, at=at) if clock.subject == promise_id else clock)

    def _void_promises(self) -> None:
        for promise in self.case.promises:
            if promise.state is PromiseState.OPEN:
                self.put_promise(replace(promise, state=PromiseState.VOID))

    def put_call_back(self, task: CallBack) -> None:
        """Replace a call-back."""
        tasks = (task if one.id == task.id else one for one in self.case.call_backs)
        self.case = replace(self.case, call_backs=tuple(tasks))

    def end_call_back(self, state: CallBackState, at: datetime) -> None:
        """End the task to call the customer, where there is one."""
        task = self.case.open_call_back
        if task is not None:
            self.put_call_back(replace(task, state=state, ended_at=at, call_again_at=None))

    def follow_state(self, at: datetime, why: str) -> None:
        """Stop the clocks that stand still in the case's present state, and let the others run."""

        def turned(clock: Clock) -> Clock:
            if not clock.is_live:
                return clock
            pauses = self.case.state in self.rules.conduct_of(clock).pauses_in
            turn = clocks.pause if pauses else clocks.resume
            return turn(clock, at=at, why=why, calendar=self.rules.calendar(clock.calendar))

        self.each(turned)

    def retarget(self, at: datetime, why: str, *, since: datetime, by: str = SYSTEM) -> None:
        """Give live clocks the targets of the case as it is graded now, from their start.

        The limits of an emergency count from `since`, when it became one: nobody knew before. What
        an escalation has made shorter is not made longer again.
        """

        def retargeted(clock: Clock) -> Clock:
            if is_of_a_pack(clock.kind):
                return clock
            timing = self.rules.timing(self.case, ClockKind(clock.kind))
            if timing is None or not clock.is_live:
                return clock
            if not timing.urgent:
                timing = timing.at_share(clock.share)
            if (timing.policy, timing.rule) == (clock.policy, clock.rule):
                # The same target: a shorter one of an escalation or an extension stays.
                return clock
            if timing.urgent:
                counted = clocks.counted(clock, since, timing.calendar)
                timing = replace(timing, seconds=ceil(counted) + timing.seconds)
            changed = clocks.retarget(clock, timing, at=at, why=why, by=by)
            return clocks.sooner(clock, changed) if timing.urgent or hurried(clock) else changed

        self.each(retargeted)

    def say_moved(self, before: Case, at: datetime, cause: str) -> None:
        """Say which live clocks are due at another time than before, where some are."""
        due = {
            (clock.kind, clock.subject): clock.due_at for clock in before.clocks if clock.is_live
        }
        moved = [
            {"kind": clock.kind, "due_at": clock.due_at}
            for clock in self.case.clocks
            if clock.is_live and clock.due_at != due.get((clock.kind, clock.subject))
        ]
        if moved:
            self.say(ClocksMoved, at, cause=cause, priority=self.case.priority, clocks=moved)

    def put(self, old: Clock, new: Clock) -> None:
        """Replace one clock."""
        self.case = replace(
            self.case, clocks=tuple(new if c is old else c for c in self.case.clocks)
        )

    def each(self, change: Callable[[Clock], Clock]) -> None:
        """Change every clock whose milestone is still waited for."""
        before = self.case.clocks
        after = tuple(change(clock) if clock.is_open else clock for clock in before)
        # Making a case anew costs more than looking: mostly nothing has changed.
        if any(new is not old for new, old in zip(after, before, strict=True)):
            self.case = replace(self.case, clocks=after)


def hurried(clock: Clock) -> bool:
    """Tell whether an escalation made the clock's target shorter."""
    return any(change.why == ESCALATION for change in clock.changes)


def new_clock(
    case: Case,
    kind: ClockKind,
    at: datetime,
    rules: Rules,
    *,
    subject: str | None = None,
    share: int | None = None,
) -> Clock | None:
    """Return a clock of a case, started at `at`; None where its policy names no target.

    `share` is how much of the target it gets, in percent; by default the share of the case's level
    for the clocks that are hurried, and all of it for the others.
    """
    timing = rules.timing(case, kind)
    if timing is None:
        return None
    if share is None:
        share = rules.share_of(case) if kind in HURRIED else WHOLE
    return clocks.start(
        kind,
        at=at,
        timing=timing,
        case_round=case.round,
        subject=subject,
        level=case.escalation_level,
        share=share,
    )
