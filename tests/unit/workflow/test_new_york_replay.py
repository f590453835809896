"""New York's own files through our calendar and a policy like the city's; docs/calendars.md."""

from __future__ import annotations

import csv
import gzip
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.workflow_service.calendars.domain.calendar import (
    Calendar,
    DayKind,
    RoundTheClock,
    WorkingCalendar,
)
from services.workflow_service.clocks.domain.clock import Clock, Timing, concluded
from services.workflow_service.clocks.domain.policy import Subject
from services.workflow_service.clocks.repository import read_policy_text
from shared.events.words import ClockKind, ClockState
from tests.unit.workflow.rules import book_of

OFFICES = """timezone: America/New_York
holidays: US
windows: {mon-fri: ["09:00-17:00"]}
days:
  2014-11-04: holiday
  2015-11-03: holiday
  2016-11-08: holiday
  2017-11-07: holiday
  2018-11-06: holiday
  2019-11-05: holiday
"""
POLICY = """name: new-york
version: 1
rules:
  - name: buildings
    when: {category: buildings}
    targets: {resolve: 40 working days}
  - name: police
    when: {department: nypd}
    targets: {resolve: 8 hours}
  - name: animals
    when: {department: dohmh, category: animals}
    targets: {resolve: 30 days}
  - name: all
    targets:
      acknowledge: 1 minute
      assign: 1 day
      first_reply: 2 days
      propose: 20 days
      resolve: 365 days
      follow_up: 7 days
"""
NEW_YORK = ZoneInfo("America/New_York")
FACTOR = 0.68
"""What the buildings' file multiplies calendar days with: its working days."""

RESPONSES_SINCE, RESPONSES_UNTIL = date(2016, 10, 1), date(2019, 12, 31)
QUIET = 3
"""So many responses at most has a weekday on which the offices were closed; all others had more."""

ANIMALS = frozenset(
    {
        "Illegal Animal Kept as Pet",
        "Illegal Animal Sold",
        "Rodent",
        "Unsanitary Animal Pvt Property",
    }
)

DIFFERENCES: Mapping[str, int] = {
    "answered the same day": 1_215,
    "the same to half a day": 18_665,
    "fewer weekend days": 9_178,
    "more weekend days": 3_894,
    "fewer holidays": 7_897,
    "more holidays": 8_005,
}
"""Every response of the buildings' file, by why its working days are not those of the calendar."""

LATE: Mapping[tuple[bool, bool], int] = {
    (False, False): 41_597,
    (True, True): 6_924,
    (True, False): 231,
    (False, True): 102,
}
"""More than 40 working days: as the file says, and as the calendar counts."""

DUE: Mapping[tuple[str, str], int] = {
    ("police", "the same second"): 376,
    ("animals", "the same second"): 1_830,
    ("animals", "an hour beside: summer time between"): 243,
    ("animals", "the same day: received without a time"): 118,
    ("animals", "later: set anew"): 7,
    ("all", "no target to be seen"): 203,
}
OVERDUE: Mapping[tuple[str, str], int] = {("police", "agrees"): 376, ("animals", "agrees"): 605}

policy = read_policy_text(POLICY, name="new-york.yaml")


@dataclass(frozen=True)
class Response:
    """A complaint of the buildings' file: when it was answered, and after how many days."""

    number: str
    answered: date
    said: float

    @cached_property
    def days(self) -> int:
        return round(self.said / FACTOR)

    @property
    def received(self) -> date:
        return self.answered - timedelta(days=self.days)

    @property
    def weekend_days(self) -> int:
        weeks, rest = divmod(self.days, 7)
        last = (self.answered - timedelta(days=n) for n in range(rest))
        return 2 * weeks + sum(day.weekday() >= 5 for day in last)


@dataclass(frozen=True)
class Request:
    """A request of the 311 file that has a due time; `created` in New York's local time."""

    agency: str
    kind: str
    created: datetime
    due: datetime
    closed: datetime | None

    @property
    def subject(self) -> Subject:
        category = "animals" if self.kind in ANIMALS else "other"
        department = self.agency.lower()
        return Subject(category, "P3", "standard", "phone", department=department)


@pytest.fixture(scope="module")
def offices() -> WorkingCalendar:
    return book_of(("new-york", OFFICES)).current("new-york")


@pytest.fixture(scope="module")
def responses(data_folder: Path) -> Sequence[Response]:
    return [
        Response(
            row["complaint_number"],
            date.fromisoformat(row["response_date"]),
            float(row["work_days_to_response"]),
        )
        for row in rows_of(data_folder / "nyc_dob_response_times.csv.gz")
    ]


@pytest.fixture(scope="module")
def requests(data_folder: Path) -> Sequence[Request]:
    return [
        Request(
            row["agency"],
            row["complaint_type"],
            local(row["created_date"]),
            local(row["due_date"]),
            local(row["closed_date"]) if row["closed_date"] else None,
        )
        for row in rows_of(data_folder / "nyc_311_requests.csv.gz")
        if row["due_date"]
    ]


def rows_of(path: Path) -> Iterator[Mapping[str, str]]:
    if not path.is_file():
        pytest.skip(f"the real data are not here: no {path.name}")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


def end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=NEW_YORK) + timedelta(days=1)


def close_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 17, tzinfo=NEW_YORK)


def worked(calendar: WorkingCalendar, response: Response) -> float:
    """Return the working days after the day of receipt, up to and with that of the answer."""
    seconds = calendar.between(end_of(response.received), end_of(response.answered))
    return seconds / calendar.day_seconds


def resolved(subject: Subject, at: datetime, met_at: datetime, calendar: WorkingCalendar) -> Clock:
    """Return the clock of a past case under the policy."""
    line = policy.line_for(ClockKind.RESOLVE, subject)
    assert line is not None
    by: Calendar = calendar if line.target.business else RoundTheClock()
    seconds = line.target.counted_seconds(by.day_seconds)
    timing = Timing(seconds, by, policy.label, line.rule)
    start, end = at.astimezone(UTC), met_at.astimezone(UTC)
    return concluded(ClockKind.RESOLVE, at=start, timing=timing, met_at=end, ended_at=None)


def test_the_offices_were_closed_on_federal_holidays_and_election_day(
    offices: WorkingCalendar, responses: Sequence[Response]
) -> None:
    answers = Counter(response.answered for response in responses)
    span = (RESPONSES_UNTIL - RESPONSES_SINCE).days + 1
    weekdays = [
        day
        for day in (RESPONSES_SINCE + timedelta(days=n) for n in range(span))
        if day.weekday() < 5
    ]

    quiet = {day for day in weekdays if answers[day] <= QUIET}

    assert quiet == {day for day in weekdays if offices.day(day).kind is DayKind.HOLIDAY}
    assert answers[date(2017, 2, 13)] == 87, "Lincoln's birthday, as the state keeps it, is worked"


def test_the_files_working_days_are_calendar_days_times_a_factor(
    responses: Sequence[Response],
) -> None:
    by_number = sorted(responses, key=lambda response: int(response.number))
    # The first digit is the borough, which counts its complaints by itself.
    pairs = [(a, b) for a, b in pairwise(by_number) if a.number[0] == b.number[0]]
    in_order = sum(earlier.received <= later.received for earlier, later in pairs)

    assert all(abs(one.days * FACTOR - one.said) < 1e-9 and one.days >= 0 for one in responses)
    assert in_order / len(pairs) > 0.998, "so the days told give the day of receipt"


def test_our_working_days_are_the_days_less_weekends_and_holidays(
    offices: WorkingCalendar, responses: Sequence[Response]
) -> None:
    closed = closed_weekdays(offices)

    assert all(
        worked(offices, one) == one.days - one.weekend_days - between(closed, one)
        for one in responses
    )


def test_where_the_file_differs_it_is_its_factor(
    offices: WorkingCalendar, responses: Sequence[Response]
) -> None:
    closed = closed_weekdays(offices)
    found: Counter[str] = Counter()
    for one in responses:
        differs = worked(offices, one) - one.said
        # 0.68 is 5/7 less a share for holidays: what is left of each beside the real ones.
        weekends = one.days * 2 / 7 - one.weekend_days
        holidays = one.days * (5 / 7 - FACTOR) - between(closed, one)
        assert differs == pytest.approx(weekends + holidays)
        assert abs(weekends) < 10 / 7 + 1e-9
        found[why(differs, weekends, holidays, one)] += 1

    assert found == DIFFERENCES


def test_a_target_in_working_days_is_missed_where_the_file_says_so(
    offices: WorkingCalendar, responses: Sequence[Response]
) -> None:
    subject = Subject("buildings", "P3", "standard", "phone")
    found: Counter[tuple[bool, bool]] = Counter()
    for one in responses:
        clock = resolved(subject, end_of(one.received), close_of(one.answered), offices)
        late = worked(offices, one) > 40
        found[one.said > 40, late] += 1
        # An answer on a day off after the fortieth working day is late, and after forty still.
        if one.answered.weekday() < 5 and offices.day(one.answered).kind is DayKind.WORKING:
            assert (clock.state is ClockState.BREACHED) == late

    assert found == LATE


def test_due_times_of_311_are_the_policys(
    offices: WorkingCalendar, requests: Sequence[Request]
) -> None:
    found: Counter[tuple[str, str]] = Counter()
    overdue: Counter[tuple[str, str]] = Counter()
    for one in requests:
        clock = resolved(one.subject, one.created, one.closed or one.created, offices)
        rule = clock.rule.partition("/")[0]
        if rule == "all":
            found[rule, "no target to be seen"] += 1
            continue
        assert clock.due_at is not None
        found[rule, how_due(one, clock.due_at)] += 1
        if one.closed is not None:
            agrees = (clock.state is ClockState.BREACHED) == after(one.closed, one.due)
            overdue[rule, "agrees" if agrees else how_due(one, clock.due_at)] += 1

    assert found == DUE
    assert overdue == OVERDUE


def closed_weekdays(offices: WorkingCalendar) -> Sequence[date]:
    first = date(2013, 12, 1)
    days = (first + timedelta(days=n) for n in range((RESPONSES_UNTIL - first).days + 1))
    return [d for d in days if d.weekday() < 5 and offices.day(d).kind is DayKind.HOLIDAY]


def between(closed: Sequence[date], one: Response) -> int:
    return bisect_right(closed, one.answered) - bisect_right(closed, one.received)


def why(differs: float, weekends: float, holidays: float, one: Response) -> str:
    if one.days == 0:
        return "answered the same day"
    if abs(differs) <= 0.5:
        return "the same to half a day"
    if abs(weekends) >= abs(holidays):
        return "fewer weekend days" if weekends > 0 else "more weekend days"
    return "fewer holidays" if holidays > 0 else "more holidays"


def after(later: datetime, earlier: datetime) -> bool:
    return later.astimezone(UTC) > earlier.astimezone(UTC)


def how_due(one: Request, ours: datetime) -> str:
    """Say how the file's due time relates to ours."""
    theirs = one.due
    if theirs.astimezone(UTC) == ours:
        return "the same second"
    if abs(theirs.astimezone(UTC) - ours) == timedelta(hours=1) and (
        one.created.utcoffset() != theirs.utcoffset()
    ):
        return "an hour beside: summer time between"
    if (
        one.created.time() == datetime.min.time()
        and theirs.date() == ours.astimezone(NEW_YORK).date()
    ):
        return "the same day: received without a time"
    return "later: set anew"
