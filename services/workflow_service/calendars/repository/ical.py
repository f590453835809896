"""Read iCalendar files by the `icalendar` package."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from icalendar import Calendar

from services.workflow_service.calendars.domain.ical import (
    Event,
    NoWholeDays,
    OwnDay,
    days_of,
    whole_days,
)
from shared.kernel.errors import InvalidInput


def read_days(text: str) -> Mapping[date, OwnDay]:
    """Return the days of an iCalendar file; raises InvalidInput saying what cannot be used."""
    try:
        calendar = Calendar.from_ical(text)
    except (ValueError, IndexError, KeyError) as wrong:
        raise InvalidInput(f"this is no iCalendar file: {str(wrong)[:200]}") from None
    events = []
    for event in calendar.walk("VEVENT"):
        start, end = event.get("DTSTART"), event.get("DTEND")
        days = whole_days(start.dt if start else None, end.dt if end else None)
        if days is None:
            continue
        categories = event.get("CATEGORIES")
        events.append(
            Event(
                first=days[0],
                after=days[1],
                summary=str(event.get("SUMMARY", "")),
                categories=tuple(str(c) for c in getattr(categories, "cats", ())),
                repeats="RRULE" in event,
            )
        )
    try:
        return days_of(events)
    except NoWholeDays as wrong:
        raise InvalidInput(f"this calendar cannot be used: {wrong}") from None
