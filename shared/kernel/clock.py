"""The only reader of the wall clock. Domain code is handed `now`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the present instant, in UTC."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""
        return datetime.now(UTC)


class ManualClock:
    """A clock for tests that moves only when told."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("start must be aware")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant the clock was last set to."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move by `by` (negative moves back) and return the new present."""
        self._now += by
        return self._now


def to_rfc3339(instant: datetime) -> str:
    """Write an aware instant in UTC with `Z`, without needless fraction digits."""
    text = instant.astimezone(UTC).isoformat()
    return text.removesuffix("+00:00") + "Z"


def from_rfc3339(text: str) -> datetime:
    """Read an instant; raises ValueError for one without an offset, or out of range in UTC."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset, such as Z or +08:00")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text} is out of range") from None
