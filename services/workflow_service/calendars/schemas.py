"""Calendars as callers see and ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from services.workflow_service.calendars.domain.book import CalendarVersion
from services.workflow_service.calendars.domain.calendar import (
    CalendarSegment,
    DayKind,
    WorkingCalendar,
)
from services.workflow_service.calendars.domain.document import FIRST_YEAR, LAST_YEAR
from services.workflow_service.calendars.domain.edit import DayChange, Edit
from shared.http.instants import Instant

EXAMPLE = """timezone: Asia/Shanghai
holidays: CN
windows:
  mon-fri: ["09:00-12:00", "13:30-18:00"]
  sat: ["10:00-14:00"]
days:
  2026-02-14: working
  2026-03-03: holiday
"""


_CALENDAR: JsonDict = {
    "name": "company",
    "version": 1,
    "timezone": "Asia/Shanghai",
    "holidays": "CN",
    "announced_until": 2026,
    "valid_from": "2026-11-01T08:00:00Z",
    "by": "system",
    "document": EXAMPLE,
}


class CalendarView(BaseModel):
    """A version of a calendar.

    `announced_until` is the last year whose days its country has announced, later ones are
    provisional; null where they follow from rules.
    """

    model_config = ConfigDict(json_schema_extra={"example": _CALENDAR})

    name: str
    version: int
    timezone: str
    holidays: str
    announced_until: int | None
    valid_from: datetime
    by: str
    document: str

    @classmethod
    def of(cls, version: CalendarVersion) -> Self:
        """Show a version of a calendar."""
        return cls(
            name=version.name,
            version=version.version,
            timezone=version.document.timezone,
            holidays=version.document.holidays,
            announced_until=version.official_until,
            valid_from=version.valid_from,
            by=version.by,
            document=version.text,
        )


class CalendarList(BaseModel):
    """Calendars, or the versions of one, the newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [_CALENDAR]}})

    items: list[CalendarView]


class DayView(BaseModel):
    """One day: what it is, what it is called, and whether that is only supposed so far."""

    date: date
    kind: DayKind
    name: str | None = None
    provisional: bool


class DayList(BaseModel):
    """Days in order."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [
                    {
                        "date": "2026-10-01",
                        "kind": "holiday",
                        "name": "国庆节",
                        "provisional": False,
                    }
                ]
            }
        }
    )

    items: list[DayView]

    @classmethod
    def of(cls, calendar: WorkingCalendar, version: CalendarVersion, days: Sequence[date]) -> Self:
        """Show days of a calendar."""
        items = []
        for day in days:
            kind, name = calendar.day(day)
            provisional = version.is_provisional(day.year)
            items.append(DayView(date=day, kind=kind, name=name or None, provisional=provisional))
        return cls(items=items)


class DayChangeView(BaseModel):
    """A day that becomes something else."""

    date: date
    before: DayKind | None
    after: DayKind

    @classmethod
    def of(cls, change: DayChange) -> Self:
        """Show a change."""
        before = change.before.kind if change.before else None
        return cls(date=change.day, before=before, after=change.after.kind)


class DifferenceView(BaseModel):
    """A due time of an open case that would be another one; null: none that is known."""

    case_id: str
    number: str
    clock: str
    before: datetime | None
    after: datetime | None


class WhatIfView(BaseModel):
    """What would change in open cases: how many, which clocks, earlier or later, and the first.

    `truncated`: there are more open cases than were looked at.
    """

    looked_at: int
    changed_cases: int
    changed_clocks: dict[str, int]
    earlier: int
    later: int
    truncated: bool
    items: list[DifferenceView]


class EditView(BaseModel):
    """What an edit made, or with `dry_run` would make: the version, and the days that change.

    Days are compared from two years ago to two years ahead; `windows_changed` tells of the hours,
    and of a dry run `open_cases` what it would mean for them.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "company",
                "version": 2,
                "changed": True,
                "dry_run": False,
                "windows_changed": False,
                "days": [{"date": "2026-03-03", "before": "working", "after": "holiday"}],
                "open_cases": None,
            }
        }
    )

    name: str
    version: int
    changed: bool
    dry_run: bool
    windows_changed: bool
    days: list[DayChangeView]
    open_cases: WhatIfView | None = None

    @classmethod
    def of(cls, edit: Edit, *, dry_run: bool, open_cases: WhatIfView | None = None) -> Self:
        """Show an edit."""
        return cls(
            name=edit.version.name,
            version=edit.version.version,
            changed=edit.is_new,
            dry_run=dry_run,
            windows_changed=edit.windows_changed,
            days=[DayChangeView.of(change) for change in edit.changes],
            open_cases=open_cases,
        )


def _within_years(moment: datetime) -> datetime:
    if not FIRST_YEAR < moment.year < LAST_YEAR:
        raise ValueError(f"calendars reach from {FIRST_YEAR} to {LAST_YEAR}")
    return moment


class BusinessTimeBody(BaseModel):
    """A question about working time: add seconds to a start, or measure from start to end."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "calendar": "company",
                "start": "2026-09-30T16:00:00+08:00",
                "add_seconds": 14400,
            }
        },
    )

    calendar: str = "company"
    start: Annotated[Instant, AfterValidator(_within_years)]
    add_seconds: Annotated[int | None, Field(ge=0, le=20 * 366 * 86400)] = None
    end: Annotated[Instant, AfterValidator(_within_years)] | None = None

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if (self.add_seconds is None) == (self.end is None):
            raise ValueError("give add_seconds or end, one of the two")
        if self.end is not None and self.end < self.start:
            raise ValueError("end lies before start: swap them")
        return self


class TimeSegment(BaseModel):
    """A span of time that counts or does not, and why."""

    model_config = ConfigDict(populate_by_name=True)

    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    counted: bool
    why: str

    @classmethod
    def of(cls, segment: CalendarSegment) -> Self:
        """Show a segment."""
        return cls(start=segment.start, end=segment.end, counted=segment.counted, why=segment.why)


class BusinessTimeAnswer(BaseModel):
    """The instant that is due, and the working seconds until then, span by span."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "calendar": "company@1",
                "start": "2026-09-30T08:00:00Z",
                "end": "2026-10-08T03:00:00Z",
                "counted_seconds": 14400.0,
                "segments": [
                    {
                        "from": "2026-09-30T08:00:00Z",
                        "to": "2026-09-30T10:00:00Z",
                        "counted": True,
                        "why": "working hours",
                    }
                ],
            }
        }
    )

    calendar: str
    start: datetime
    end: datetime
    counted_seconds: float
    segments: list[TimeSegment]
