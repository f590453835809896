"""Deadlines of rules from outside: which bind a case, from its opening or from when it is clear.

A complaint that comes in under another category than its own, or with a department that does not
handle it, is bound by a rule all the same: its time runs from the receipt.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Draft
from services.workflow_service.cases.domain.rules import begins_by_law
from services.workflow_service.clocks.domain import clock as clocks
from shared.kernel.records import replace

BIND = "bind"
"""How the history names deadlines of rules from outside that begin after the opening."""


def start_by_law(draft: Draft, kinds: Collection[str] | None = None) -> None:
    """Start the clocks of rules from outside, all or those named, from the receipt."""
    case = draft.case
    started = tuple(
        clocks.start(kind, at=begins_by_law(case.opened_at), timing=timing, case_round=case.round)
        for kind, timing in draft.rules.by_law(case)
        if kinds is None or kind in kinds
    )
    if started:
        draft.case = replace(case, clocks=(*case.clocks, *started))


def bind_by_law(draft: Draft, before: Case, at: datetime) -> None:
    """Start what binds the case as it is graded and placed now, and did not before.

    Not where the milestone was reached already: the rule was kept before anybody knew of it.
    """
    case = draft.case
    same = (before.category, before.department, before.priority, before.facts)
    if not case.is_open or same == (case.category, case.department, case.priority, case.facts):
        return
    has = {clock.kind for clock in case.clocks}
    waited_for = {clock.milestone for clock in case.clocks if clock.is_open}
    kinds = [
        kind
        for kind, timing in draft.rules.by_law(case)
        if kind not in has and timing.reached_by in waited_for
    ]
    if kinds:
        start_by_law(draft, kinds)
        draft.system_entry(at, BIND, ", ".join(kinds), case.state, kinds=kinds)
