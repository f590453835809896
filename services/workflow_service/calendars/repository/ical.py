"""Read an iCalendar file (RFC 5545) into days; nothing is taken where one is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from icalendar import Calendar, Event
from icalendar.prop import vBroken

from services.workflow_service.calendars.domain.document import (
    LAST_YEAR,
    MOST_DAYS,
    OwnDay,
    known_date,
)
from shared.kernel.errors import FieldError, InvalidInput

_LONGEST_EVENT_DAYS = 366
_YEARS_AHEAD = 10
"""How far a yearly event without an end is followed."""

_FREE = re.compile(
    r"non[- ]?working|不(用|必|需)?(上|补)?班|holiday|day off|放假|假期|休息|休", re.IGNORECASE
)
_WORKED = re.compile(r"班|调休|working|work ?day", re.IGNORECASE)


class InvalidCalendarFile(InvalidInput):
    """The file is no iCalendar, or holds events that are no days."""

    code = "invalid-calendar-file"
    title = "The calendar file is not valid"


class _WrongEvent(ValueError):
    """Why one event cannot be taken."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def read_days(text: str, *, this_year: int) -> dict[date, OwnDay]:
    """Return the days of a file; raises InvalidCalendarFile naming every event that is wrong."""
    found: dict[date, OwnDay] = {}
    faults: list[FieldError] = []
    for number, event in enumerate(_events(text)):
        try:
            for day, own in _days_of(event, this_year):
                _put(found, day, own)
        except _WrongEvent as wrong:
            title = f"{event.get('SUMMARY', '')} ".lstrip()
            faults.append(FieldError(f"/events/{number}", wrong.code, f"{title}{wrong}"))
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise InvalidCalendarFile(f"Event {faults[0].pointer}: {faults[0].detail}{more}", faults)
    if not found:
        raise InvalidCalendarFile("The file has no all-day events.")
    return found


def _events(text: str) -> Sequence[Event]:
    try:
        calendar = Calendar.from_ical(text)
    except (ValueError, LookupError, AttributeError, TypeError, OverflowError) as wrong:
        # The parser has no error of its own: these came of thousands of broken files.
        raise InvalidCalendarFile(f"This is no iCalendar file: {str(wrong)[:200]}") from None
    if calendar.name != "VCALENDAR":
        raise InvalidCalendarFile("This is no iCalendar file: it does not begin with VCALENDAR.")
    return calendar.events


def _days_of(event: Event, this_year: int) -> Iterator[tuple[date, OwnDay]]:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return
    for name in ("RECURRENCE-ID", "RDATE", "EXRULE"):
        if name in event:
            raise _WrongEvent(
                "unsupported", f"has {name}, which cannot be taken; write out its days"
            )
    for name, value in event.property_items(recursive=False):
        if isinstance(value, vBroken):
            raise _WrongEvent("malformed", f"has a {name} that cannot be read: {value}")
    start, length = _extent(event)
    own = _kind(event)
    left_out = set(_dates_of(event, "EXDATE"))
    for begin in _repeats(event, start, this_year):
        if begin in left_out:
            continue
        for offset in range(length):
            yield _reached(begin + timedelta(days=offset)), own


def _extent(event: Event) -> tuple[date, int]:
    """Return first day and number of days; DTEND is the day after the last (RFC 5545 3.6.1)."""
    start = _date_of(event, "DTSTART")
    if start is None:
        raise _WrongEvent("missing", "has no DTSTART")
    end = _date_of(event, "DTEND")
    length = (end - start).days if end is not None else 1
    if end is None and "DURATION" in event:
        length = _whole_days(event)
    if not 1 <= length <= _LONGEST_EVENT_DAYS:
        raise _WrongEvent(
            "bad_length", f"is {length} days long; it must be 1 to {_LONGEST_EVENT_DAYS}"
        )
    return _reached(start), length


def _reached(day: date) -> date:
    try:
        return known_date(day)
    except ValueError as wrong:
        raise _WrongEvent("out_of_range", str(wrong)) from None


def _whole_days(event: Event) -> int:
    duration = getattr(event["DURATION"], "dt", None)
    if not isinstance(duration, timedelta) or duration % timedelta(days=1):
        raise _WrongEvent("timed_event", "has a DURATION that is not of whole days")
    return duration.days


def _date_of(event: Event, name: str) -> date | None:
    if name not in event:
        return None
    value = getattr(event[name], "dt", None)
    if isinstance(value, datetime):
        raise _WrongEvent("timed_event", f"is not all-day: {name} has a time of day")
    if not isinstance(value, date):
        raise _WrongEvent("bad_date", f"{name} is no date")
    return value


def _dates_of(event: Event, name: str) -> Iterator[date]:
    values = event.get(name, [])
    for value in values if isinstance(values, list) else [values]:
        for one in getattr(value, "dts", []):
            yield one.dt.date() if isinstance(one.dt, datetime) else one.dt


def _repeats(event: Event, start: date, this_year: int) -> Iterator[date]:
    rule = event.get("RRULE")
    if rule is None:
        yield start
        return
    if isinstance(rule, list):
        raise _WrongEvent("unsupported", "has two RRULEs; write out its days")
    parts = {str(name).upper(): values for name, values in rule.items()}
    same = {"BYMONTH": start.month, "BYMONTHDAY": start.day}
    odd = parts.keys() - {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", *same}
    moved = any(parts.get(name, [day]) != [day] for name, day in same.items())
    if [str(freq).upper() for freq in parts.get("FREQ", [])] != ["YEARLY"] or odd or moved:
        raise _WrongEvent(
            "unsupported", "repeats in another way than each year on its day; write out its days"
        )
    yield from _yearly(
        start,
        every=max(1, int(parts.get("INTERVAL", [1])[0])),
        count=int(parts["COUNT"][0]) if "COUNT" in parts else None,
        last=_until(parts.get("UNTIL"), start, this_year),
    )


def _until(until: Sequence[date] | None, start: date, this_year: int) -> date:
    if not until:
        year = min(max(this_year, start.year) + _YEARS_AHEAD, LAST_YEAR)
        return date(year, 12, 31)
    last = until[0].date() if isinstance(until[0], datetime) else until[0]
    return min(last, date(LAST_YEAR, 12, 31))


def _yearly(start: date, *, every: int, count: int | None, last: date) -> Iterator[date]:
    for year in range(start.year, last.year + 1, every):
        if count == 0:
            return
        try:
            day = start.replace(year=year)
        except ValueError:
            continue  # 29 February: a year without it is passed over (RFC 5545 3.3.10)
        if day <= last:
            yield day
            count = None if count is None else count - 1


def _kind(event: Event) -> OwnDay:
    """Tell a working day by its categories, where they say it, or by its title; else it is free."""
    title = str(event.get("SUMMARY", "")).strip()
    for text in (" ".join(str(one) for one in event.categories), title):
        # 调休 names both sides of the swap, so that any other word for being free goes before it.
        if _FREE.search(text.replace("调休", "")):
            return "holiday"
        if _WORKED.search(text):
            return "working"
    return "holiday"


def _put(found: dict[date, OwnDay], day: date, own: OwnDay) -> None:
    known = found.setdefault(day, own)
    if known != own:
        raise _WrongEvent("named_twice", f"makes {day} another kind of day than an event before it")
    if len(found) > MOST_DAYS:
        raise _WrongEvent(
            "too_many", f"is beyond {MOST_DAYS:,} days, more than a calendar can have"
        )
