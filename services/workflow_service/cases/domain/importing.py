"""Take over a complaint from another system: its past is recorded, not lived through again.

Settled ones get their final state, and clocks met or breached by the recorded times; where their
source tells an outcome but no time, nobody knows what was in time, and the clocks are cancelled.
Open ones get clocks from their original date: a due time that has passed is a breach on record,
without warning, escalation or event; only what lies ahead gets a timer. Nobody is told anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.workflow_service.cases.domain.case import Case, Entry
from services.workflow_service.cases.domain.draft import SYSTEM, Change, Said
from services.workflow_service.cases.domain.milestones import AT_OPENING
from services.workflow_service.cases.domain.opening import routed_case
from services.workflow_service.cases.domain.rules import Rules, begins_by_law
from services.workflow_service.clocks.domain import clock as clocks
from services.workflow_service.clocks.domain.clock import Clock, Timing
from services.workflow_service.clocks.domain.pack import is_of_a_pack
from shared.events.cases import CaseImported, ClockResult
from shared.events.complaints import ComplaintReceived, Recorded
from shared.events.words import CaseState, ClockKind, Outcome
from shared.kernel.records import replace

_NOTHING = Recorded()


Known = dict[tuple[object, ...], tuple[Clock, ClockResult]]
"""Concluded clocks by all that they follow from, each with what the event says of it."""


def import_case(
    received: ComplaintReceived, *, now: datetime, rules: Rules, known: Known | None = None
) -> Change:
    """Open the case of an imported complaint in the state that its record ends with.

    Complaints of one batch may share `known`: most files tell days and no hours, and the same days
    make the same clocks.
    """
    recorded = received.recorded or _NOTHING
    case = routed_case(received, rules, now=now)
    state = _final_state(recorded) or case.state
    past = _Past(case, recorded, now, rules, {} if known is None else known)
    clocks_and_results = past.clocks()
    case = replace(
        case,
        state=state,
        outcome=recorded.outcome,
        clocks=tuple(clock for clock, _ in clocks_and_results),
        sequence=1,
    )
    said = _imported(case, recorded, tuple(result for _, result in clocks_and_results))
    entry = Entry(now, SYSTEM, "import", None, case.state.value, why=case.facts.source_system)
    return Change(case, (Said(said, 1, now),), (entry,), ())


def _final_state(recorded: Recorded) -> CaseState | None:
    if not _is_settled(recorded):
        return None
    if recorded.closed_at is not None:
        return CaseState.CLOSED
    if recorded.outcome == Outcome.REJECTED:
        return CaseState.REJECTED
    if recorded.outcome == Outcome.WITHDRAWN:
        return CaseState.WITHDRAWN
    return CaseState.CLOSED if recorded.resolved_at is None else CaseState.RESOLVED


def _is_settled(recorded: Recorded) -> bool:
    return bool(recorded.outcome or recorded.resolved_at or recorded.closed_at)


class _Past:
    """Judges the clocks of one case by what its source recorded.

    Every clock is built once, as it ended: tens of thousands come in with one file.
    """

    def __init__(
        self, case: Case, recorded: Recorded, now: datetime, rules: Rules, known: Known
    ) -> None:
        settled_at = recorded.resolved_at or recorded.closed_at
        self._case = case
        self._now = now
        self._rules = rules
        self._known = known
        settled = _is_settled(recorded)
        # Without a time on record, what it left open ends now, when we learn that it was settled.
        self._ended_at = recorded.closed_at or recorded.resolved_at or (now if settled else None)
        self._reached: dict[str, datetime | None] = {
            ClockKind.FIRST_REPLY: recorded.answered_at,
            ClockKind.RESOLVE: settled_at,
            # Nobody recorded who had it before us; we assign an open one now.
            ClockKind.ASSIGN: now if case.owner and not settled else None,
        }

    def clocks(self) -> Sequence[tuple[Clock, ClockResult]]:
        """Return the clocks as they stand now, each with what the event says of it.

        Those of the policy, and those of rules from outside.
        """
        timings = [(kind, self._rules.timing(self._case, kind)) for kind in AT_OPENING]
        own = [self._clock(kind, timing) for kind, timing in timings if timing is not None]
        by_law = [self._clock(kind, timing) for kind, timing in self._rules.by_law(self._case)]
        return (*own, *by_law)

    def _clock(self, kind: str, timing: Timing) -> tuple[Clock, ClockResult]:
        start = self._start_of(kind)
        met_at = self._met_at(kind, timing)
        ended_at = self._now if kind == ClockKind.ACKNOWLEDGE else self._ended_at
        if met_at is None and ended_at is None and not self._is_past(start, timing):
            running = self._ahead(clocks.start(kind, at=start, timing=timing))
            return running, _result(running)
        follows_from = (
            *(kind, timing.rule, timing.calendar.name, timing.seconds),
            *(start, met_at, ended_at),
        )
        found = self._known.get(follows_from)
        if found is None:
            past = self._concluded(kind, timing, met_at, ended_at)
            found = self._known[follows_from] = (past, _result(past))
        return found

    def _concluded(
        self, kind: str, timing: Timing, met_at: datetime | None, ended_at: datetime | None
    ) -> Clock:
        start = self._start_of(kind)
        return clocks.concluded(
            kind,
            at=start,
            timing=timing,
            met_at=max(met_at, start) if met_at else None,
            ended_at=max(ended_at, start) if ended_at else None,
        )

    def _met_at(self, kind: str, timing: Timing) -> datetime | None:
        met_at = self._reached.get(timing.reached_by or kind)
        if timing.reached_by is None:
            return met_at
        # Whoever resolved it has answered it too.
        return met_at or self._reached.get(ClockKind.RESOLVE)

    def _start_of(self, kind: str) -> datetime:
        opened_at = self._case.opened_at
        return begins_by_law(opened_at) if is_of_a_pack(kind) else opened_at

    def _is_past(self, start: datetime, timing: Timing) -> bool:
        return timing.calendar.add(start, timing.seconds) <= self._now

    def _ahead(self, clock: Clock) -> Clock:
        points = clock.warnings
        ahead = tuple(p for p in points if p.at is not None and p.at > self._now)
        return replace(clock, warnings=ahead)


def _result(clock: Clock) -> ClockResult:
    return ClockResult(
        kind=clock.kind, state=clock.state.value, due_at=clock.due_at, met_at=clock.met_at
    )


def _imported(case: Case, recorded: Recorded, results: tuple[ClockResult, ...]) -> CaseImported:
    step, due_at = case.next_step()
    return CaseImported(
        complaint_id=case.id,
        number=case.number,
        state=case.state.value,
        version=case.version,
        next_step=step,
        next_due_at=due_at,
        department=case.department,
        owner=case.owner,
        priority=case.priority,
        policy=case.policy,
        received_at=case.opened_at,
        first_reply_at=recorded.answered_at,
        resolved_at=recorded.resolved_at or recorded.closed_at,
        closed_at=recorded.closed_at,
        outcome=case.outcome,
        clocks=results,
    )
