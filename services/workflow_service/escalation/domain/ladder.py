"""The ladder: 0 front line, 1 team leader, 2 department manager, 3 service quality, 4 executive."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.workflow_service.organisation.domain.people import HIGHEST_LEVEL, Organisation


class Cause(StrEnum):
    """Why a case went up."""

    BREACH = "breach"
    DECISION = "decision"


@dataclass(frozen=True, slots=True)
class Step:
    """One step up: the new level, its cause, and who takes over (None: the owner stays)."""

    level: int
    previous_level: int
    cause: Cause
    owner: str | None


def may_rise(level: int) -> bool:
    """Tell whether there is a level above."""
    return level < HIGHEST_LEVEL


def step_up(
    level: int,
    *,
    cause: Cause,
    organisation: Organisation,
    department: str | None,
    complaint_id: str,
) -> Step | None:
    """Return the step to the next level; None where the case is at the top already."""
    if not may_rise(level):
        return None
    owner = organisation.owner_at_level(level + 1, department=department, complaint_id=complaint_id)
    return Step(level=level + 1, previous_level=level, cause=cause, owner=owner)
