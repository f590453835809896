"""Quiet hours go by the clock on the customer's wall, also where it is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from services.notification_service.preferences.domain.choices import Preferences, QuietHours
from services.notification_service.preferences.domain.quiet import quiet_until

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")


def hours(begin: str, end: str) -> QuietHours:
    return QuietHours.model_validate({"from": begin, "to": end})


NIGHT = hours("22:00", "08:00")


@pytest.mark.parametrize(
    ("wall", "ends"),
    [
        ("2026-11-22T21:59:59", None),
        ("2026-11-22T22:00:00", "2026-11-23T08:00:00"),
        ("2026-11-23T00:00:00", "2026-11-23T08:00:00"),
        ("2026-11-23T07:59:59", "2026-11-23T08:00:00"),
        ("2026-11-23T08:00:00", None),
    ],
)
def test_the_night_ends_in_the_morning(wall: str, ends: str | None) -> None:
    now = datetime.fromisoformat(wall).replace(tzinfo=SHANGHAI).astimezone(UTC)

    found = quiet_until(now, SHANGHAI, NIGHT)

    local = found.astimezone(SHANGHAI).replace(tzinfo=None).isoformat() if found else None
    assert local == ends


def test_the_same_instant_is_night_here_and_day_there() -> None:
    now = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)

    assert quiet_until(now, SHANGHAI, NIGHT) == datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    assert quiet_until(now, NEW_YORK, NIGHT) is None


def test_a_window_within_a_day_and_one_of_no_length() -> None:
    noon = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)

    assert quiet_until(noon, SHANGHAI, hours("12:00", "14:00")) == noon + timedelta(minutes=90)
    assert quiet_until(noon, SHANGHAI, hours("12:00", "12:00")) is None


def test_a_night_in_which_the_clock_is_put_forward_is_an_hour_shorter() -> None:
    evening = datetime(2026, 3, 7, 22, 0, tzinfo=NEW_YORK).astimezone(UTC)

    ends = quiet_until(evening, NEW_YORK, NIGHT)

    assert ends == datetime(2026, 3, 8, 12, 0, tzinfo=UTC)
    assert ends - evening == timedelta(hours=9)


def test_a_night_in_which_the_clock_is_put_back_is_an_hour_longer() -> None:
    evening = datetime(2026, 10, 31, 22, 0, tzinfo=NEW_YORK).astimezone(UTC)

    ends = quiet_until(evening, NEW_YORK, NIGHT)

    assert ends == datetime(2026, 11, 1, 13, 0, tzinfo=UTC)
    assert ends - evening == timedelta(hours=11)


def test_an_end_that_comes_twice_is_quiet_both_times() -> None:
    first = datetime(2026, 11, 1, 1, 15, tzinfo=NEW_YORK)
    second = first.replace(fold=1)
    early = hours("22:00", "01:30")

    assert quiet_until(first.astimezone(UTC), NEW_YORK, early) == datetime(
        2026, 11, 1, 5, 30, tzinfo=UTC
    )
    assert quiet_until(second.astimezone(UTC), NEW_YORK, early) == datetime(
        2026, 11, 1, 6, 30, tzinfo=UTC
    )


def test_an_end_that_the_clock_skips_still_comes() -> None:
    before = datetime(2026, 3, 8, 1, 59, tzinfo=NEW_YORK).astimezone(UTC)

    ends = quiet_until(before, NEW_YORK, hours("22:00", "02:30"))

    assert ends == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    assert quiet_until(ends, NEW_YORK, hours("22:00", "02:30")) is None


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize(
    ("begin", "end"), [("22:00", "08:00"), ("01:30", "02:15"), ("00:00", "23:59")]
)
def test_the_end_lies_ahead_within_a_day_and_outside(zone: str, begin: str, end: str) -> None:
    """Every quarter of an hour of a year with its changes of the clock."""
    there, window = ZoneInfo(zone), hours(begin, end)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for step in range(365 * 96):
        now = start + timedelta(minutes=15 * step)
        ends = quiet_until(now, there, window)
        if ends is not None:
            assert now < ends <= now + timedelta(hours=26)


@pytest.mark.parametrize(
    "given",
    [
        {"timezone": "Mars/Olympus"},
        {"timezone": "../etc/passwd"},
        {"timezone": "x" * 65},
        {"quiet_hours": {"from": "24:00", "to": "08:00"}},
        {"quiet_hours": {"from": "22", "to": "08:00"}},
        {"quiet_hours": {"from": "22:00:00+08:00", "to": "08:00"}},
        {"quiet_hours": {"from": "22:00"}},
        {"channel": "fax"},
        {"do_not_contact": None},
        {"consent": {"service": {"phone": True}}},
    ],
)
def test_what_cannot_be_chosen_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Preferences.model_validate(given)


def test_choices_are_read_back_as_they_were_written() -> None:
    chosen = Preferences.model_validate(
        {
            "channel": "email",
            "quiet_hours": {"from": "21:30", "to": "08:05"},
            "consent": {"survey": {"sms": False}},
        }
    )

    written = chosen.model_dump(mode="json", by_alias=True)

    assert written["quiet_hours"] == {"from": "21:30", "to": "08:05"}
    assert Preferences.model_validate(written) == chosen
