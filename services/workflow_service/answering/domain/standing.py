"""How one proposal stands: open, answered, or overtaken by what happened since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.workflow_service.cases.domain.case import Case, Entry
from services.workflow_service.cases.domain.lifecycle import Action
from services.workflow_service.cases.domain.proposals import REQUEST_APPROVAL
from shared.events.words import CaseState


class Answered(StrEnum):
    """What became of a proposal."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REPLACED = "replaced"
    """Another proposal was made since."""
    WAITING = "waiting"
    """We asked the customer for something first."""
    OVER = "over"
    """The case went on without an answer."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a proposal stands, since when, and which option was taken."""

    state: Answered
    at: datetime | None = None
    option: str | None = None


_ENDS = {
    Action.ACCEPT.value: Answered.ACCEPTED,
    Action.DECLINE.value: Answered.DECLINED,
    Action.PROPOSE.value: Answered.REPLACED,
    Action.APPROVE.value: Answered.REPLACED,
    Action.REOPEN.value: Answered.OVER,
    Action.RESOLVE.value: Answered.OVER,
    Action.REJECT.value: Answered.OVER,
    Action.WITHDRAW.value: Answered.OVER,
}


def standing_of(case: Case, history: Sequence[Entry], proposal: str) -> Standing | None:
    """Return how the proposal with these words stands; `history` begins with the oldest.

    None where it was never put to the customer: it waits for approval, or was refused that.
    """
    places = [place for place, words in _offered(history) if words == proposal]
    if not places:
        return None
    for entry in history[places[-1] + 1 :]:
        if entry.action in _ENDS:
            option = entry.why if entry.action == Action.ACCEPT.value else None
            return Standing(_ENDS[entry.action], entry.at, option)
    if case.state is CaseState.AWAITING_CUSTOMER:
        return Standing(Answered.WAITING)
    return Standing(Answered.OPEN if Action.ACCEPT in case.allowed_actions else Answered.OVER)


def latest_proposal(history: Sequence[Entry]) -> str | None:
    """Return the words of the last proposal that the customer was made, None without one."""
    return next((words for _, words in reversed(list(_offered(history)))), None)


def _offered(history: Sequence[Entry]) -> Iterator[tuple[int, str]]:
    """Yield where in the history proposals were put to the customer, with their words.

    One over its maker's authority has its words with the request, and is put with the approval.
    """
    waiting: str | None = None
    for place, entry in enumerate(history):
        if entry.action == REQUEST_APPROVAL:
            waiting = entry.words_id
        elif entry.action == Action.PROPOSE.value and entry.words_id is not None:
            yield place, entry.words_id
        elif entry.action == Action.APPROVE.value and waiting is not None:
            yield place, waiting
