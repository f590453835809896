"""What another version of a calendar would change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.workflow_service.calendars.domain.book import (
    CalendarBook,
    CalendarVersion,
    YearsDays,
)
from services.workflow_service.calendars.domain.calendar import DayKind, SpecialDay


@dataclass(frozen=True, slots=True)
class DayChange:
    """A day that another version would make something else."""

    day: date
    before: SpecialDay | None
    after: SpecialDay


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit comes to. `version` is None where nothing changes."""

    version: CalendarVersion
    is_new: bool
    changes: Sequence[DayChange]
    windows_changed: bool


def has_learned(before: CalendarVersion, after: CalendarVersion) -> bool:
    """Tell whether more is known of the country's days than when a version was stored."""
    if before.official_until != after.official_until:
        return True
    return any(
        year in after.special and dict(days) != dict(after.special[year])
        for year, days in before.special.items()
    )


def differences(
    before: CalendarVersion | None, after: CalendarVersion, years: range, further: YearsDays
) -> Sequence[DayChange]:
    """Return the days that a version makes something else than the one before it.

    Of a calendar that is new, the days that are something else than their weekday says.
    """
    old = CalendarBook({"x": [before]}, further).current("x") if before else None
    new = CalendarBook({"x": [after]}, further).current("x")
    found = []
    day = date(years.start, 1, 1)
    while day.year < years.stop:
        was, becomes = old.day(day) if old else None, new.day(day)
        if was is None:
            changed = becomes.kind in {DayKind.HOLIDAY, DayKind.MADE_UP}
        else:
            changed = was.kind is not becomes.kind
        if changed:
            found.append(DayChange(day, was, becomes))
        day += timedelta(days=1)
    return found
