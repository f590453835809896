"""Instants as SQLite holds them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from shared.db.types import utc_text
from shared.kernel.clock import from_rfc3339


def test_an_instant_is_the_same_text_from_whatever_zone() -> None:
    at = datetime(2026, 11, 30, 4, 5, 6, 7, tzinfo=UTC)

    zones = (UTC, timezone(timedelta(hours=8)), ZoneInfo("America/Chicago"))
    assert {utc_text(at.astimezone(zone)) for zone in zones} == {"2026-11-30T04:05:06.000007Z"}


def test_the_two_equal_hours_at_the_end_of_summer_time_are_two_texts() -> None:
    first = datetime(2025, 11, 2, 1, 30, tzinfo=ZoneInfo("America/Chicago"))
    second = first.replace(fold=1)
    assert first == second

    assert [utc_text(first), utc_text(second)] == [
        "2025-11-02T06:30:00.000000Z",
        "2025-11-02T07:30:00.000000Z",
    ]


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"])
def test_an_instant_that_utc_has_no_room_for_is_refused_as_any_other_wrong_one(text: str) -> None:
    with pytest.raises(ValueError, match="out of range"):
        from_rfc3339(text)
