"""Business time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.workflow_service.calendars.domain.calendar import Window, WorkingCalendar
from services.workflow_service.clocks.repository import working_calendar
from shared.kernel.errors import ConfigurationError

untimed = settings(deadline=None)

SHANGHAI = working_calendar(
    country="CN", zone=ZoneInfo("Asia/Shanghai"), windows=[Window(9 * 60, 18 * 60)]
)
SPLIT_NEW_YORK = working_calendar(
    country="US",
    zone=ZoneInfo("America/New_York"),
    windows=[Window(9 * 60, 12 * 60), Window(13 * 60 + 30, 18 * 60)],
)
DAY = 9 * 3600

instants = st.datetimes(
    datetime(1999, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
calendars = st.sampled_from([SHANGHAI, SPLIT_NEW_YORK])
spans = st.integers(min_value=1, max_value=90 * DAY)


@untimed
@given(calendars, instants, spans)
def test_adding_and_measuring_are_inverse(
    calendar: WorkingCalendar, start: datetime, seconds: int
) -> None:
    end = calendar.add(start, seconds)

    assert calendar.between(start, end) == seconds


@untimed
@given(calendars, instants, spans, spans)
def test_more_time_is_never_due_earlier(
    calendar: WorkingCalendar, start: datetime, one: int, other: int
) -> None:
    nearer, farther = sorted((one, other))

    assert calendar.add(start, nearer) <= calendar.add(start, farther)


@untimed
@given(calendars, instants, spans, spans)
def test_time_can_be_added_in_two_parts(
    calendar: WorkingCalendar, start: datetime, first: int, second: int
) -> None:
    in_parts = calendar.add(calendar.add(start, first), second)

    assert in_parts == calendar.add(start, first + second)


def test_three_working_days_from_friday_evening_end_on_wednesday_evening() -> None:
    friday_evening = datetime(2026, 11, 20, 20, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

    due = SHANGHAI.add(friday_evening, 3 * DAY)

    assert due == datetime(2026, 11, 25, 18, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_public_holidays_do_not_count() -> None:
    before_national_day = datetime(2024, 9, 30, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

    due = SHANGHAI.add(before_national_day, 2 * DAY)

    assert due == datetime(2024, 10, 8, 18, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_a_window_over_a_change_of_clocks_has_its_real_length() -> None:
    nights = WorkingCalendar(
        "nights",
        ZoneInfo("America/New_York"),
        {6: (Window(0, 6 * 60),)},
        lambda _year: frozenset[date](),
    )
    midnight = datetime(2026, 3, 8, 0, 0, tzinfo=ZoneInfo("America/New_York"))

    assert nights.between(midnight, midnight + timedelta(days=1)) == 5 * 3600


def test_a_country_without_known_holidays_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="REDRESS_COUNTRY: 'QQ'"):
        working_calendar(country="QQ", zone=ZoneInfo("UTC"), windows=[Window(0, 60)])
