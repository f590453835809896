"""All calendars in all their versions, as they stand at one moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from services.workflow_service.calendars.domain.calendar import (
    DayKind,
    SpecialDay,
    WorkingCalendar,
)
from services.workflow_service.calendars.domain.document import CalendarDocument
from shared.kernel.errors import NotFound, RedressError


class UnknownCalendar(NotFound):
    """There is no calendar of this name."""

    code = "unknown-calendar"
    title = "There is no such calendar"


class UnknownVersion(RedressError):
    """A clock names a version that is nowhere: who decides has looked for new ones before.

    No `Unavailable`: trying again would not help, and would hold up every other case.
    """

    code = "unknown-calendar-version"
    title = "A clock names a calendar version that does not exist"


BEFORE_VERSIONS = "company@1"
"""What stands for calendars of the time before versions: made of the same settings.

Clocks of that time name theirs without a version, such as `working-hours-cn`.
"""


def name_in(label: str) -> str:
    """Return the name of the calendar whose version a clock names."""
    return _versioned(label).partition("@")[0]


def _versioned(label: str) -> str:
    return label if "@" in label else BEFORE_VERSIONS


YearsDays = Callable[[str, int], Mapping[date, SpecialDay]]
"""The special days of a country in a year that a version does not hold."""


@dataclass(frozen=True, slots=True)
class CalendarVersion:
    """One version of a calendar, valid for new clocks from `valid_from` on.

    `special` are the days, by year, that the country's holidays made special when the version was
    stored. `official_until` is the last year whose days are announced; None where they follow
    from rules.
    """

    name: str
    version: int
    document: CalendarDocument
    text: str
    special: Mapping[int, Mapping[date, SpecialDay]]
    official_until: int | None
    valid_from: datetime
    by: str

    @property
    def label(self) -> str:
        """The name and version that a clock keeps, such as `company@3`."""
        return f"{self.name}@{self.version}"

    def is_provisional(self, year: int) -> bool:
        """Tell whether the country has not announced this year's days yet."""
        if self.official_until is None or year in self.document.official:
            return False
        return year > self.official_until


@dataclass(frozen=True, slots=True)
class CalendarBook:
    """Every version of every calendar, oldest first; the last one of a name is the current one."""

    versions: Mapping[str, Sequence[CalendarVersion]]
    further_days: YearsDays
    _calendars: dict[str, WorkingCalendar] = field(default_factory=dict)

    def latest(self, name: str) -> CalendarVersion:
        """Return the current version of a calendar; raises UnknownCalendar."""
        found = self.versions.get(name)
        if not found:
            raise UnknownCalendar(f"there is no calendar {name!r}")
        return found[-1]

    def with_version(self, version: CalendarVersion) -> CalendarBook:
        """Return a book in which a version is the latest of its name."""
        versions = {**self.versions, version.name: (*self.versions.get(version.name, ()), version)}
        return CalendarBook(versions, self.further_days)

    def current(self, name: str) -> WorkingCalendar:
        """Return a calendar as it is now; raises UnknownCalendar."""
        return self._calendar(self.latest(name))

    def at(self, name: str, moment: datetime) -> WorkingCalendar:
        """Return a calendar as it was at a moment; the first one, where that came later."""
        found = self.versions.get(name)
        if not found:
            raise UnknownCalendar(f"there is no calendar {name!r}")
        valid = [version for version in found if version.valid_from <= moment]
        return self._calendar(valid[-1] if valid else found[0])

    def has(self, label: str) -> bool:
        """Tell whether a version is in the book."""
        if label in self._calendars:
            return True
        name, _, version = _versioned(label).partition("@")
        return any(str(v.version) == version for v in self.versions.get(name, ()))

    def labelled(self, label: str) -> WorkingCalendar:
        """Return a version by its label; raises UnknownVersion."""
        found = self._calendars.get(label)
        if found is not None:
            return found
        name, _, version = _versioned(label).partition("@")
        for candidate in self.versions.get(name, ()):
            if str(candidate.version) == version:
                return self._calendar(candidate)
        raise UnknownVersion(f"the calendar {label} is not known")

    def _calendar(self, version: CalendarVersion) -> WorkingCalendar:
        # Kept for good: each has an index of its working time that grows with use.
        found = self._calendars.get(version.label)
        if found is None:
            found = self._calendars[version.label] = WorkingCalendar(
                name=version.label,
                zone=version.document.zone,
                windows=version.document.by_weekday,
                special_days=_SpecialDays(version, self.further_days),
            )
        return found


class _SpecialDays:
    """The special days of a version by year: the country's, overruled by the company's own."""

    def __init__(self, version: CalendarVersion, further_days: YearsDays) -> None:
        self._version = version
        self._further_days = further_days
        self._years: dict[int, Mapping[date, SpecialDay]] = {}

    def __call__(self, year: int) -> Mapping[date, SpecialDay]:
        found = self._years.get(year)
        if found is None:
            found = self._years[year] = self._work_out(year)
        return found

    def _work_out(self, year: int) -> Mapping[date, SpecialDay]:
        document = self._version.document
        stored = self._version.special.get(year)
        if stored is None:
            stored = self._further_days(document.holidays, year)
        own = {
            day: _own(day, kind, document)
            for day, kind in document.days.items()
            if day.year == year
        }
        return {**stored, **own}


def _own(day: date, kind: str, document: CalendarDocument) -> SpecialDay:
    if kind == "holiday":
        return SpecialDay(DayKind.HOLIDAY)
    works = bool(document.by_weekday.get(day.weekday()))
    return SpecialDay(DayKind.WORKING if works else DayKind.MADE_UP)
