"""Packs of deadlines that rules from outside set: each cites its rule, and runs beside ours.

Rules count in days, not in seconds: the day of receipt is left out, and the last day counts to its
end (or to the close of business, where the rule says so), in the time zone of the jurisdiction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.workflow_service.calendars.domain.calendar import DayKind, WorkingCalendar
from services.workflow_service.clocks.domain.policy import ClockConduct, OnBreach, When
from services.workflow_service.clocks.domain.target import MarkText, Target, TargetText
from services.workflow_service.clocks.domain.wording import Both
from services.workflow_service.organisation.domain.person import StaffRole
from shared.events.words import ClockKind

_WORKED = frozenset({DayKind.WORKING, DayKind.MADE_UP})
_LONGEST_SEARCH_DAYS = 400


class Words(BaseModel):
    """The same words in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str
    en: str


class Until(StrEnum):
    """How far the last day counts."""

    END_OF_DAY = "end_of_day"
    CLOSE_OF_BUSINESS = "close_of_business"


class MoreTime(BaseModel):
    """An extension that a rule allows: to what length in all, by whose approval, and when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    up_to: TargetText
    role: StaffRole
    condition: Words


class Deadline(BaseModel):
    """One deadline of a rule: from receipt, within so many days, until something is done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z_]{0,29}$")
    title: Words
    cites: str
    says: Words
    within: TargetText
    until: Until = Until.END_OF_DAY
    met_by: ClockKind
    warnings: tuple[MarkText, ...] | None = None
    on_breach: OnBreach = OnBreach.ESCALATE
    extensions: tuple[MoreTime, ...] = ()

    @model_validator(mode="after")
    def _in_days(self) -> Deadline:
        for target in (self.within, *(more.up_to for more in self.extensions)):
            if not (target.days or target.seconds % 86400 == 0):
                raise ValueError("rules from outside count in days or working days")
        return self

    @property
    def conduct(self) -> ClockConduct:
        """How its clock runs: it never stands still."""
        return ClockConduct(warnings=self.warnings, on_breach=self.on_breach)


class Pack(BaseModel):
    """The deadlines of one rule or regulator. `calendar` tells its working days."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    version: int = Field(ge=1)
    title: Words
    source: str
    checked: Words
    calendar: str
    when: When = When()
    deadlines: tuple[Deadline, ...] = Field(min_length=1)

    @property
    def label(self) -> str:
        """The name and version that a clock keeps."""
        return f"{self.name}@{self.version}"

    def kind_of(self, deadline: Deadline) -> str:
        """Return the kind of a deadline's clock, such as `uk-fca-disp.final_response`."""
        return f"{self.name}.{deadline.name}"

    def deadline(self, kind: str) -> Deadline:
        """Return the deadline of a clock's kind; raises StopIteration for one of another pack."""
        return next(found for found in self.deadlines if self.kind_of(found) == kind)

    def has(self, kind: str) -> bool:
        """Tell whether a clock's kind is that of one of its deadlines."""
        return any(self.kind_of(deadline) == kind for deadline in self.deadlines)

    def name_of(self, kind: str) -> Both:
        """Return what a clock of this pack is called."""
        title = self.deadline(kind).title
        return Both(title.zh, title.en)


def is_of_a_pack(kind: str) -> bool:
    """Tell whether a clock is that of a rule from outside."""
    return "." in kind


def due_after(
    received_at: datetime, within: Target, until: Until, calendar: WorkingCalendar
) -> datetime:
    """Return when a deadline ends that begins with the receipt: the day of receipt left out."""
    zone = calendar.zone
    first = received_at.astimezone(zone).date()
    last = _working_day(first, within.days, calendar) if within.days else _plain_day(first, within)
    if until is Until.CLOSE_OF_BUSINESS:
        closes = _close_of_business(last, calendar)
        if closes is not None:
            return closes
    return _midnight(last + timedelta(days=1), zone)


def _plain_day(first: date, within: Target) -> date:
    return first + timedelta(days=within.seconds // 86400)


def _working_day(first: date, count: int, calendar: WorkingCalendar) -> date:
    day, left = first, count
    for _ in range(_LONGEST_SEARCH_DAYS + 3 * count):
        day += timedelta(days=1)
        left -= calendar.day(day).kind in _WORKED
        if left == 0:
            return day
    raise OverflowError(f"{count} working days do not fit into the calendar {calendar.name}")


def _close_of_business(day: date, calendar: WorkingCalendar) -> datetime | None:
    begins = _midnight(day, calendar.zone)
    ends = _midnight(day + timedelta(days=1), calendar.zone)
    worked = [part for part in calendar.segments(begins, ends) if part.counted]
    return worked[-1].end if worked else None


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    return local.astimezone(_UTC)


_UTC = ZoneInfo("UTC")
Packs = Mapping[str, Pack]
