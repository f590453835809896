"""A call-back: the task to call a customer who has not told whether they are satisfied (回访)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID


class CallBackState(StrEnum):
    """What became of a call-back."""

    OPEN = "open"
    ANSWERED = "answered"
    REFUSED = "refused"
    """The customer did not want to tell."""
    NOT_REACHED = "not_reached"
    NOT_NEEDED = "not_needed"
    """They answered the survey meanwhile, or the case was reopened or closed."""


class CallReason(StrEnum):
    """Why the customer is called."""

    UNANSWERED = "unanswered"
    UNREACHABLE = "unreachable"
    """No message could be sent."""
    ASKED = "asked"
    """The customer wishes it."""
    AGREED = "agreed"
    """The time has come that an earlier call agreed on."""


class CallResult(StrEnum):
    """What one attempt came to."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"
    REFUSED = "refused"
    LATER = "later"
    """The customer asked for another time."""


SPOKEN = frozenset({CallResult.REACHED, CallResult.REFUSED, CallResult.LATER})
"""The results with which we spoke to the customer."""


@dataclass(frozen=True, slots=True)
class CallAttempt:
    """One call. The note's words are kept encrypted under `note_id`."""

    at: datetime
    by: str
    result: CallResult
    call_again_at: datetime | None = None
    note_id: str | None = None


@dataclass(frozen=True, slots=True)
class CallBack:
    """One task; the customer's words are kept encrypted under `words_id`.

    `due_at` is the end of the follow-up's window, None where no clock waits for the call.
    `call_again_at` is when its owner is reminded.
    """

    id: str
    round: int
    reason: CallReason
    opened_at: datetime
    due_at: datetime | None = None
    state: CallBackState = CallBackState.OPEN
    call_again_at: datetime | None = None
    attempts: tuple[CallAttempt, ...] = ()
    score: int | None = None
    words_id: str | None = None
    ended_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the customer is still to be called."""
        return self.state is CallBackState.OPEN

    @property
    def failures(self) -> int:
        """How many attempts reached nobody."""
        return sum(attempt.result not in SPOKEN for attempt in self.attempts)


def call_back_id(complaint_id: str, place: int, at: datetime) -> str:
    """Return the id of a case's call-back: a UUIDv7 of `at` that a second try gives again."""
    digest = int.from_bytes(sha256(f"{complaint_id}/{place}".encode()).digest()[:10])
    milliseconds = int(at.timestamp() * 1000)
    low = digest & ((1 << 62) - 1)
    middle = digest >> 62 & 0xFFF
    return str(UUID(int=milliseconds << 80 | 0x7 << 76 | middle << 64 | 0b10 << 62 | low))


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """What the customer said last of a round: 1 very dissatisfied … 5 very satisfied.

    `told_by` is how: by the survey or in a call.
    """

    score: int
    told_by: str
    at: datetime
    round: int
