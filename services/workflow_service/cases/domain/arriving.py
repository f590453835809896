"""How a complaint comes in: at the front line, or higher up at once, and with what before it."""

from __future__ import annotations

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.escalation.domain.ladder import (
    OVER_OUR_HEAD,
    SUPERVISION_LEVEL,
    Cause,
    Rise,
    WentUp,
)
from shared.events.complaints import OUTWARD_THREAT, ComplaintReceived
from shared.events.words import CaseState, ClockState, Outcome

_PEOPLE = ("service.attitude", "service.unfair")
_UNWANTED = frozenset({Outcome.REJECTED, Outcome.ANSWERED})


def rises_at_arrival(
    received: ComplaintReceived, earlier: Case | None, *, is_emergency: bool
) -> tuple[Rise, ...]:
    """Return what takes a complaint up the ladder as it comes in, in order.

    The first cause that applies is enough; an emergency is one whatever else it is.
    """
    rises = []
    over = OVER_OUR_HEAD.get(received.channel)
    if over is not None:
        rises.append(_over_our_head(over, earlier))
    elif is_emergency:
        pass
    elif earlier is not None:
        rises.append(Rise(Cause.REPEAT, earlier_complaint=earlier.id))
    elif OUTWARD_THREAT in received.signals:
        rises.append(Rise(Cause.OUTWARD))
    if is_emergency:
        rises.append(Rise(Cause.EMERGENCY, earlier_complaint=earlier.id if earlier else None))
    return tuple(rises)


def _over_our_head(cause: Cause, earlier: Case | None) -> Rise:
    return Rise(
        cause,
        to=SUPERVISION_LEVEL,
        earlier_complaint=earlier.id if earlier else None,
        went_up=went_up(earlier),
    )


def went_up(earlier: Case | None) -> WentUp:
    """Return why the customer went over our head, by the case of the same matter before (S3)."""
    if earlier is None:
        return WentUp.DIRECT
    if any(clock.state is ClockState.BREACHED for clock in earlier.clocks):
        return WentUp.LATE
    if earlier.category.startswith(_PEOPLE):
        return WentUp.ATTITUDE
    if earlier.declines or earlier.state is CaseState.REJECTED or earlier.outcome in _UNWANTED:
        return WentUp.RESULT
    return WentUp.UNSOLVED if earlier.is_open else WentUp.RESULT
