"""Spans of time as a policy says them: targets, and the points before them at which we warn."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_TARGET = re.compile(
    r"(?P<amount>\d+) (?P<business>working )?(?P<unit>second|minute|hour|day|week)s?"
)
_BEFORE = re.compile(r"(?P<span>.+) before")
_LONGEST_SECONDS = 50 * 366 * 86400
WHOLE = 100
"""All of a target, in percent."""


@dataclass(frozen=True, slots=True)
class Target:
    """A span of time as the policy says it: `4 hours`, `3 working days`.

    `days` are working days (their length is the calendar's), `seconds` everything else.
    """

    seconds: int
    days: int
    business: bool

    @classmethod
    def parse(cls, text: object) -> Target:
        """Read `15 minutes`, `24 hours`, `3 working days`; raises ValueError."""
        found = _TARGET.fullmatch(str(text).strip())
        if found is None:
            raise ValueError(f"{text!r} is no target, such as '4 hours' or '3 working days'")
        amount, business = int(found["amount"]), bool(found["business"])
        if amount == 0:
            raise ValueError("a target of 0 cannot be met")
        if found["unit"] == "week":
            if business:
                raise ValueError("say working days, not working weeks")
            return cls._checked(seconds=amount * 7 * 86400, days=0, business=False)
        if business and found["unit"] == "day":
            return cls._checked(seconds=0, days=amount, business=True)
        return cls._checked(seconds=amount * _UNITS[found["unit"]], days=0, business=business)

    @classmethod
    def _checked(cls, *, seconds: int, days: int, business: bool) -> Target:
        if seconds + days * 86400 > _LONGEST_SECONDS:
            raise ValueError("a target of more than fifty years is a mistake")
        return cls(seconds=seconds, days=days, business=business)

    def counted_seconds(self, day_seconds: int, *, halved: bool = False) -> int:
        """Return the target in seconds of its calendar, whose working day has `day_seconds`."""
        whole = self.seconds + self.days * day_seconds
        return max(1, whole // 2) if halved else whole


@dataclass(frozen=True, slots=True)
class Mark:
    """A point on the way to a target: a share of it, or a span before its end.

    Exactly one of `percent` and `before_seconds` (of the clock's own calendar) is given.
    """

    percent: int | None = None
    before_seconds: int | None = None

    @classmethod
    def parse(cls, text: object) -> Mark:
        """Read `80%` or `30 minutes before`; raises ValueError."""
        words = str(text).strip()
        before = _BEFORE.fullmatch(words)
        if before is not None:
            span = Target.parse(before["span"])
            if span.business:
                raise ValueError(f"{text!r}: say hours or minutes; they are those of the clock")
            return cls(before_seconds=span.seconds)
        percent = words.removesuffix("%")
        if not percent.isdigit() or not 0 < int(percent) < 100:
            raise ValueError(
                f"{text!r} is no share of the target between 1% and 99%, nor '1 hour before'"
            )
        return cls(percent=int(percent))

    def __str__(self) -> str:
        """Return the mark as `parse` reads it."""
        if self.percent is not None:
            return f"{self.percent}%"
        return f"{self.before_seconds} seconds before"

    def offset(self, target_seconds: int) -> float:
        """Return how many counted seconds after the start it lies; not above 0: it never comes."""
        if self.percent is not None:
            return target_seconds * self.percent / 100
        return target_seconds - (self.before_seconds or 0)

    def share(self, target_seconds: int) -> float:
        """Return how much of the target is used up there, from 0 to 1."""
        if self.percent is not None:
            # Not by way of the offset: 80 percent of a target are 0.8 of it, to the last digit.
            return self.percent / WHOLE
        return self.offset(target_seconds) / target_seconds


def _mark(value: object) -> Mark:
    return value if isinstance(value, Mark) else Mark.parse(value)


def _target(value: object) -> Target:
    return value if isinstance(value, Target) else Target.parse(value)


def _percent(value: object) -> int:
    """Read `75%` or 75; raises ValueError."""
    digits = str(value).strip().removesuffix("%")
    if not digits.isdigit() or not 1 <= int(digits) <= WHOLE:
        raise ValueError(f"{value!r} is no share between 1% and 100%")
    return int(digits)


MarkText = Annotated[Mark, BeforeValidator(_mark)]
TargetText = Annotated[Target, BeforeValidator(_target)]
PercentText = Annotated[int, BeforeValidator(_percent)]
