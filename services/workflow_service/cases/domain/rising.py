"""Up and down the ladder: a new owner, shorter clocks, and what there is to say of it.

Which occasions take a case up stands in `escalation/domain/ladder.py`; what a level means for the
clocks in `levels.py` and docs/clocks.md.
"""

from __future__ import annotations

from datetime import datetime

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Draft
from services.workflow_service.cases.domain.levels import take_level
from services.workflow_service.cases.domain.ownership import settle_owner
from services.workflow_service.escalation.domain.ladder import (
    EMERGENCY_LEVEL,
    Cause,
    Rise,
    rise_for_declining,
    rise_for_handovers,
)
from shared.events import cases as events
from shared.events.words import CaseState
from shared.kernel.records import replace

ESCALATE = "escalate"
"""How the history names a step up, whoever took it."""


def escalate(draft: Draft, rise: Rise, at: datetime) -> bool:
    """Take the case up, to a new owner; False where the occasion leads no higher.

    The caller notes it in the history, with `data_of` the case.
    """
    case = draft.case
    level = rise.level_from(case.escalation_level)
    if level is None:
        return False
    found = rise.owner or _owner_at(draft, level, rise.cause)
    owner = found or case.owner or rise.otherwise
    draft.case = replace(
        case,
        escalation_level=level,
        owner=owner,
        causes=(*case.causes, rise.cause.value),
        escalated_at=draft.now,
    )
    settle_owner(draft, at)
    take_level(draft, draft.now)
    draft.say(
        events.Escalated,
        at,
        level=level,
        previous_level=case.escalation_level,
        cause=rise.cause.value,
        owner=owner,
        previous_owner=case.owner,
        asked_by_customer=rise.asked_by_customer,
        emergency=rise.cause is Cause.EMERGENCY,
        earlier_complaint=rise.earlier_complaint,
        went_up=rise.went_up,
    )
    return True


def _owner_at(draft: Draft, level: int, cause: Cause) -> str | None:
    case, organisation = draft.case, draft.rules.organisation
    if cause is Cause.EMERGENCY:
        on_duty = organisation.duty_officer(
            draft.now, department=case.department, level=EMERGENCY_LEVEL, emergency=True
        )
        if on_duty is not None:
            return on_duty
        level = EMERGENCY_LEVEL
    return organisation.owner_at_level(
        level,
        department=case.department,
        complaint_id=case.id,
        at=draft.now,
        load=draft.rules.load,
    )


def escalate_by_itself(draft: Draft, rise: Rise, at: datetime) -> bool:
    """Take the case up without anybody's doing, and note it."""
    before = draft.case.state
    if not escalate(draft, rise, at):
        return False
    why = rise.cause.value + (f": {rise.went_up}" if rise.went_up else "")
    draft.system_entry(at, ESCALATE, why, before, **data_of(draft, rise.cause))
    return True


def data_of(draft: Draft, cause: Cause) -> dict[str, object]:
    """Return what a replay needs of a step up that was just taken."""
    case = draft.case
    return {
        "owner": case.owner,
        "level": case.escalation_level,
        "cause": cause.value,
        "since": draft.now,
    }


def escalate_for(draft: Draft, before: Case, at: datetime) -> None:
    """Take the case up where what was just done is an occasion for it.

    `before` is the case before it: each hand-over and each refusal counts once.
    """
    case = draft.case
    rise = None
    if case.handovers > before.handovers:
        rise = rise_for_handovers(case.handovers)
    elif case.declines > before.declines:
        rise = rise_for_declining(case.declines, final=before.final_offer)
    if rise is not None:
        escalate_by_itself(draft, rise, at)


def hear_threat(draft: Draft, at: datetime) -> None:
    """Take the case up for words that point outside: once, for the next ones are no news."""
    case = draft.case
    heeds = case.is_open or case.state is CaseState.RESOLVED
    if heeds and Cause.OUTWARD not in case.causes:
        escalate_by_itself(draft, Rise(Cause.OUTWARD), at)


def de_escalate(draft: Draft, owner: str | None, at: datetime) -> None:
    """Hand the case one level down; the caller knows that there is one.

    What is left of live clocks stays as it is; those that begin from now on have the targets of
    the lower level.
    """
    case = draft.case
    level = case.escalation_level - 1
    draft.case = replace(
        case, escalation_level=level, owner=owner or _owner_below(draft, level) or case.owner
    )
    settle_owner(draft, at)
    draft.say(
        events.DeEscalated,
        at,
        level=level,
        previous_level=case.escalation_level,
        owner=draft.case.owner,
        previous_owner=case.owner,
    )


def _owner_below(draft: Draft, level: int) -> str | None:
    case, organisation = draft.case, draft.rules.organisation
    if level == 0:
        to = draft.rules.route(case.category, case.facts, complaint_id=case.id, at=draft.now)
        return to.owner if to.department == case.department else None
    return organisation.owner_at_level(
        level,
        department=case.department,
        complaint_id=case.id,
        at=draft.now,
        load=draft.rules.load,
    )
