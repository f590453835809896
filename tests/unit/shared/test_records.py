"""A record is changed as the standard library changes it."""

from __future__ import annotations

import dataclasses
from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any

import pytest

from shared.kernel.records import replace


@dataclass(frozen=True, slots=True)
class _Record:
    name: str
    count: int = 0
    tags: tuple[str, ...] = ()
    seen: dict[str, int] = field(default_factory=dict)


@pytest.mark.parametrize(
    "changes", [{}, {"count": 2}, {"name": "b", "tags": ("x",)}, {"seen": {"a": 1}}]
)
def test_a_record_is_replaced_as_by_the_standard_library(changes: dict[str, Any]) -> None:
    record = _Record("a", 1, ("t",), {"z": 26})

    changed = replace(record, **changes)

    assert changed == dataclasses.replace(record, **changes)
    assert record == _Record("a", 1, ("t",), {"z": 26})
    assert changed.seen is changes.get("seen", record.seen)
    with pytest.raises(FrozenInstanceError):
        changed.name = "c"  # type: ignore[misc]  # what the test is about


def test_an_unknown_field_is_refused() -> None:
    unknown: dict[str, Any] = {"cuont": 1}

    with pytest.raises(KeyError, match="cuont"):
        replace(_Record("a"), **unknown)
