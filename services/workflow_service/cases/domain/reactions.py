"""What a case makes of events: receipts sent, complaints amended or graded anew, time passing.

Each returns None where the event changes nothing.
"""

from __future__ import annotations

from datetime import datetime

from services.workflow_service.cases.domain.actions import receive_information
from services.workflow_service.cases.domain.by_itself import reopen_by_itself
from services.workflow_service.cases.domain.by_law import bind_by_law
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Change, Draft
from services.workflow_service.cases.domain.lifecycle import NOT_BEGUN
from services.workflow_service.cases.domain.opening import placed
from services.workflow_service.cases.domain.ownership import give_to
from services.workflow_service.cases.domain.passing import pass_time, pass_time_before
from services.workflow_service.cases.domain.rising import (
    escalate_by_itself,
    escalate_for,
    hear_threat,
)
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.escalation.domain.ladder import SUPERVISION_LEVEL, Cause, Rise
from shared.events import cases as events
from shared.events.complaints import (
    ASKS_FOR_SUPERVISOR,
    OBJECTS,
    OUTWARD_THREAT,
    ComplaintAmended,
    ComplaintRegraded,
)
from shared.events.words import CaseState, ClockKind
from shared.kernel.records import replace

REGRADE = "regrade"
"""How the history and a clock's explanation name another grading."""

_TAKEN_UP_AGAIN = frozenset({CaseState.RESOLVED, CaseState.CLOSED})


def fire_due(case: Case, *, now: datetime, rules: Rules) -> Change | None:
    """Fire what is due by now."""
    draft = Draft(case, rules, now)
    return draft.finish() if pass_time(draft, now) else None


def acknowledged(
    case: Case, *, at: datetime, sent: bool, now: datetime, rules: Rules
) -> Change | None:
    """End the acknowledge clock: met by a receipt sent at `at`, cancelled by a skipped one."""
    if not any(c.kind == ClockKind.ACKNOWLEDGE and c.is_open for c in case.clocks):
        return None
    at = min(at, now)
    draft = Draft(case, rules, now)
    pass_time_before(draft, at)
    if sent:
        draft.meet(ClockKind.ACKNOWLEDGE, at)
        draft.heard(at)
    else:
        draft.cancel(ClockKind.ACKNOWLEDGE, at)
    draft.system_entry(at, "acknowledge", "sent" if sent else "skipped", draft.case.state)
    return draft.finish()


def told(case: Case, kind: str, *, at: datetime, now: datetime, rules: Rules) -> Change | None:
    """Note that a message of ours went out at `at`: the next update starts anew with it."""
    at = min(at, now)
    update = next((c for c in case.clocks if c.kind == ClockKind.NEXT_UPDATE and c.is_open), None)
    if update is None or at <= update.started_at:
        return None
    draft = Draft(case, rules, now)
    pass_time_before(draft, at)
    draft.heard(at)
    draft.system_entry(at, "tell", kind, draft.case.state)
    return draft.finish()


def amended(
    case: Case, said: ComplaintAmended, *, at: datetime, now: datetime, rules: Rules
) -> Change | None:
    """Note an addition; one by the customer ends our waiting for the customer.

    Asking for a supervisor does not: what we asked for has not come with it.
    """
    at = min(max(at, case.opened_at), now)
    draft = Draft(case, rules, now)
    pass_time_before(draft, at)
    before = draft.case.state
    asks_for_supervisor = said.kind == ASKS_FOR_SUPERVISOR and said.by == "customer"
    answers = said.by == "customer" and not asks_for_supervisor
    if answers and before is CaseState.AWAITING_CUSTOMER:
        receive_information(draft, at)
    of = f" to {said.number}" if said.complaint_id != case.id else ""
    draft.system_entry(at, "amend", f"{said.kind} by {said.by}{of}", before)
    if OUTWARD_THREAT in said.signals:
        hear_threat(draft, at)
    if asks_for_supervisor:
        _let_up(draft, at)
    elif said.kind == OBJECTS and said.by == "customer":
        _hear_objection(draft, at)
    if answers:
        # Whoever has it by now: a page that nobody reads is worse than none.
        draft.say(events.CustomerWrote, at, kind=said.kind, owner=draft.case.owner)
    return draft.finish()


def _hear_objection(draft: Draft, at: datetime) -> None:
    """Take up again what the customer does not hold settled, as our last message promised.

    Whoever rejected it is not asked to judge that again. Where the case is open it says nothing
    new, and who took a complaint back asks for a supervisor, or complains anew.
    """
    case = draft.case
    if case.merged_into is not None:
        return
    if case.state is CaseState.REJECTED:
        _let_up(draft, at, to=max(SUPERVISION_LEVEL, case.escalation_level + 1))
    elif case.state in _TAKEN_UP_AGAIN:
        reopen_by_itself(draft, at, Cause.CUSTOMER.value)
        escalate_by_itself(draft, Rise(Cause.CUSTOMER), at)


def _let_up(draft: Draft, at: datetime, *, to: int = SUPERVISION_LEVEL) -> None:
    """Open the supervision door: to that level, and into another round where the case had ended."""
    case = draft.case
    if case.merged_into is not None:
        return
    rise = Rise(Cause.SUPERVISION, to=to, asked_by_customer=True)
    if not case.is_open:
        # The customer is told once: of the supervisor, or of the new round where it lay with one.
        rises = rise.level_from(case.escalation_level) is not None
        reopen_by_itself(draft, at, (Cause.SUPERVISION if rises else Cause.CUSTOMER).value)
    escalate_by_itself(draft, rise, at)


def regraded(
    case: Case, said: ComplaintRegraded, *, at: datetime, now: datetime, rules: Rules
) -> Change | None:
    """Take over the new grading: targets from the original start, and routing before work began."""
    at = min(max(at, case.opened_at), now)
    draft = Draft(case, rules, now)
    pass_time_before(draft, at)
    before = draft.case
    draft.case = replace(
        before,
        category=said.category,
        priority=said.priority,
        facts=replace(before.facts, severity=said.severity, urgency=said.urgency),
    )
    draft.retarget(at, REGRADE, since=draft.now)
    _reroute(draft, before.category, at)
    why = f"{said.old_category} {said.old_priority} to {said.category} {said.priority}"
    draft.system_entry(at, REGRADE, why, before.state, since=draft.now, **placed(draft.case))
    bind_by_law(draft, before, at)
    draft.say_moved(before, at, REGRADE)
    if draft.case.is_open and rules.is_emergency(draft.case) and not rules.is_emergency(before):
        escalate_by_itself(draft, Rise(Cause.EMERGENCY), at)
    else:
        escalate_for(draft, before, at)
    return draft.finish()


def repeat_regraded(
    case: Case, said: ComplaintRegraded, *, at: datetime, now: datetime, rules: Rules
) -> Change | None:
    """Page the duty officer where a complaint that was added to a case turns out an emergency.

    The case keeps its own grade: whoever takes it up decides on that.
    """
    facts = replace(case.facts, severity=said.severity, urgency=said.urgency)
    as_graded = replace(case, category=said.category, priority=said.priority, facts=facts)
    is_news = Cause.EMERGENCY not in case.causes and not rules.is_emergency(case)
    if not (case.is_open and is_news and rules.is_emergency(as_graded)):
        return None
    at = min(max(at, case.opened_at), now)
    draft = Draft(case, rules, now)
    pass_time_before(draft, at)
    return draft.finish() if escalate_by_itself(draft, Rise(Cause.EMERGENCY), at) else None


def _reroute(draft: Draft, old_category: str, at: datetime) -> None:
    case, organisation = draft.case, draft.rules.organisation
    to = draft.rules.route(case.category, case.facts, complaint_id=case.id, at=draft.now)
    # Another grade of the same matter must not take a case from whom a person gave it to.
    same = to.department in {organisation.department_for(old_category), case.department}
    if case.state not in NOT_BEGUN or case.escalation_level or same:
        return
    if to.owner is not None:
        give_to(draft, to.owner, to.department, at)
