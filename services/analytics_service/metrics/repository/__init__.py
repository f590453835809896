"""The statements behind the figures: `facts` asks, `percentiles` is exact in little memory."""

from services.analytics_service.metrics.repository.facts import (
    OPEN,
    OVERDUE,
    RESOLVED,
    ClockCounts,
    Facts,
    Times,
)

__all__ = ["OPEN", "OVERDUE", "RESOLVED", "ClockCounts", "Facts", "Times"]
