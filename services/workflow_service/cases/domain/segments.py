"""What a customer's history says of them when they complain again (domain.md §1, Segment).

Only what can be counted is decided here; that somebody is a professional claimant, say, is for a
person to judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.workflow_service.escalation.domain.ladder import Cause
from shared.events.words import Channel, Segment

LOOKED_BACK = timedelta(days=365)
"""How far back complaints are counted."""

HIGH_FREQUENCY = 5
"""From how many complaints in that time on, this one included, a customer complains often."""

OUTSIDE = (Channel.SUPERVISION_HOTLINE, Channel.REGULATOR, Channel.MEDIA)
"""The channels of those who went over our head."""

WENT_OVER = Cause.SUPERVISION
"""Why a case went up whose customer asked for a supervisor; how high it climbed tells nothing."""


@dataclass(frozen=True, slots=True)
class Past:
    """A customer's earlier complaints within the time looked back."""

    complaints: int = 0
    escalated: bool = False


def segment_of(past: Past) -> Segment:
    """Return the segment; having gone over our head weighs more than complaining often."""
    if past.escalated:
        return Segment.PREVIOUSLY_ESCALATED
    if past.complaints + 1 >= HIGH_FREQUENCY:
        return Segment.HIGH_FREQUENCY
    return Segment.ORDINARY if past.complaints else Segment.FIRST_TIME
