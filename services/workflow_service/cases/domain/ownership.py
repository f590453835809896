"""Who answers for a case: assigned, handed over, taken up the ladder."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.workflow_service.cases.domain.draft import Draft
from services.workflow_service.escalation.domain.ladder import Cause, step_up
from shared.events import cases as events
from shared.events.words import CaseState, ClockKind


def give_to(draft: Draft, owner: str, department: str | None, at: datetime) -> None:
    """Assign the case, or transfer one that has an owner."""
    case = draft.case
    transfer = case.owner is not None
    handovers = case.handovers + transfer
    draft.case = replace(case, owner=owner, department=department, handovers=handovers)
    _settle_owner(draft, at)
    draft.say(
        events.CaseTransferred if transfer else events.CaseAssigned,
        at,
        owner=owner,
        department=department,
        previous_owner=case.owner,
        previous_department=case.department,
        handovers=handovers,
    )


def escalate(draft: Draft, cause: Cause, at: datetime) -> bool:
    """Move the case one level up, to a new owner; False where it is at the top already."""
    case = draft.case
    step = step_up(
        case.escalation_level,
        cause=cause,
        organisation=draft.rules.organisation,
        department=case.department,
        complaint_id=case.id,
    )
    if step is None:
        return False
    draft.case = replace(case, escalation_level=step.level, owner=step.owner or case.owner)
    _settle_owner(draft, at)
    draft.say(
        events.Escalated,
        at,
        level=step.level,
        previous_level=step.previous_level,
        cause=cause.value,
        owner=draft.case.owner,
    )
    return True


def _settle_owner(draft: Draft, at: datetime) -> None:
    if draft.case.owner is None:
        return
    draft.meet(ClockKind.ASSIGN, at)
    if draft.case.state is CaseState.RECEIVED:
        draft.case = replace(draft.case, state=CaseState.ASSIGNED)
    if draft.case.state_before is CaseState.RECEIVED:
        draft.case = replace(draft.case, state_before=CaseState.ASSIGNED)
