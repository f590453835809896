"""Two complaints about one matter: the second keeps its record, the first one's case goes on.

docs/clocks.md says what becomes of clocks, owner and history.
"""

from __future__ import annotations

from datetime import datetime

from services.workflow_service.cases.domain.actions import receive_information
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Change, Draft
from services.workflow_service.cases.domain.lifecycle import NOT_BEGUN
from services.workflow_service.cases.domain.opening import routed_case
from services.workflow_service.cases.domain.passing import pass_time_before
from services.workflow_service.cases.domain.rising import escalate_by_itself
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.escalation.domain.ladder import OVER_OUR_HEAD, Cause, Rise
from shared.events.cases import CaseMerged
from shared.events.complaints import ComplaintReceived
from shared.events.words import CaseState, Outcome, Segment
from shared.kernel.records import replace

MERGE = "merge"
REPEAT = "repeat"


def merges(case: Case, root: Case, rules: Rules) -> bool:
    """Tell whether a case may go on in that of the earlier complaint about the same matter.

    Not where somebody has begun with it. Not the case of those who went over our head: a
    regulator's deadlines run from their own complaint. Not an emergency whose beginning was none:
    it needs its own limits now. Not a case in which the customer was promised something.
    """
    alarming = rules.is_emergency(case) and not rules.is_emergency(root)
    goes_over = case.facts.channel in OVER_OUR_HEAD
    untouched = case.state in NOT_BEGUN and not case.promises
    return root.is_open and untouched and not goes_over and not alarming


def merged_case(
    received: ComplaintReceived,
    root: Case,
    *,
    now: datetime,
    rules: Rules,
    segment: Segment | None = None,
) -> Change | None:
    """Return the record of a complaint that is handled in `root` from the beginning.

    None where it needs a case of its own.
    """
    case = routed_case(received, rules, now=now, segment=segment)
    if not merges(case, root, rules):
        return None
    case = replace(case, owner=None, department=root.department, version=0)
    draft = Draft(case, rules, max(now, case.opened_at))
    _end_in(draft, root, None)
    return draft.finish()


def merge_late(case: Case, root: Case, *, now: datetime, rules: Rules) -> Change | None:
    """End a case in that of the earlier complaint, which came to us later than this one.

    None where both go on, linked.
    """
    if not merges(case, root, rules):
        return None
    draft = Draft(case, rules, max(now, case.opened_at))
    pass_time_before(draft, draft.now)
    draft.cancel_all(draft.now)
    _end_in(draft, root, draft.case.state)
    return draft.finish()


def _end_in(draft: Draft, root: Case, before: CaseState | None) -> None:
    draft.case = replace(
        draft.case,
        state=CaseState.CLOSED,
        outcome=Outcome.MERGED.value,
        merged_into=root.id,
        approval=None,
    )
    draft.system_entry(draft.now, MERGE, root.number, before)
    draft.say(
        CaseMerged,
        draft.now,
        into=root.id,
        into_number=root.number,
        owner=root.owner,
        department=root.department,
    )


def add_repeat(root: Case, number: str, rise: Rise, *, now: datetime, rules: Rules) -> Change:
    """Note another complaint about the matter of an open case, and take the case up.

    The customer has spoken: we wait for them no longer. What a regulator sends is not their answer.
    """
    draft = Draft(root, rules, max(now, root.opened_at))
    pass_time_before(draft, draft.now)
    before = draft.case.state
    if rise.cause is Cause.REPEAT and before is CaseState.AWAITING_CUSTOMER:
        receive_information(draft, draft.now)
    draft.system_entry(draft.now, REPEAT, number, before)
    escalate_by_itself(draft, rise, draft.now)
    return draft.finish()


def rise_of_root(received: ComplaintReceived, case: Case) -> Rise:
    """Return what a further complaint, with its `case`, means for the case of the first.

    Where the customer went over our head both lie with one owner from now on.
    """
    over = OVER_OUR_HEAD.get(received.channel)
    if over is None:
        return Rise(Cause.REPEAT)
    return Rise(over, to=case.escalation_level, owner=case.owner)
