"""Which words of a case its customer is to read at this moment."""

from __future__ import annotations

from collections.abc import Sequence

from services.workflow_service.cases.domain.case import Case, Entry
from services.workflow_service.cases.domain.lifecycle import Action
from shared.events.words import CaseState, Outcome


def question_of(case: Case, history: Sequence[Entry]) -> str | None:
    """Return the words of what we wait for from the customer, None where we wait for nothing."""
    if case.state is not CaseState.AWAITING_CUSTOMER:
        return None
    return _last(history, Action.REQUEST_INFORMATION)


def rejection_of(case: Case, history: Sequence[Entry]) -> str | None:
    """Return the words of why a complaint was rejected, None for one that is not."""
    if case.outcome != Outcome.REJECTED:
        return None
    return _last(history, Action.REJECT)


def _last(history: Sequence[Entry], action: Action) -> str | None:
    done = (entry.words_id for entry in reversed(history) if entry.action == action.value)
    return next(done, None)
