"""What intake says: the complaint as received, as amended, as graded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from shared.events.base import ComplaintEvent, Source

OUTWARD_THREAT = "outward-threat"
"""The signal of words that point outside: a regulator, the media, a court (domain.md §4)."""

_SIGNALS = frozenset({OUTWARD_THREAT})

ASKS_FOR_SUPERVISOR = "supervision"
"""The kind of amendment by which a customer asks for a supervisor."""

OBJECTS = "objection"
"""The kind of amendment by which a customer says that a settled complaint is not settled."""


def signals_in(rules: Iterable[str]) -> tuple[str, ...]:
    """Return those of triage's rules that other services act on, each once."""
    return tuple(dict.fromkeys(rule for rule in rules if rule in _SIGNALS))


class Recorded(BaseModel):
    """What an imported complaint's source had recorded about its handling."""

    model_config = ConfigDict(frozen=True)

    answered_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: str | None = None


class ComplaintReceived(ComplaintEvent):
    """A complaint was recorded, identified, classified and graded."""

    source = Source.INTAKE

    received_at: datetime
    occurred_at: datetime | None = None
    channel: str
    category: str
    suggested_category: str
    severity: str
    urgency: str
    priority: str
    motive: str | None = None
    tier: str = "standard"
    language: str
    region: str | None = None
    h3: str | None = Field(default=None, description="H3 cell at resolution 7, never finer")
    product: str | None = None
    demands: tuple[str, ...] = ()
    source_system: str | None = None
    customer_id: str
    repeat_of: str | None = None
    imported: bool = False
    recorded: Recorded | None = None
    signals: tuple[str, ...] = Field(
        default=(), description="what its words are signs of, such as outward-threat"
    )


class ComplaintAmended(ComplaintEvent):
    """Something was added to the complaint or corrected in it; the words stay with intake."""

    source = Source.INTAKE

    kind: str = Field(
        description="addition, correction, objection (it is not settled) or supervision (asked for)"
    )
    by: str = Field(description="customer or staff")
    fields: tuple[str, ...] = ()
    signals: tuple[str, ...] = Field(
        default=(), description="what its words are signs of, such as outward-threat"
    )


class ComplaintRegraded(ComplaintEvent):
    """The classification changed."""

    source = Source.INTAKE

    old_category: str
    category: str
    old_severity: str
    severity: str
    old_urgency: str
    urgency: str
    old_priority: str
    priority: str
    decided_by: str = Field(description="system or staff")
    reasons: tuple[str, ...] = ()
