"""Business time against a slow oracle: quarter of an hour by quarter of an hour, as a clock shows.

The calendars here open and close on quarters, and none within an hour that a change of the clocks
repeats: so each quarter counts as a whole or not at all, and the wall clock alone says which.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.workflow_service.calendars.domain.calendar import DayKind, WorkingCalendar
from tests.unit.workflow.test_calendar import BOOK

QUARTER = timedelta(minutes=15)
SECOND = timedelta(seconds=1)
NIGHTS = BOOK.current("nights")
unhurried = settings(deadline=None, max_examples=50)

calendars = st.sampled_from([BOOK.current(name) for name in BOOK.versions])
any_time = st.datetimes(
    datetime(1999, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda instant: instant.replace(microsecond=0))
around_new_year = st.builds(
    lambda year, hours: datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=hours),
    st.integers(2000, 2029),
    st.integers(-300, 100),
)
starts = any_time | around_new_year
spans = st.integers(min_value=1, max_value=30 * 86400).map(lambda seconds: seconds * SECOND)


def fresh(calendar: WorkingCalendar) -> WorkingCalendar:
    """Return one that has answered nothing yet: what it is asked first must not matter."""
    return WorkingCalendar(calendar.name, calendar.zone, calendar.windows, calendar.special_days)


def shown_at(calendar: WorkingCalendar, instant: datetime) -> tuple[bool, str]:
    """Tell whether the wall clock says that an instant is worked, and why or why not."""
    local = instant.astimezone(calendar.zone)
    kind, name = calendar.day(local.date())
    weekday = local.weekday() if kind is DayKind.WORKING else 0  # a made-up day is a Monday
    minutes = local.hour * 60 + local.minute
    windows = calendar.windows.get(weekday, ())
    is_open = any(window.opens <= minutes < window.closes for window in windows)
    match kind:
        case DayKind.HOLIDAY:
            return False, f"holiday: {name}"
        case DayKind.WEEKEND:
            return False, "weekend"
        case DayKind.MADE_UP if is_open:
            return True, "made-up working day"
        case _:
            return is_open, "working hours" if is_open else "outside working hours"


def quarters(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cut a span at every quarter of an hour."""
    at = start
    while at < end:
        until = at - timedelta(minutes=at.minute % 15, seconds=at.second) + QUARTER
        yield at, min(until, end)
        at = until


def worked(calendar: WorkingCalendar, start: datetime, end: datetime) -> float:
    """Count the seconds that are worked from `start` to `end`."""
    parts = quarters(start, end)
    return sum((until - at) / SECOND for at, until in parts if shown_at(calendar, at)[0])


@unhurried
@given(calendars, starts, spans)
@example(NIGHTS, datetime(2026, 3, 7, 12, tzinfo=UTC), timedelta(days=2))
@example(NIGHTS, datetime(2026, 10, 31, 12, tzinfo=UTC), timedelta(days=2))
def test_the_time_between_is_what_the_wall_clock_counts(
    calendar: WorkingCalendar, start: datetime, span: timedelta
) -> None:
    end = start + span

    assert fresh(calendar).between(start, end) == worked(calendar, start, end)
    assert fresh(calendar).between(end, start) == 0


@unhurried
@given(calendars, starts, st.integers(1, 15 * 9 * 3600))
def test_time_is_up_at_the_first_instant_by_which_it_was_worked(
    calendar: WorkingCalendar, start: datetime, seconds: int
) -> None:
    end = fresh(calendar).add(start, seconds)

    assert worked(calendar, start, end) == seconds
    assert worked(calendar, start, end - SECOND) == seconds - 1


@unhurried
@given(calendars, starts, spans)
def test_every_span_says_what_the_wall_clock_says_of_it(
    calendar: WorkingCalendar, start: datetime, span: timedelta
) -> None:
    parts = fresh(calendar).segments(start, start + span)

    for part in parts:
        said = {shown_at(calendar, at) for at, _ in quarters(part.start, part.end)}
        assert said == {(part.counted, part.why)}
    says = [(part.counted, part.why) for part in parts]
    assert all(one != after for one, after in pairwise(says))


def test_a_span_of_many_years_is_found() -> None:
    first = datetime(2001, 5, 7, 12, tzinfo=UTC)

    due = fresh(NIGHTS).add(first, 12 * 365 * 8 * 3600)

    assert due.year == 2013
    assert fresh(NIGHTS).between(first, due) == 12 * 365 * 8 * 3600
