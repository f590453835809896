"""Which complaints a list shows, and in which order."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Which complaints of a selection a list shows."""

    OPEN = "open"
    OVERDUE = "overdue"
    RESOLVED = "resolved"
    BREACHED = "breached"
    ESCALATED = "escalated"
    REOPENED = "reopened"


class Sort(StrEnum):
    """What comes first in a list."""

    NEWEST = "newest"
    SLOWEST = "slowest"
