"""Running clocks follow the new version of their calendar: due times move with the days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import SYSTEM, Change, Draft
from services.workflow_service.cases.domain.passing import pass_time_before
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.clocks.domain import clock as clocks
from services.workflow_service.clocks.domain.clock import Clock, TargetChange
from shared.kernel.records import replace

CALENDAR = "calendar"
"""How the history and a clock's explanation name another version of the calendar."""


def follow_calendars(case: Case, *, now: datetime, rules: Rules) -> Change | None:
    """Let live clocks go by the current version of their calendar; None where nothing moves.

    A clock whose times stay the same keeps the version that it was started by.
    """
    draft = Draft(case, rules, now)
    pass_time_before(draft, now)
    labels = {c.calendar: label for c in draft.case.clocks if (label := newer(c, rules))}
    if not labels or not move(draft, labels, now):
        return None
    draft.system_entry(now, CALENDAR, None, draft.case.state, labels=labels)
    return draft.finish()


def newer(clock: Clock, rules: Rules) -> str | None:
    """Return the label of a later version of a live clock's calendar."""
    if not clock.is_live or clock.calendar == rules.always.name:
        return None
    name = clock.calendar.partition("@")[0]
    current = rules.calendars.current(name).name
    return current if current != clock.calendar else None


def move(draft: Draft, labels: Mapping[str, str], at: datetime) -> bool:
    """Work out live clocks anew by other versions of their calendars; tell whether one moved."""
    before = draft.case.clocks
    for clock in before:
        label = labels.get(clock.calendar)
        if label is None or not clock.is_live:
            continue
        moved = clocks.recomputed(
            replace(clock, calendar=label), draft.rules.calendars.labelled(label)
        )
        if (moved.due_at, moved.warnings) != (clock.due_at, clock.warnings):
            change = TargetChange(at, clock.target_seconds, CALENDAR, SYSTEM)
            draft.put(clock, replace(moved, changes=(*moved.changes, change)))
    return draft.case.clocks != before
