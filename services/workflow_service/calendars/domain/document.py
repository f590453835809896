"""A calendar as a company writes it down: zone, holidays, windows by weekday, days of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from services.workflow_service.calendars.domain.calendar import Window

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _zone(value: object) -> str:
    name = str(value)
    if name not in available_timezones():
        near = get_close_matches(name, available_timezones(), 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"{name!r} is no time zone{hint}")
    return name


def _window(value: object) -> Window:
    if isinstance(value, Window):
        return value
    found = _WINDOW.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(f"{value!r} is no window, such as 09:00-18:00")
    hours = [int(number) for number in found.groups()]
    opens, closes = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if opens >= closes:
        raise ValueError(
            f"{value!r} ends before it begins; work over midnight is two windows: one to 24:00, "
            "and on the next day one from 00:00"
        )
    return Window(opens, closes)


def _day(value: object) -> date:
    if isinstance(value, date):
        return value
    words = str(value)
    try:
        day = date.fromisoformat(words if _DATE.fullmatch(words) else "")
    except ValueError:
        raise ValueError(f"{value!r} is no day, such as 2026-02-14") from None
    return known_date(day)


Windows = tuple[Annotated[Window, BeforeValidator(_window)], ...]
Day = Annotated[date, BeforeValidator(_day)]
OwnDay = Literal["working", "holiday"]
FIRST_YEAR, LAST_YEAR = 1970, 2099
"""The years that a calendar can be asked about."""
MOST_DAYS = 5_000
"""So many days of its own a calendar has at most."""


def known_date(day: date) -> date:
    """Return a day of the years that calendars reach; raises ValueError for another."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"{day} lies outside of {FIRST_YEAR} to {LAST_YEAR}")
    return day


class CalendarDocument(BaseModel):
    """One version of a calendar. `windows` are keyed by weekdays: `mon-fri`, `sat`, `mon,wed`.

    `holidays` is a country by ISO 3166-1, or one of its parts by ISO 3166-2 (`DE-BY`), or `none`.
    `days` overrule it: a made-up working day has the windows of Monday. `official` names years that
    the company vouches for, although the country's announcement is not known here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    timezone: Annotated[str, BeforeValidator(_zone)]
    holidays: str = Field(default="none", pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?|none)$")
    windows: Mapping[str, Windows] = Field(min_length=1)
    days: Mapping[Day, OwnDay] = Field(default_factory=dict)
    official: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> CalendarDocument:
        if len(self.days) > MOST_DAYS:
            raise ValueError(f"days: more than {MOST_DAYS:,} days of its own are a mistake")
        by_weekday = self.by_weekday
        if not any(by_weekday.values()):
            raise ValueError("windows: there is no working time at all")
        for weekday, windows in by_weekday.items():
            for earlier, later in pairwise(windows):
                if later.opens < earlier.closes:
                    raise ValueError(
                        f"windows: on {WEEKDAYS[weekday]} two windows overlap or go backwards"
                    )
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which windows and days are read."""
        return ZoneInfo(self.timezone)

    @property
    def by_weekday(self) -> Mapping[int, tuple[Window, ...]]:
        """The windows by weekday, 0 = Monday; raises ValueError for weekdays misspelt or twice."""
        found: dict[int, tuple[Window, ...]] = {}
        for words, windows in self.windows.items():
            for weekday in _weekdays(words):
                if weekday in found:
                    raise ValueError(f"windows: {WEEKDAYS[weekday]} stands there twice")
                found[weekday] = windows
        return found


def _weekdays(words: str) -> list[int]:
    found: list[int] = []
    for part in words.replace(" ", "").lower().split(","):
        first, dash, last = part.partition("-")
        begin = _weekday(first)
        end = _weekday(last) if dash else begin
        if end < begin:
            raise ValueError(f"windows: {part!r} goes backwards; a week begins with mon")
        found += range(begin, end + 1)
    return found


def _weekday(word: str) -> int:
    if word in WEEKDAYS:
        return WEEKDAYS.index(word)
    near = get_close_matches(word, WEEKDAYS, 1, cutoff=0.4)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(f"windows: {word!r} is no weekday, such as mon or mon-fri{hint}")
