"""Days taken over from another program's calendar (iCalendar, RFC 5545)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Literal

from pydantic import BaseModel

OwnDay = Literal["working", "holiday"]
_WORKING_MARKS = ("班", "补班", "上班", "调休上班", "working", "workday", "made-up")
MOST_DAYS = 5_000


class Event(BaseModel):
    """One all-day event: its first day, the day after its last, and what it says of itself."""

    first: date
    after: date
    summary: str
    categories: tuple[str, ...] = ()
    repeats: bool = False


class NoWholeDays(ValueError):
    """The calendar has nothing that could be taken over."""


def days_of(events: list[Event]) -> Mapping[date, OwnDay]:
    """Return the days that events make special.

    Holidays, unless an event calls itself a working day (`班`, `working`) in its summary or
    categories. Raises NoWholeDays where there is no all-day event, where one repeats by a rule, and
    where one day is called both.
    """
    found: dict[date, OwnDay] = {}
    for event in events:
        if event.repeats:
            raise NoWholeDays(f"{event.summary!r} repeats by a rule: give every day as an event")
        kind: OwnDay = "working" if _is_working(event) else "holiday"
        day = event.first
        while day < event.after:
            if found.get(day, kind) != kind:
                raise NoWholeDays(f"{day} is called a holiday and a working day")
            found[day] = kind
            if len(found) > MOST_DAYS:
                raise NoWholeDays(f"there are more than {MOST_DAYS} days in it")
            day += timedelta(days=1)
    if not found:
        raise NoWholeDays("there is no all-day event in it")
    return found


def whole_days(start: object, end: object) -> tuple[date, date] | None:
    """Return first day and day after the last of an event; None for one with times of day."""
    if not isinstance(start, date) or isinstance(start, datetime):
        return None
    if end is None:
        return start, start + timedelta(days=1)
    if not isinstance(end, date) or isinstance(end, datetime):
        return None
    return start, max(end, start + timedelta(days=1))


def _is_working(event: Event) -> bool:
    said = " ".join((event.summary, *event.categories)).lower()
    return any(mark in said for mark in _WORKING_MARKS)
