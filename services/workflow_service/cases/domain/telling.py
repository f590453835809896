"""Which words of a case its customer is to read at this moment."""

from __future__ import annotations

from collections.abc import Sequence

from services.workflow_service.cases.domain.case import Case, Entry
from services.workflow_service.cases.domain.lifecycle import Action
from services.workflow_service.cases.domain.promise import Promise, PromiseState
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


def steps_of(history: Sequence[Entry]) -> Sequence[Entry]:
    """Return the lines of what was carried out, in the order in which it was."""
    done = (entry for entry in history if entry.action == Action.CARRY_OUT.value)
    return sorted(done, key=lambda entry: entry.at)


def reference_of(step: Entry) -> str | None:
    """Return the number by which the customer can follow what was carried out."""
    found = (step.data or {}).get("reference")
    return found if isinstance(found, str) else None


def promises_of(case: Case) -> Sequence[Promise]:
    """Return what was promised and has not become void, the first due first."""
    held = (one for one in case.promises if one.state is not PromiseState.VOID)
    return sorted(held, key=lambda one: one.due_at)


def _last(history: Sequence[Entry], action: Action) -> str | None:
    done = (entry.words_id for entry in reversed(history) if entry.action == action.value)
    return next(done, None)
