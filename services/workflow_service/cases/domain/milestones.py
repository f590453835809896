"""What each action means for the clocks: one table, for doing it and for replaying it.

- first_reply: met when we first speak to the customer, ask them something or propose.
- next_update: starts anew with everything that the customer hears from us.
- department_contact, department_answer: run while a case lies with another department than the
  front line; its answer is a proposal, a resolution, a rejection, or handing the case on.
- approve: from a proposal over its maker's authority to the decision on it. Only with the approval
  does the customer hear of it, and what waits for a proposal end.
- carry_out: from acceptance to the first step that is carried out.
- resolve: met by a resolution, and by a rejection, which is an answer too.
- follow_up: starts with the resolution, met by speaking to the customer after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.workflow_service.cases.domain.lifecycle import Action
from shared.events.words import CaseState, ClockKind

K = ClockKind

AT_OPENING = (K.ACKNOWLEDGE, K.ASSIGN, K.FIRST_REPLY, K.PROPOSE, K.RESOLVE)
"""The clocks that every case starts with."""

DEPARTMENTS = (K.DEPARTMENT_CONTACT, K.DEPARTMENT_ANSWER)

HURRIED = (K.PROPOSE, K.RESOLVE, K.NEXT_UPDATE, K.CARRY_OUT)
"""The clocks that are shorter at a higher level of escalation."""


@dataclass(frozen=True, slots=True)
class Effects:
    """Which clocks an action ends and starts. `ends_all` cancels what `meets` does not name.

    `is_heard`: the customer heard from us. `answers`: the complaint as a whole got its answer.
    """

    meets: tuple[ClockKind, ...] = ()
    cancels: tuple[ClockKind, ...] = ()
    starts: tuple[ClockKind, ...] = ()
    ends_all: bool = False
    is_heard: bool = False
    answers: bool = False


NOTHING = Effects()
_SPOKEN = Effects(meets=(K.FIRST_REPLY, K.DEPARTMENT_CONTACT), is_heard=True)
_SPOKEN_AFTER = Effects(meets=(K.FOLLOW_UP,))

_EFFECTS: Mapping[Action, Effects] = {
    Action.RECORD_CONTACT: _SPOKEN,
    Action.REQUEST_INFORMATION: _SPOKEN,
    Action.PROPOSE: Effects(
        meets=(K.FIRST_REPLY, K.PROPOSE, *DEPARTMENTS),
        cancels=(K.CARRY_OUT, K.APPROVE),
        is_heard=True,
    ),
    Action.APPROVE: Effects(
        meets=(K.APPROVE, K.FIRST_REPLY, K.PROPOSE, *DEPARTMENTS),
        cancels=(K.CARRY_OUT,),
        is_heard=True,
    ),
    Action.REFUSE: Effects(meets=(K.APPROVE,)),
    Action.ACCEPT: Effects(cancels=(K.APPROVE,), starts=(K.CARRY_OUT,)),
    Action.CARRY_OUT: Effects(meets=(K.CARRY_OUT,), is_heard=True),
    Action.RESOLVE: Effects(
        meets=(K.RESOLVE, K.CARRY_OUT, K.DEPARTMENT_ANSWER),
        cancels=(K.ASSIGN, K.FIRST_REPLY, K.PROPOSE, K.APPROVE, K.NEXT_UPDATE, *DEPARTMENTS),
        starts=(K.FOLLOW_UP,),
        answers=True,
    ),
    Action.CLOSE: Effects(ends_all=True),
    Action.REOPEN: Effects(cancels=(K.FOLLOW_UP,), starts=(K.PROPOSE, K.RESOLVE, K.NEXT_UPDATE)),
    Action.REJECT: Effects(meets=(K.RESOLVE, K.DEPARTMENT_ANSWER), ends_all=True, answers=True),
    Action.WITHDRAW: Effects(ends_all=True),
}


def effects_of(action: Action, before: CaseState) -> Effects:
    """Return what an action does to the clocks of a case that was in state `before`."""
    if action is Action.RECORD_CONTACT and before is CaseState.RESOLVED:
        return _SPOKEN_AFTER
    return _EFFECTS.get(action, NOTHING)
