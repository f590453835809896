"""Open, remind of and end call-backs: what time, people and surveys share (docs/clocks.md)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.workflow_service.cases.domain.call_back import (
    CallBack,
    CallReason,
    call_back_id,
)
from services.workflow_service.cases.domain.draft import Draft
from services.workflow_service.clocks.domain.clock import Clock, WarningPoint
from shared.events import cases as events
from shared.events.words import ClockKind

CALL_BACK = "call-back"
"""How the history names a call-back that begins."""

CALL_AGAIN = "call-again"
"""How it names the time that was agreed on for another call."""


def is_call_point(draft: Draft, clock: Clock, point: WarningPoint) -> bool:
    """Tell whether at this point of the follow-up the customer is called."""
    if clock.kind != ClockKind.FOLLOW_UP:
        return False
    return point.mark == draft.rules.policy_of(draft.case.policy).satisfaction.call_back_at


def open_call_back(draft: Draft, reason: CallReason) -> bool:
    """Have the customer called by the case's owner; False where they are to be called already."""
    case = draft.case
    if case.open_call_back is not None:
        return False
    place = len(case.call_backs)
    task = CallBack(
        id=call_back_id(case.id, place, draft.now),
        round=case.round,
        reason=reason,
        opened_at=draft.now,
        due_at=_window_end(draft),
    )
    draft.case = replace(case, call_backs=(*case.call_backs, task))
    _say_due(draft, task, reason)
    return True


def remind_of_call(draft: Draft, task: CallBack, at: datetime) -> None:
    """Tell the owner that the time has come that was agreed on for another call."""
    draft.put_call_back(replace(task, call_again_at=None))
    draft.system_entry(draft.now, CALL_AGAIN, CallReason.AGREED, draft.case.state, agreed=at)
    _say_due(draft, task, CallReason.AGREED)


def _say_due(draft: Draft, task: CallBack, reason: CallReason) -> None:
    draft.say(
        events.CallBackDue,
        draft.now,
        call_back=task.id,
        reason=reason.value,
        due_at=task.due_at,
        owner=draft.case.owner,
    )


def _window_end(draft: Draft) -> datetime | None:
    live = (c for c in draft.case.clocks if c.kind == ClockKind.FOLLOW_UP and c.is_live)
    return next((clock.due_at for clock in live), None)
