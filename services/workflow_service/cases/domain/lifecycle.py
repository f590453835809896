"""The life of a case: one table of (state, action) → state, and one function that refuses."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from shared.events.words import CaseState as S
from shared.kernel.errors import Conflict


class Action(StrEnum):
    """What people do with a case; the last part of the path of each."""

    ASSIGN = "assign"
    START_INVESTIGATION = "start-investigation"
    RECORD_CONTACT = "record-contact"
    REQUEST_INFORMATION = "request-information"
    RECEIVE_INFORMATION = "receive-information"
    PROPOSE = "propose"
    APPROVE = "approve"
    REFUSE = "refuse"
    ACCEPT = "accept"
    DECLINE = "decline"
    CARRY_OUT = "carry-out"
    RESOLVE = "resolve"
    CLOSE = "close"
    REOPEN = "reopen"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    ESCALATE = "escalate"
    DE_ESCALATE = "de-escalate"


A = Action

STAY: Final = None
"""The case stays where it is (or, after receive-information, returns to where it was)."""

OPEN_STATES = frozenset(
    {S.RECEIVED, S.ASSIGNED, S.INVESTIGATING, S.AWAITING_CUSTOMER, S.PROPOSED, S.EXECUTING}
)
"""States in which somebody still has to solve the case."""

SETTLED_STATES = frozenset({S.CLOSED, S.REJECTED, S.WITHDRAWN})
"""States in which no clock may run."""

NOT_BEGUN = frozenset({S.RECEIVED, S.ASSIGNED})
"""States in which nobody has begun to work on it."""

# A proposal over its maker's authority leaves the case where it is until it is approved; `approve`
# and `refuse` are possible only then (`Case.allowed_actions`).
TRANSITIONS: Mapping[tuple[S, A], S | None] = {
    (S.RECEIVED, A.ASSIGN): S.ASSIGNED,
    (S.RECEIVED, A.RECORD_CONTACT): STAY,
    (S.RECEIVED, A.REQUEST_INFORMATION): S.AWAITING_CUSTOMER,
    (S.RECEIVED, A.REJECT): S.REJECTED,
    (S.RECEIVED, A.WITHDRAW): S.WITHDRAWN,
    (S.RECEIVED, A.ESCALATE): STAY,
    (S.RECEIVED, A.DE_ESCALATE): STAY,
    (S.ASSIGNED, A.ASSIGN): STAY,
    (S.ASSIGNED, A.START_INVESTIGATION): S.INVESTIGATING,
    (S.ASSIGNED, A.RECORD_CONTACT): STAY,
    (S.ASSIGNED, A.REQUEST_INFORMATION): S.AWAITING_CUSTOMER,
    (S.ASSIGNED, A.PROPOSE): S.PROPOSED,
    (S.ASSIGNED, A.APPROVE): S.PROPOSED,
    (S.ASSIGNED, A.REFUSE): STAY,
    (S.ASSIGNED, A.RESOLVE): S.RESOLVED,  # settled at first contact
    (S.ASSIGNED, A.REJECT): S.REJECTED,
    (S.ASSIGNED, A.WITHDRAW): S.WITHDRAWN,
    (S.ASSIGNED, A.ESCALATE): STAY,
    (S.ASSIGNED, A.DE_ESCALATE): STAY,
    (S.INVESTIGATING, A.ASSIGN): STAY,
    (S.INVESTIGATING, A.RECORD_CONTACT): STAY,
    (S.INVESTIGATING, A.REQUEST_INFORMATION): S.AWAITING_CUSTOMER,
    (S.INVESTIGATING, A.PROPOSE): S.PROPOSED,
    (S.INVESTIGATING, A.APPROVE): S.PROPOSED,
    (S.INVESTIGATING, A.REFUSE): STAY,
    (S.INVESTIGATING, A.RESOLVE): S.RESOLVED,
    (S.INVESTIGATING, A.REJECT): S.REJECTED,
    (S.INVESTIGATING, A.WITHDRAW): S.WITHDRAWN,
    (S.INVESTIGATING, A.ESCALATE): STAY,
    (S.INVESTIGATING, A.DE_ESCALATE): STAY,
    (S.AWAITING_CUSTOMER, A.ASSIGN): STAY,
    (S.AWAITING_CUSTOMER, A.RECORD_CONTACT): STAY,
    (S.AWAITING_CUSTOMER, A.RECEIVE_INFORMATION): STAY,
    (S.AWAITING_CUSTOMER, A.PROPOSE): S.PROPOSED,
    (S.AWAITING_CUSTOMER, A.APPROVE): S.PROPOSED,
    (S.AWAITING_CUSTOMER, A.REFUSE): STAY,
    (S.AWAITING_CUSTOMER, A.RESOLVE): S.RESOLVED,
    (S.AWAITING_CUSTOMER, A.REJECT): S.REJECTED,
    (S.AWAITING_CUSTOMER, A.WITHDRAW): S.WITHDRAWN,
    (S.AWAITING_CUSTOMER, A.ESCALATE): STAY,
    (S.AWAITING_CUSTOMER, A.DE_ESCALATE): STAY,
    (S.PROPOSED, A.ASSIGN): STAY,
    (S.PROPOSED, A.RECORD_CONTACT): STAY,
    (S.PROPOSED, A.REQUEST_INFORMATION): S.AWAITING_CUSTOMER,
    (S.PROPOSED, A.PROPOSE): STAY,  # a better offer before the customer has answered
    (S.PROPOSED, A.APPROVE): S.PROPOSED,
    (S.PROPOSED, A.REFUSE): STAY,
    (S.PROPOSED, A.ACCEPT): S.EXECUTING,
    (S.PROPOSED, A.DECLINE): S.INVESTIGATING,
    (S.PROPOSED, A.REJECT): S.REJECTED,
    (S.PROPOSED, A.WITHDRAW): S.WITHDRAWN,
    (S.PROPOSED, A.ESCALATE): STAY,
    (S.PROPOSED, A.DE_ESCALATE): STAY,
    (S.EXECUTING, A.ASSIGN): STAY,
    (S.EXECUTING, A.RECORD_CONTACT): STAY,
    (S.EXECUTING, A.REQUEST_INFORMATION): S.AWAITING_CUSTOMER,
    (S.EXECUTING, A.PROPOSE): S.PROPOSED,  # what was accepted turned out not to be possible
    (S.EXECUTING, A.APPROVE): S.PROPOSED,
    (S.EXECUTING, A.REFUSE): STAY,
    (S.EXECUTING, A.CARRY_OUT): STAY,
    (S.EXECUTING, A.RESOLVE): S.RESOLVED,
    (S.EXECUTING, A.WITHDRAW): S.WITHDRAWN,
    (S.EXECUTING, A.ESCALATE): STAY,
    (S.EXECUTING, A.DE_ESCALATE): STAY,
    (S.RESOLVED, A.RECORD_CONTACT): STAY,
    (S.RESOLVED, A.CLOSE): S.CLOSED,
    (S.RESOLVED, A.REOPEN): S.ASSIGNED,
    (S.RESOLVED, A.ESCALATE): STAY,
    (S.RESOLVED, A.DE_ESCALATE): STAY,
    (S.REJECTED, A.CLOSE): S.CLOSED,
    (S.WITHDRAWN, A.CLOSE): S.CLOSED,
    (S.CLOSED, A.REOPEN): S.ASSIGNED,
}

_ALLOWED: Mapping[S, tuple[A, ...]] = {
    state: tuple(action for action in A if (state, action) in TRANSITIONS) for state in S
}


class ForbiddenTransition(Conflict):
    """The action is not possible from the case's state; `allowed_actions` are."""

    code = "forbidden-transition"
    title = "Not possible from this state"

    def __init__(self, detail: str, allowed_actions: tuple[Action, ...]) -> None:
        super().__init__(detail)
        self.allowed_actions = allowed_actions

    @property
    def extensions(self) -> Mapping[str, object]:
        """What the problem document says beside title and detail."""
        return {"allowed_actions": [action.value for action in self.allowed_actions]}


def allowed_from(state: S) -> tuple[Action, ...]:
    """Return the actions that are possible from a state."""
    return _ALLOWED[state]


def target_of(state: S, action: Action, *, allowed: tuple[Action, ...] | None = None) -> S:
    """Return where an action leads; raises ForbiddenTransition naming what is allowed.

    `allowed` is what to name where a case allows less than its state does.
    """
    if (state, action) not in TRANSITIONS:
        allowed = allowed_from(state) if allowed is None else allowed
        words = ", ".join(allowed) or "nothing"
        raise ForbiddenTransition(
            f"{action} is not possible for a case that is {state}; possible: {words}", allowed
        )
    return TRANSITIONS[state, action] or state
