"""Waiting for the customer: begun by asking, ended by an answer, by our next step, or by time.

While we wait, the clocks that depend on the customer stand still. A wait that nobody answers must
not hide a case for ever: it ends by itself, and the owner is told.
"""

from __future__ import annotations

from datetime import datetime

from services.workflow_service.cases.domain.draft import Draft
from shared.events import cases as events
from shared.events.words import CaseState
from shared.kernel.records import replace

NO_ANSWER = "no-answer"


def begin_waiting(draft: Draft, at: datetime, *, before: CaseState) -> None:
    """Wait for the customer for as long as the case's policy says."""
    until = draft.rules.waiting_ends(draft.case.policy, at)
    draft.case = replace(draft.case, state_before=before, awaiting_until=until)


def end_waiting(draft: Draft) -> CaseState:
    """Wait no longer; return where the case was before, where it stays until moved."""
    back = draft.case.state_before or CaseState.ASSIGNED
    draft.case = replace(draft.case, state_before=None, awaiting_until=None)
    return back


def go_back(draft: Draft, at: datetime, why: str) -> None:
    """End the wait and put the case back to where it was."""
    back = end_waiting(draft)
    draft.case = replace(draft.case, state=back)
    draft.follow_state(at, why)


def give_up_waiting(draft: Draft, at: datetime) -> None:
    """End a wait whose time is over; clocks go on from `at`, however late this is noticed."""
    before = draft.case.state
    go_back(draft, at, NO_ANSWER)
    draft.say(events.WaitingEnded, draft.now, due_at=at, owner=draft.case.owner)
    draft.system_entry(draft.now, "stop-waiting", NO_ANSWER, before, ended=at)
