"""Open a case for a complaint that has just come in: routed, its clocks running."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from services.workflow_service.cases.domain.case import Case, Entry, Facts
from services.workflow_service.cases.domain.draft import SYSTEM, Change, Draft, Said
from services.workflow_service.cases.domain.milestones import AT_OPENING
from services.workflow_service.cases.domain.ownership import enter_department
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.clocks.domain import clock as clocks
from shared.events.cases import CaseOpened, ClockDue
from shared.events.complaints import ComplaintReceived
from shared.events.words import CaseState, ClockKind, Segment


def open_case(
    received: ComplaintReceived, *, now: datetime, rules: Rules, segment: Segment | None = None
) -> Change:
    """Open the case of a complaint; the assignment that routing finds is part of CaseOpened."""
    case = routed_case(received, rules, segment=segment)
    draft = Draft(case, rules, now)
    start_clocks(draft, max(now, case.opened_at))
    case = replace(draft.case, sequence=1)
    return Change(case, (Said(_opened(case), 1, now),), (_entry(case, now, "open"),), ())


def start_clocks(draft: Draft, assigned_at: datetime) -> None:
    """Start the clocks that a case begins with; one that has an owner was assigned at once."""
    case = draft.case
    for kind in (*AT_OPENING, ClockKind.NEXT_UPDATE):
        draft.start_clock(kind, case.opened_at)
    start_by_law(draft)
    enter_department(draft, None, case.opened_at)
    if case.owner is not None:
        draft.meet(ClockKind.ASSIGN, assigned_at)


def start_by_law(draft: Draft) -> None:
    """Start the clocks of rules from outside, from the receipt of the complaint."""
    case = draft.case
    started = tuple(
        clocks.start(kind, at=case.opened_at, timing=timing)
        for kind, timing in draft.rules.by_law(case)
    )
    draft.case = replace(draft.case, clocks=(*draft.case.clocks, *started))


def routed_case(
    received: ComplaintReceived, rules: Rules, *, segment: Segment | None = None
) -> Case:
    """Return the case of a complaint with department and owner, without clocks yet."""
    to = rules.organisation.route(received.category, complaint_id=received.complaint_id)
    return Case(
        id=received.complaint_id,
        number=received.number,
        state=CaseState.ASSIGNED if to.owner else CaseState.RECEIVED,
        category=received.category,
        priority=received.priority,
        opened_at=received.received_at,
        policy=rules.policy.label,
        facts=_facts(received, segment),
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


def _opened(case: Case) -> CaseOpened:
    step, due_at = case.next_step()
    return CaseOpened(
        complaint_id=case.id,
        number=case.number,
        state=case.state.value,
        version=case.version,
        next_step=step,
        next_due_at=due_at,
        department=case.department,
        owner=case.owner,
        priority=case.priority,
        policy=case.policy,
        clocks=tuple(ClockDue(kind=clock.kind, due_at=clock.due_at) for clock in case.clocks),
    )


def _entry(case: Case, now: datetime, action: str) -> Entry:
    return Entry(
        now,
        SYSTEM,
        action,
        None,
        case.state.value,
        why=case.owner or case.department,
        data=placed(case),
    )


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
