"""Steps of a case from a Monday noon on, and what was said of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.workflow_service.cases.domain.actions import decide
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Change
from services.workflow_service.cases.domain.lifecycle import Action
from services.workflow_service.cases.domain.merging import (
    merged_case,
)
from services.workflow_service.cases.domain.reactions import amended, fire_due, regraded
from services.workflow_service.clocks.domain.clock import Clock
from shared.events.cases import Escalated
from shared.events.complaints import ComplaintAmended, ComplaintReceived, ComplaintRegraded
from shared.events.words import ClockKind
from tests.unit.workflow.rules import MONDAY_NOON, RULES, command


def at(**spans: float) -> datetime:
    return MONDAY_NOON + timedelta(**spans)


def change_of(case: Case, action: Action, *, minutes: float = 1, **changes: object) -> Change:
    moment = at(minutes=minutes)
    return decide(case, command(action, moment, **changes), now=moment, rules=RULES)


def act(case: Case, action: Action, *, minutes: float = 1, **changes: object) -> Case:
    return change_of(case, action, minutes=minutes, **changes).case


def pass_time(case: Case, moment: datetime) -> Change:
    change = fire_due(case, now=moment, rules=RULES)
    assert change is not None
    return change


def amend(case: Case, moment: datetime, **said: object) -> Change:
    fields = {"complaint_id": case.id, "number": case.number, "kind": "addition", "by": "customer"}
    event = ComplaintAmended.model_validate(fields | said)
    change = amended(case, event, at=moment, now=moment, rules=RULES)
    assert change is not None
    return change


def regrade(case: Case, moment: datetime, *, now: datetime | None = None, **to: str) -> Change:
    facts = case.facts
    fields = {
        "complaint_id": case.id,
        "number": case.number,
        "old_category": case.category,
        "category": case.category,
        "old_severity": facts.severity,
        "severity": facts.severity,
        "old_urgency": facts.urgency,
        "urgency": facts.urgency,
        "old_priority": case.priority,
        "priority": case.priority,
        "decided_by": "staff",
    }
    event = ComplaintRegraded.model_validate(fields | to)
    change = regraded(case, event, at=moment, now=now or moment, rules=RULES)
    assert change is not None
    return change


def escalations(change: Change) -> list[Escalated]:
    return [said.event for said in change.said if isinstance(said.event, Escalated)]


def causes(change: Change) -> list[tuple[str, int]]:
    return [(event.cause, event.level) for event in escalations(change)]


def clocks_of(case: Case, kind: ClockKind) -> list[Clock]:
    return [clock for clock in case.clocks if clock.kind == kind]


def live(case: Case, kind: ClockKind) -> Clock:
    (clock,) = (clock for clock in clocks_of(case, kind) if clock.is_live)
    return clock


def merged(received: ComplaintReceived, root: Case, now: datetime) -> Change:
    change = merged_case(received, root, now=now, rules=RULES)
    assert change is not None
    return change
