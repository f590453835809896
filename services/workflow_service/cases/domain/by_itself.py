"""What a case does by itself where a person would take an action: reopen, and close."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.workflow_service.cases.domain.actions import reopen
from services.workflow_service.cases.domain.draft import Draft
from services.workflow_service.cases.domain.lifecycle import Action, target_of
from services.workflow_service.cases.domain.milestones import effects_of
from shared.events import cases as events
from shared.events.words import CaseState, Outcome


def reopen_by_itself(draft: Draft, at: datetime, why: str) -> None:
    """Begin another round, and note why."""
    before = draft.case.state
    reopen(draft, at, why)
    _follow(draft, Action.REOPEN, before, at)
    again = {"owner": draft.case.owner, "department": draft.case.department}
    draft.system_entry(at, Action.REOPEN.value, why, before, **again)


def close_by_itself(draft: Draft, at: datetime, why: str) -> None:
    """File a resolved case that nothing more is waited for in, and note why."""
    before = draft.case.state
    draft.case = replace(draft.case, state=target_of(before, Action.CLOSE))
    draft.say(events.Closed, at, outcome=draft.case.outcome or Outcome.SOLVED.value)
    _follow(draft, Action.CLOSE, before, at)
    draft.system_entry(at, Action.CLOSE.value, why, before)


def _follow(draft: Draft, action: Action, before: CaseState, at: datetime) -> None:
    draft.follow_state(at, action.value)
    draft.apply(effects_of(action, before), at)
    draft.follow_state(at, action.value)
