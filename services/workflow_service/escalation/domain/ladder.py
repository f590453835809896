"""The ladder: 0 front line, 1 team leader, 2 department manager, 3 service quality, 4 executive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.workflow_service.organisation.domain.people import HIGHEST_LEVEL
from shared.events.words import Channel


class Cause(StrEnum):
    """Why a case went up (domain.md §4)."""

    BREACH = "breach"
    HANDOVERS = "handovers"
    REPEAT = "repeat"
    DECLINES = "declines"
    FINAL_REFUSED = "final_refused"
    CUSTOMER = "customer"
    OUTWARD = "outward"
    SUPERVISION = "supervision"
    REGULATOR = "regulator"
    MEDIA = "media"
    EMERGENCY = "emergency"
    LOW_SCORE = "low_score"
    """Asked after the resolution, the customer was not satisfied."""
    DECISION = "decision"


class WentUp(StrEnum):
    """Why a customer went over our head with a matter (S3)."""

    LATE = "late"
    UNSOLVED = "unsolved"
    RESULT = "result"
    ATTITUDE = "attitude"
    DIRECT = "direct"
    """There is no internal complaint before it: channel blocked, distrust, pressure."""


SUPERVISION_LEVEL = 3
"""Where those arrive who went over our head, and where "ask for a supervisor" leads."""

EMERGENCY_LEVEL = 2
"""The level of an emergency at least, whatever it is otherwise."""

OVER_OUR_HEAD: Mapping[str, Cause] = {
    Channel.SUPERVISION_HOTLINE: Cause.SUPERVISION,
    Channel.REGULATOR: Cause.REGULATOR,
    Channel.MEDIA: Cause.MEDIA,
}
"""The channels that arrive at the level of supervision, and their causes."""

_EVERY_HANDOVERS = 3
_EVERY_DECLINES = 2


@dataclass(frozen=True, slots=True)
class Rise:
    """One occasion to take a case up.

    `to` is the level it comes to at least; None: one level up. `owner` is who must have it, where
    that is known, `otherwise` who has it where the level has nobody. `earlier_complaint` is what
    it grew out of, `went_up` why it did.
    """

    cause: Cause
    to: int | None = None
    owner: str | None = None
    otherwise: str | None = None
    asked_by_customer: bool = False
    earlier_complaint: str | None = None
    went_up: WentUp | None = None

    def level_from(self, level: int) -> int | None:
        """Return the level that it leads to from `level`; None where it changes nothing."""
        if self.cause is Cause.EMERGENCY:
            # Whoever has it by then: the duty officer takes an emergency over.
            return max(level, EMERGENCY_LEVEL)
        to = level + 1 if self.to is None else self.to
        return to if level < to <= HIGHEST_LEVEL else None


def may_rise(level: int) -> bool:
    """Tell whether there is a level above."""
    return level < HIGHEST_LEVEL


def rise_for_handovers(handovers: int) -> Rise | None:
    """Return the rise that the latest hand-over calls for: every third does.

    Many hand-overs mean that nobody owns it.
    """
    return Rise(Cause.HANDOVERS) if handovers % _EVERY_HANDOVERS == 0 else None


def rise_for_declining(declines: int, *, final: bool) -> Rise | None:
    """Return the rise that a refused proposal calls for: a final one, or every second."""
    if final:
        return Rise(Cause.FINAL_REFUSED)
    return Rise(Cause.DECLINES) if declines % _EVERY_DECLINES == 0 else None
