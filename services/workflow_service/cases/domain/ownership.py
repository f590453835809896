"""Who answers for a case: assigned, handed over."""

from __future__ import annotations

from datetime import datetime

from services.workflow_service.cases.domain.draft import Draft
from services.workflow_service.cases.domain.milestones import DEPARTMENTS
from shared.events import cases as events
from shared.events.words import CaseState, ClockKind
from shared.kernel.records import replace


def give_to(draft: Draft, owner: str, department: str | None, at: datetime) -> None:
    """Assign the case, or transfer one that has an owner."""
    case = draft.case
    transfer = case.owner is not None
    handovers = case.handovers + transfer
    draft.case = replace(case, owner=owner, department=department, handovers=handovers)
    settle_owner(draft, at)
    enter_department(draft, case.department, at)
    draft.say(
        events.CaseTransferred if transfer else events.CaseAssigned,
        at,
        owner=owner,
        department=department,
        previous_owner=case.owner,
        previous_department=case.department,
        handovers=handovers,
    )


def enter_department(draft: Draft, before: str | None, at: datetime) -> None:
    """Start the clocks of the department that the case has come to, and end the last one's.

    Handing a case on is an answer of a kind; the hand-overs are counted. The front line has no
    clocks of this kind: its time is the customer's.
    """
    department = draft.case.department
    if department == before:
        return
    draft.cancel(ClockKind.DEPARTMENT_CONTACT, at)
    draft.meet(ClockKind.DEPARTMENT_ANSWER, at)
    if department is None or department == draft.rules.organisation.default_department:
        return
    for kind in DEPARTMENTS:
        draft.start_clock(kind, at, subject=department)


def settle_owner(draft: Draft, at: datetime) -> None:
    """Note that the case has an owner, if it has."""
    if draft.case.owner is None:
        return
    draft.meet(ClockKind.ASSIGN, at)
    if draft.case.state is CaseState.RECEIVED:
        draft.case = replace(draft.case, state=CaseState.ASSIGNED)
    if draft.case.state_before is CaseState.RECEIVED:
        draft.case = replace(draft.case, state_before=CaseState.ASSIGNED)
