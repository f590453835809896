"""Which events a subscription wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a complaint that subscriptions are filtered by: nothing personal."""

    category: str | None = None
    department: str | None = None

    def after(self, data: Mapping[str, JsonValue]) -> Standing:
        """Return what is known after an event that says `data`."""
        category, department = self.category, self.department
        if "category" in data:
            category = _word(data["category"]) or category
        if "department" in data:
            department = _word(data["department"])
        if (category, department) == (self.category, self.department):
            return self
        return Standing(category, department)


@dataclass(frozen=True, slots=True)
class Filter:
    """Alternatives within a list, all lists together; an empty list wants everything."""

    types: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()

    def wants(self, type_: str, before: Standing, now: Standing) -> bool:
        """Tell whether an event is wanted that took a complaint from one standing to another.

        A category wants what lies under it (`logistics` wants `logistics.short`). An event that
        takes a complaint away from a department or category is wanted by both sides.
        """
        if self.types and type_ not in self.types:
            return False
        if self.departments and not self.departments & {before.department, now.department}:
            return False
        return not self.categories or any(
            self._is_under(one.category) for one in (before, now) if one.category is not None
        )

    def _is_under(self, category: str) -> bool:
        return category in self.categories or category.partition(".")[0] in self.categories


def _word(value: JsonValue) -> str | None:
    """Return a code, None for anything else: what events say is not ours to believe."""
    if isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable():
        return value
    return None
