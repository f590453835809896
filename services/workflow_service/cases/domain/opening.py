"""Open a case for a complaint that has just come in: routed, its clocks running."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.workflow_service.cases.domain.arriving import rises_at_arrival
from services.workflow_service.cases.domain.by_law import start_by_law
from services.workflow_service.cases.domain.case import Case, Entry, Facts
from services.workflow_service.cases.domain.draft import SYSTEM, Change, Draft
from services.workflow_service.cases.domain.milestones import AT_OPENING
from services.workflow_service.cases.domain.ownership import enter_department
from services.workflow_service.cases.domain.rising import escalate_by_itself
from services.workflow_service.cases.domain.rules import Rules
from shared.events.cases import CaseOpened, ClockDue
from shared.events.complaints import ComplaintReceived
from shared.events.words import CaseState, ClockKind, Segment
from shared.kernel.records import replace


def open_case(
    received: ComplaintReceived,
    *,
    now: datetime,
    rules: Rules,
    segment: Segment | None = None,
    earlier: Case | None = None,
) -> Change:
    """Open the case of a complaint; the assignment that routing finds is part of CaseOpened.

    `earlier` is the case of the same matter before, where there is one. A complaint that arrives
    higher up is given to the people of that level at once: nobody at the front line is told.
    """
    case = routed_case(received, rules, now=now, segment=segment)
    rises = rises_at_arrival(received, earlier, is_emergency=rules.is_emergency(case))
    front_line = case.owner
    if rises:
        case = replace(case, owner=None, state=CaseState.RECEIVED)
    draft = Draft(replace(case, version=0), rules, max(now, case.opened_at))
    start_clocks(draft, draft.now)
    draft.note(_entry(draft.case, draft.now))
    owner = draft.case.owner
    for rise in rises:
        escalate_by_itself(draft, replace(rise, otherwise=front_line), draft.now)
    draft.say_first(
        CaseOpened,
        draft.now,
        department=case.department,
        owner=owner,
        priority=case.priority,
        policy=case.policy,
        clocks=tuple(ClockDue(kind=c.kind, due_at=c.due_at) for c in draft.case.clocks),
    )
    return draft.finish()


def start_clocks(draft: Draft, assigned_at: datetime) -> None:
    """Start the clocks that a case begins with; one that has an owner was assigned at once."""
    case = draft.case
    draft.start_clocks((*AT_OPENING, ClockKind.NEXT_UPDATE), case.opened_at)
    start_by_law(draft)
    enter_department(draft, None, case.opened_at)
    if case.owner is not None:
        draft.meet(ClockKind.ASSIGN, assigned_at)


def routed_case(
    received: ComplaintReceived, rules: Rules, *, now: datetime, segment: Segment | None = None
) -> Case:
    """Return the case of a complaint with department and owner, without clocks yet."""
    facts = _facts(received, segment)
    to = rules.route(received.category, facts, complaint_id=received.complaint_id, at=now)
    return Case(
        id=received.complaint_id,
        number=received.number,
        state=CaseState.ASSIGNED if to.owner else CaseState.RECEIVED,
        category=received.category,
        priority=received.priority,
        opened_at=received.received_at,
        policy=rules.policy.label,
        facts=facts,
        owner=to.owner,
        department=to.department,
        imported=received.imported,
    )


def _facts(received: ComplaintReceived, segment: Segment | None) -> Facts:
    return Facts(
        channel=received.channel,
        severity=received.severity,
        urgency=received.urgency,
        tier=received.tier,
        language=received.language,
        customer_id=received.customer_id,
        motive=received.motive,
        region=received.region,
        product=received.product,
        source_system=received.source_system,
        repeat_of=received.repeat_of,
        segment=segment,
    )


def _entry(case: Case, now: datetime) -> Entry:
    why, data = case.owner or case.department, placed(case)
    return Entry(now, SYSTEM, "open", None, case.state.value, why=why, data=data)


def placed(case: Case) -> Mapping[str, object]:
    """Return what a grading and an assignment decide: what a replay needs of either."""
    facts = case.facts
    return {
        "category": case.category,
        "priority": case.priority,
        "severity": facts.severity,
        "urgency": facts.urgency,
        "owner": case.owner,
        "department": case.department,
    }
