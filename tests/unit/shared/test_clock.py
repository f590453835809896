"""Instants in and out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.kernel.clock import ManualClock, from_rfc3339, to_rfc3339


def test_an_instant_is_written_in_utc_with_z() -> None:
    shanghai = timezone(timedelta(hours=8))

    written = to_rfc3339(datetime(2026, 11, 18, 18, 30, tzinfo=shanghai))

    assert written == "2026-11-18T10:30:00Z"
    assert from_rfc3339(written) == datetime(2026, 11, 18, 10, 30, tzinfo=UTC)


def test_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        from_rfc3339("2026-11-18T18:30:00")


def test_a_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(datetime(2026, 11, 18, tzinfo=UTC))

    assert clock.now() == clock.now()
    assert clock.advance(timedelta(hours=1)) == datetime(2026, 11, 18, 1, tzinfo=UTC)
