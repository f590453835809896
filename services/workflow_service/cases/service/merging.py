"""Open cases in the light of earlier complaints about the same matter.

Complaints about one matter lie in different partitions: the second may be handled before the
first, or at the same moment by another process (ADR 10). A complaint whose earlier one is not known
yet gets a case of its own; it is merged when the earlier one comes, if nobody has begun with it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Change
from services.workflow_service.cases.domain.merging import (
    add_repeat,
    merge_late,
    merged_case,
    rise_of_root,
)
from services.workflow_service.cases.domain.opening import open_case
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.cases.repository.merging import (
    are_settled,
    gate_openings,
    going_on,
    open_repeats_of,
    repeats_waiting_for,
)
from services.workflow_service.cases.repository.storage import lock_cases
from services.workflow_service.cases.service.desk import Desk
from services.workflow_service.escalation.domain.ladder import Cause, Rise
from shared.events.complaints import ComplaintReceived
from shared.events.words import Segment
from shared.messaging import UnitOfWork


@dataclass(slots=True)
class Matters:
    """The cases that a batch of complaints touches: those locked, and those it opens.

    `roots` gives for a complaint the one whose case goes on, `waiting` the cases that were opened
    before the complaint that they repeat. `opened` and `changed` are to be stored, in order.
    """

    rules: Rules
    now: datetime
    cases: dict[str, Case]
    roots: dict[str, str]
    waiting: dict[str, list[str]]
    opened: list[Change] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    _new: set[str] = field(default_factory=set)

    def take(self, received: ComplaintReceived, segment: Segment) -> None:
        """Open or merge the case of one complaint."""
        root = self._root_of(received)
        self._open(self._decide(received, segment, root))
        if root is not None and root.is_open:
            rise = rise_of_root(received, self.cases[received.complaint_id])
            self._repeat(root.id, received.number, rise)
        self._merge_waiting(received.complaint_id)

    def _decide(self, received: ComplaintReceived, segment: Segment, root: Case | None) -> Change:
        now, rules = self.now, self.rules
        merged = root and merged_case(received, root, now=now, rules=rules, segment=segment)
        return merged or open_case(received, now=now, rules=rules, segment=segment, earlier=root)

    def _root_of(self, received: ComplaintReceived) -> Case | None:
        """Return the case of the matter: the first complaint's, or the one that is open instead."""
        if received.repeat_of is None:
            return None
        first = self.cases.get(self.roots.get(received.repeat_of, received.repeat_of))
        if first is None or first.is_open:
            return first
        # Where the first one was settled, a later complaint got a case of its own: this goes there.
        repeats = (one for one in self.cases.values() if one.facts.repeat_of == first.id)
        return max((one for one in repeats if one.is_open), key=attrgetter("id"), default=first)

    def _merge_waiting(self, root_id: str) -> None:
        for case_id in self.waiting.get(root_id, ()):
            root = self.cases[root_id]
            case = self.cases[case_id]
            change = merge_late(case, root, now=self.now, rules=self.rules)
            if change is not None:
                self._put(change)
                self._repeat(root_id, case.number, Rise(Cause.REPEAT))

    def _repeat(self, root_id: str, number: str, rise: Rise) -> None:
        root = self.cases[root_id]
        self._put(add_repeat(root, number, rise, now=self.now, rules=self.rules))

    def _open(self, change: Change) -> None:
        self._new.add(change.case.id)
        self._put(change)

    def _put(self, change: Change) -> None:
        self.cases[change.case.id] = change.case
        (self.opened if change.case.id in self._new else self.changed).append(change)


async def matters_of(
    desk: Desk, uow: UnitOfWork, batch: Sequence[ComplaintReceived]
) -> tuple[Matters, Counter[str]]:
    """Lock what a batch of complaints touches beside itself; return the load of everybody too."""
    roots, waiting, cases = await _locked(uow, batch)
    # A case may have been opened by a policy that another replica has loaded just now.
    await desk.ensure_known(uow.connection, cases.values())
    rules, load = await desk.rules_with_load(uow)
    return Matters(rules, uow.now, cases, roots, waiting), load


async def _locked(
    uow: UnitOfWork, live: Sequence[ComplaintReceived]
) -> tuple[dict[str, str], dict[str, list[str]], dict[str, Case]]:
    roots, others = await _roots(uow, {said.repeat_of for said in live if said.repeat_of}, live)
    waiting: dict[str, list[str]] = defaultdict(list)
    for case_id, root_id in await repeats_waiting_for(
        uow.connection, [said.complaint_id for said in live]
    ):
        waiting[root_id].append(case_id)
    touched = {*roots.values(), *others, *(one for ids in waiting.values() for one in ids)}
    return roots, waiting, await lock_cases(uow.connection, touched) if touched else {}


async def _roots(
    uow: UnitOfWork, named: set[str], batch: Iterable[ComplaintReceived]
) -> tuple[dict[str, str], Sequence[str]]:
    """Return in which case each named complaint goes on, and the open ones that repeat them."""
    roots = await going_on(uow.connection, named)
    known = {*roots, *(said.complaint_id for said in batch)}
    # A settled one is as good as none: another process may be opening the case that goes on.
    missing = not named <= known or bool(
        roots and await are_settled(uow.connection, roots.values())
    )
    await gate_openings(uow.connection, alone=missing)
    if not missing:
        return roots, ()
    roots = await going_on(uow.connection, named)
    return roots, await open_repeats_of(uow.connection, roots.values()) if roots else ()
