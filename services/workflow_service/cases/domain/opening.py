"""Open a case for a complaint that has just come in: routed, its clocks running."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.workflow_service.cases.domain.case import Case, Entry, Facts
from services.workflow_service.cases.domain.draft import SYSTEM, Change, Said, new_clock
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.clocks.domain import clock as clocks
from shared.events.cases import CaseOpened, ClockDue
from shared.events.complaints import ComplaintReceived
from shared.events.words import CaseState, ClockKind

AT_OPENING = (
    ClockKind.ACKNOWLEDGE,
    ClockKind.ASSIGN,
    ClockKind.FIRST_REPLY,
    ClockKind.PROPOSE,
    ClockKind.RESOLVE,
)


def open_case(received: ComplaintReceived, *, now: datetime, rules: Rules) -> Change:
    """Open the case of a complaint; the assignment that routing finds is part of CaseOpened."""
    case = routed_case(received, rules)
    running = tuple(new_clock(case, kind, case.opened_at, rules) for kind in AT_OPENING)
    if case.owner is not None:
        assigned_at = max(now, case.opened_at)
        running = tuple(
            clocks.meet(clock, at=assigned_at) if clock.kind is ClockKind.ASSIGN else clock
            for clock in running
        )
    case = replace(case, clocks=running, sequence=1)
    return Change(case, (Said(_opened(case), 1, now),), (_entry(case, now, "open"),), ())


def routed_case(received: ComplaintReceived, rules: Rules) -> Case:
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
        facts=_facts(received),
        owner=to.owner,
        department=to.department,
        imported=received.imported,
    )


def _facts(received: ComplaintReceived) -> Facts:
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
        clocks=tuple(ClockDue(kind=clock.kind.value, due_at=clock.due_at) for clock in case.clocks),
    )


def _entry(case: Case, now: datetime, action: str) -> Entry:
    return Entry(now, SYSTEM, action, None, case.state.value, why=case.owner or case.department)
