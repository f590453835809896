"""Running clocks follow the new version of their calendar: due times move with the days.

Deadlines of rules from outside too: a year that was provisional when they began may turn out to
have other working days, and an announcement holds for what is running.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.workflow_service.calendars.domain.book import name_in
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import SYSTEM, Change, Draft
from services.workflow_service.cases.domain.passing import pass_time_before
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.clocks.domain import clock as clocks
from services.workflow_service.clocks.domain.clock import EXTENSION, Clock, TargetChange
from services.workflow_service.clocks.domain.pack import is_of_a_pack
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
    laws = {c.kind: seconds for c in draft.case.clocks if (seconds := by_law_now(case, c, rules))}
    before = draft.case
    move(draft, labels, now)
    move_by_law(draft, laws, now)
    if draft.case.clocks == before.clocks:
        return None
    draft.say_moved(before, now, CALENDAR)
    draft.system_entry(now, CALENDAR, None, draft.case.state, labels=labels, laws=laws)
    return draft.finish()


def newer(clock: Clock, rules: Rules) -> str | None:
    """Return the label of a later version of a live clock's calendar."""
    if not clock.is_live or clock.calendar == rules.always.name:
        return None
    current = rules.calendars.current(name_in(clock.calendar)).name
    return current if current != clock.calendar else None


def by_law_now(case: Case, clock: Clock, rules: Rules) -> int | None:
    """Return another length that a rule's deadline has by the days as they are known now.

    None where it has the same, and where somebody has extended it to a time of their own.
    """
    if not (clock.is_live and is_of_a_pack(clock.kind)):
        return None
    if any(change.why == EXTENSION for change in clock.changes):
        return None
    seconds = rules.timing_by_law(case, clock).seconds
    return seconds if seconds != clock.target_seconds else None


def move(draft: Draft, labels: Mapping[str, str], at: datetime) -> None:
    """Work out live clocks anew by other versions of their calendars."""
    for clock in draft.case.clocks:
        label = labels.get(clock.calendar)
        if label is None or not clock.is_live:
            continue
        moved = clocks.recomputed(
            replace(clock, calendar=label), draft.rules.calendars.labelled(label)
        )
        if (moved.due_at, moved.warnings) != (clock.due_at, clock.warnings):
            change = TargetChange(at, clock.target_seconds, CALENDAR, SYSTEM)
            draft.put(clock, replace(moved, changes=(*moved.changes, change)))


def move_by_law(draft: Draft, laws: Mapping[str, int], at: datetime) -> None:
    """Give live deadlines of rules from outside other lengths, by kind, from their start."""
    for clock in draft.case.clocks:
        seconds = laws.get(clock.kind)
        if seconds is None or not clock.is_live:
            continue
        timing = replace(draft.rules.timing_by_law(draft.case, clock), seconds=seconds)
        draft.put(clock, clocks.retarget(clock, timing, at=at, why=CALENDAR, by=SYSTEM))
