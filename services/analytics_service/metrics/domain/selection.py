"""Which complaints a question is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from services.analytics_service.metrics.domain.dimensions import Dimension, Value


@dataclass(frozen=True, slots=True)
class Selection:
    """Complaints received in [start, end), naive UTC, whose dimensions have one of the values."""

    zone: ZoneInfo
    start: datetime | None = None
    end: datetime | None = None
    filters: Mapping[Dimension, tuple[Value, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """The values of the dimensions that an answer was grouped by."""

    key: tuple[Value, ...]
