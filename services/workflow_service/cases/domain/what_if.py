"""Compare the due times that open cases have with those that other rules would give them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.clocks.domain.clock import Clock

SHOWN = 100

Alternative = Callable[[Case, Clock], Clock | None]
"""A live clock as it would be; None where it would not run at all."""

Further = Callable[[Case], Iterable[Clock]]
"""The clocks that would run beside those that a case has."""


def nothing_further(_case: Case) -> Iterable[Clock]:
    """Return no clocks: only those that there are may be due at another time."""
    return ()


@dataclass(frozen=True, slots=True)
class Difference:
    """A due time that would be another one.

    `after` None: the clock would not run; `before` None: it does not yet, or is paused.
    """

    case_id: str
    number: str
    clock: str
    before: datetime | None
    after: datetime | None


@dataclass(slots=True)
class WhatIf:
    """What would change. `shown` are the first differences; `truncated`: not all were looked at."""

    looked_at: int = 0
    changed_cases: int = 0
    changed_clocks: Counter[str] = field(default_factory=Counter)
    earlier: int = 0
    later: int = 0
    shown: list[Difference] = field(default_factory=list)
    truncated: bool = False


def compare(
    found: WhatIf, case: Case, alternative: Alternative, further: Further = nothing_further
) -> None:
    """Add what would change in one case."""
    found.looked_at += 1
    differences = [*_differences(case, alternative), *_additions(case, further)]
    found.changed_cases += bool(differences)
    for difference in differences:
        found.changed_clocks[difference.clock] += 1
        if difference.before and difference.after:
            found.earlier += difference.after < difference.before
            found.later += difference.after > difference.before
        if len(found.shown) < SHOWN:
            found.shown.append(difference)


def _differences(case: Case, alternative: Alternative) -> Sequence[Difference]:
    differences = []
    for clock in case.clocks:
        if not clock.is_live:
            continue
        other = alternative(case, clock)
        after = other.due_at if other is not None else None
        if after != clock.due_at or (other is None and clock.due_at is None):
            differences.append(Difference(case.id, case.number, clock.kind, clock.due_at, after))
    return differences


def _additions(case: Case, further: Further) -> Sequence[Difference]:
    return [
        Difference(case.id, case.number, clock.kind, None, clock.due_at) for clock in further(case)
    ]
