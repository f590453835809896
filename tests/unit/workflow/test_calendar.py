"""Business time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.workflow_service.calendars.domain.calendar import DayKind, Window, WorkingCalendar
from services.workflow_service.calendars.repository.ical import read_days
from services.workflow_service.calendars.repository.storage import read_calendar
from services.workflow_service.cases.service.desk import read_documents
from services.workflow_service.settings import WorkflowSettings
from shared.kernel.errors import ConfigurationError, InvalidInput
from shared.kernel.settings import CommonSettings
from shared.kernel.yaml_documents import InvalidDocument
from tests.unit.workflow.rules import COMPANY, book_of

untimed = settings(deadline=None)

SPLIT = """
timezone: {zone}
holidays: {country}
windows: {{mon-fri: ["09:00-12:00", "13:30-18:00"]}}
"""
NIGHTS = """
timezone: America/New_York
windows: {sun: ["00:00-06:00"], mon-sat: ["00:00-06:00", "22:00-24:00"]}
"""
BOOK = book_of(
    ("company", COMPANY),
    ("new-york", SPLIT.format(zone="America/New_York", country="US")),
    ("london", SPLIT.format(zone="Europe/London", country="GB-ENG")),
    ("kathmandu", 'timezone: Asia/Kathmandu\nwindows: {"sun,mon-fri": ["10:00-17:00"]}\n'),
    ("nights", NIGHTS),
)
SHANGHAI, SPLIT_NEW_YORK = BOOK.current("company"), BOOK.current("new-york")
DAY = 9 * 3600

instants = st.datetimes(
    datetime(1999, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
calendars = st.sampled_from([BOOK.current(name) for name in BOOK.versions])
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
        lambda _year: {},
    )
    midnight = datetime(2026, 3, 8, 0, 0, tzinfo=ZoneInfo("America/New_York"))

    assert nights.between(midnight, midnight + timedelta(days=1)) == 5 * 3600


@untimed
@given(calendars, instants, st.integers(min_value=0, max_value=40 * 86400))
def test_segments_leave_no_hole_and_add_up_to_the_time_between(
    calendar: WorkingCalendar, start: datetime, seconds: int
) -> None:
    end = start + timedelta(seconds=seconds)

    parts = calendar.segments(start, end)

    ends = [part.end for part in parts]
    assert [part.start for part in parts] == ([start, *ends[:-1]] if parts else [])
    assert not parts or ends[-1] == end
    counted = sum((part.end - part.start).total_seconds() for part in parts if part.counted)
    assert counted == pytest.approx(calendar.between(start, end), abs=1e-6)


@pytest.mark.parametrize("year", range(2019, 2027))
def test_the_chinese_calendar_is_right_on_every_day(year: int) -> None:
    wrong = []
    day = date(year, 1, 1)
    while day.year == year:
        works = SHANGHAI.day(day).kind in {DayKind.WORKING, DayKind.MADE_UP}
        if works != chinese_calendar.is_workday(day):
            wrong.append((day, SHANGHAI.day(day)))
        day += timedelta(days=1)

    assert wrong == []


def test_a_year_that_is_not_announced_is_provisional_and_one_that_follows_from_rules_is_not() -> (
    None
):
    chinese, american = BOOK.latest("company"), BOOK.latest("new-york")

    assert [year for year in range(2019, 2029) if chinese.is_provisional(year)] == [2027, 2028]
    assert [year for year in range(2019, 2029) if american.is_provisional(year)] == []
    vouched = book_of(("own", COMPANY + "official: [2027]\n")).latest("own")
    assert (vouched.is_provisional(2027), vouched.is_provisional(2028)) == (False, True)


def test_a_made_up_saturday_has_the_windows_of_monday() -> None:
    saturday = datetime(2026, 2, 14, 0, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

    parts = SHANGHAI.segments(saturday, saturday + timedelta(days=1))

    assert [part.why for part in parts if part.counted] == ["made-up working day"]
    assert SHANGHAI.between(saturday, saturday + timedelta(days=1)) == DAY


def test_the_national_holiday_is_named() -> None:
    before = datetime(2026, 9, 30, 17, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

    due = SHANGHAI.add(before, 2 * 3600)
    whys = [part.why for part in SHANGHAI.segments(before, due)]

    assert due == datetime(2026, 10, 8, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert "holiday: 国庆节" in whys
    assert whys[0] == whys[-1] == "working hours"


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 3, 28), 24)]
)
def test_a_day_of_a_change_of_clocks_has_its_real_length(day: date, hours: int) -> None:
    always = WorkingCalendar(
        "always",
        ZoneInfo("Europe/London"),
        {weekday: (Window(0, 24 * 60),) for weekday in range(7)},
        lambda _year: {},
    )
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/London"))
    next_midnight = midnight + timedelta(days=1)

    assert always.between(midnight, next_midnight) == hours * 3600


def test_a_window_within_the_hour_that_is_left_out_has_no_time() -> None:
    early = WorkingCalendar(
        "early", ZoneInfo("Europe/London"), {6: (Window(60, 120),)}, lambda _year: {}
    )
    midnight = datetime(2026, 3, 29, 0, 0, tzinfo=ZoneInfo("Europe/London"))

    assert early.between(midnight, midnight + timedelta(hours=20)) == 0


def test_a_leap_day_is_worked_on() -> None:
    leap_day = datetime(2024, 2, 29, 0, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

    assert SHANGHAI.between(leap_day, leap_day + timedelta(days=1)) == DAY


def test_work_over_midnight_goes_on_without_a_hole() -> None:
    nights = BOOK.current("nights")
    evening = datetime(2026, 11, 3, 22, 0, tzinfo=ZoneInfo("America/New_York"))

    assert nights.add(evening, 4 * 3600) == evening + timedelta(hours=4)


GOOD = """
timezone: Asia/Shanghai
holidays: CN
windows: {mon-fri: ["09:00-12:00", "13:30-18:00"], sat: ["10:00-14:00"]}
days: {2026-02-14: working, 2026-03-03: holiday}
"""


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("13:30-18:00", "11:30-18:00", "on mon two windows overlap"),
        ('"09:00-12:00", "13:30-18:00"', '"13:30-18:00", "09:00-12:00"', "go backwards"),
        ("09:00-12:00", "12:00-09:00", "ends before it begins"),
        ("10:00-14:00", "22:00-06:00", "work over midnight is two windows"),
        ("Asia/Shanghai", "Asia/Shangai", "did you mean Asia/Shanghai?"),
        ("sat:", "fri:", "fri stands there twice"),
        ("mon-fri", "fri-mon", "goes backwards; a week begins with mon"),
        ("mon-fri", "mon-frl", "did you mean fri?"),
        ("2026-03-03", "2026-02-30", "'2026-02-30' is no day"),
        ("2026-03-03", "2026-02-14", "2026-02-14 stands there twice"),
        ("holiday}", "closed}", "days.2026-03-03"),
        ("holidays: CN", "holydays: CN", "holydays"),
        ("{mon-fri", "{mon-fri: [], tue", "tue stands there twice"),
    ],
)
def test_a_wrong_calendar_is_refused_with_its_reason(old: str, new: str, reason: str) -> None:
    assert old in GOOD

    with pytest.raises(InvalidDocument) as refused:
        read_calendar(GOOD.replace(old, new), name="own.yaml")

    assert reason in refused.value.detail
    assert "own.yaml, line " in refused.value.detail


def test_a_country_without_known_holidays_is_refused() -> None:
    settings = WorkflowSettings(country="QQ")

    with pytest.raises(ConfigurationError, match="REDRESS_COUNTRY: 'QQ'"):
        read_documents(settings, CommonSettings(home=Path("var")))


def ical(*events: str) -> str:
    body = "".join(f"BEGIN:VEVENT\r\n{event}END:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//\r\n{body}END:VCALENDAR\r\n"


HOLIDAY = "UID:1\r\nDTSTART;VALUE=DATE:20270206\r\nDTEND;VALUE=DATE:20270209\r\nSUMMARY:春节\r\n"
MADE_UP = "UID:2\r\nDTSTART;VALUE=DATE:20270220\r\nSUMMARY:春节补班\r\n"


def taken(*events: str) -> dict[date, str]:
    return dict(read_days(ical(*events), this_year=2026))


def test_the_days_of_another_programs_calendar_are_taken_over() -> None:
    assert taken(HOLIDAY, MADE_UP) == {
        date(2027, 2, 6): "holiday",
        date(2027, 2, 7): "holiday",
        date(2027, 2, 8): "holiday",
        date(2027, 2, 20): "working",
    }


@pytest.mark.parametrize(
    ("event", "days"),
    [
        ("DTSTART;VALUE=DATE:20270206\r\nDURATION:P2D\r\nSUMMARY:春节\r\n", {6: "h", 7: "h"}),
        ("DTSTART;VALUE=DATE:20270206\r\nSUMMARY:不上班\r\n", {6: "h"}),
        ("DTSTART;VALUE=DATE:20270206\r\nSUMMARY:non-working day\r\n", {6: "h"}),
        ("DTSTART;VALUE=DATE:20270206\r\nSUMMARY:春节调休\r\n", {6: "w"}),
        ("DTSTART;VALUE=DATE:20270206\r\nSUMMARY:x\r\nCATEGORIES:working day\r\n", {6: "w"}),
    ],
)
def test_an_event_says_which_days_and_whether_they_are_worked(
    event: str, days: dict[int, str]
) -> None:
    kinds = {"h": "holiday", "w": "working"}

    assert taken("UID:1\r\n" + event) == {
        date(2027, 2, day): kinds[kind] for day, kind in days.items()
    }


def test_a_yearly_day_is_followed_for_some_years_and_a_cancelled_one_is_left() -> None:
    yearly = "UID:1\r\nDTSTART;VALUE=DATE:20270501\r\nSUMMARY:店庆\r\n"
    cancelled = HOLIDAY + "STATUS:CANCELLED\r\n"

    days = taken(yearly + "RRULE:FREQ=YEARLY;COUNT=3\r\n", cancelled)

    assert sorted(days) == [date(year, 5, 1) for year in (2027, 2028, 2029)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nothing of the kind", "no iCalendar file"),
        (ical("UID:3\r\nDTSTART:20270206T090000Z\r\nSUMMARY:会议\r\n"), "is not all-day"),
        (ical(HOLIDAY + "RRULE:FREQ=WEEKLY\r\n"), "repeats in another way"),
        (ical(HOLIDAY, HOLIDAY.replace("春节", "补班")), "another kind of day"),
        (ical("UID:4\r\nDTSTART;VALUE=DATE:20270230\r\n"), ""),
        (ical("UID:5\r\nDTSTART;VALUE=DATE:99991231\r\n"), "lies outside"),
        (ical(HOLIDAY.replace("UID:1", "DTSTART;VALUE=DATE:20270207")), ""),
    ],
)
def test_a_calendar_that_cannot_be_taken_over_says_why(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_days(text, this_year=2026)

    assert reason in refused.value.detail


def test_windows_around_the_hour_that_is_left_out_count_what_the_wall_clock_shows() -> None:
    windows = {6: (Window(60, 150), Window(165, 195))}  # 01:00-02:30 and 02:45-03:15
    odd = WorkingCalendar("odd", ZoneInfo("America/New_York"), windows, lambda _year: {})
    midnight = datetime(2026, 3, 8, 0, 0, tzinfo=ZoneInfo("America/New_York"))
    end = midnight + timedelta(hours=12)

    assert odd.between(midnight, end) == 75 * 60
    assert all(part.start < part.end for part in odd.segments(midnight, end))
