"""By what complaints can be counted, filtered and grouped, and what is counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from enum import StrEnum

from shared.events.words import Channel, Priority, Severity, Tier

Value = str | int | None
"""A value of a dimension as it stands in answers; None where a complaint has none."""


class Dimension(StrEnum):
    """A dimension of interface.md. `week` is the Monday's date, `hour_of_week` 0 (Mon 00) … 167."""

    CATEGORY = "category"
    PRODUCT = "product"
    REGION = "region"
    CHANNEL = "channel"
    DEPARTMENT = "department"
    SEVERITY = "severity"
    PRIORITY = "priority"
    TIER = "tier"
    WEEK = "week"
    DAY = "day"
    HOUR_OF_WEEK = "hour_of_week"

    @property
    def is_time(self) -> bool:
        """Whether it follows from the time of reception and so depends on the time zone."""
        return self in _TIME

    @property
    def is_ranked(self) -> bool:
        """Whether its values have an order of their own, such as P1 to P4."""
        return self in _ORDERS


class Measure(StrEnum):
    """What is counted: all, those with a breached clock, on a higher level, or resolved."""

    COUNT = "count"
    BREACHED = "breached"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


class Stage(StrEnum):
    """A part of a complaint's way, as a column of its fact (in seconds)."""

    TO_ACKNOWLEDGE = "to_acknowledge"
    TO_ASSIGN = "to_assign"
    TO_FIRST_REPLY = "to_first_reply"
    TO_PROPOSE = "to_propose"
    TO_RESOLVE = "to_resolve"
    TOTAL = "total"


class Interval(StrEnum):
    """The width of a bucket of the trend."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


_TIME = frozenset({Dimension.WEEK, Dimension.DAY, Dimension.HOUR_OF_WEEK})

_ORDERS: dict[Dimension, list[str]] = {
    Dimension.SEVERITY: [each.value for each in Severity],
    Dimension.PRIORITY: [each.value for each in Priority],
    Dimension.TIER: [each.value for each in Tier],
}


_WORDS: dict[Dimension, list[str]] = {
    **_ORDERS,
    Dimension.CHANNEL: [each.value for each in Channel],
}
"""The dimensions whose values are closed lists."""


def sort_values(dimension: Dimension, values: set[Value]) -> list[Value]:
    """Order values as people expect: by rank where there is one, else by name, null last."""
    return sorted(values, key=_sort_key(dimension))


def _sort_key(dimension: Dimension) -> Callable[[Value], tuple[bool, int, str]]:
    ranks = {word: rank for rank, word in enumerate(_ORDERS.get(dimension, ()))}

    def key(value: Value) -> tuple[bool, int, str]:
        if isinstance(value, int):
            return False, value, ""
        return value is None, ranks.get(value or "", len(ranks)), value or ""

    return key


def parse_value(dimension: Dimension, text: str) -> Value:
    """Read a filter's value; `null` stands for missing. Raises ValueError saying what is wanted."""
    if text == "null":
        return None
    if dimension is Dimension.HOUR_OF_WEEK:
        if not text.isdecimal() or int(text) > 167:
            raise ValueError("must be an hour of the week, 0 (Monday 00:00) to 167")
        return int(text)
    if dimension.is_time:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise ValueError("must be a date such as 2026-11-23") from None
        if dimension is Dimension.WEEK and day.isoweekday() != 1:
            monday = day - timedelta(days=day.weekday())
            raise ValueError(f"must be the Monday of a week, such as {monday}")
    words = _WORDS.get(dimension)
    if words is not None and text not in words:
        # An empty answer would read as if there were no such complaints.
        raise ValueError(f"must be one of {', '.join(words)}")
    return text
