"""Which targets a case gets: by clock and priority, halved for those who must not wait."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from shared.events.words import ClockKind, Priority, Tier

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_TARGET = re.compile(
    r"(?P<amount>\d+) (?P<business>working )?(?P<unit>second|minute|hour|day|week)s?"
)


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
            return cls(seconds=amount * 7 * 86400, days=0, business=False)
        if business and found["unit"] == "day":
            return cls(seconds=0, days=amount, business=True)
        return cls(seconds=amount * _UNITS[found["unit"]], days=0, business=business)

    def counted_seconds(self, day_seconds: int, *, halved: bool) -> int:
        """Return the target in seconds of its calendar, whose working day has `day_seconds`."""
        whole = self.seconds + self.days * day_seconds
        return max(1, whole // 2) if halved else whole


def _percent(value: object) -> int:
    text = str(value).removesuffix("%")
    if not text.isdigit() or not 0 < int(text) < 100:
        raise ValueError(f"{value!r} is no share of the target between 1% and 99%")
    return int(text)


Share = Annotated[int, BeforeValidator(_percent)]
TargetText = Annotated[Target, BeforeValidator(Target.parse)]


class ClockPolicy(BaseModel):
    """One clock's targets: one for all, or one for each priority."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: TargetText | None = None
    targets: Mapping[Priority, TargetText] = Field(default_factory=dict)
    warnings: tuple[Share, ...] | None = None

    @model_validator(mode="after")
    def _complete(self) -> ClockPolicy:
        missing = [p.value for p in Priority if self.target is None and p not in self.targets]
        if missing:
            raise ValueError(f"no target for {', '.join(missing)}: give one, or `target` for all")
        return self

    def target_for(self, priority: Priority) -> tuple[Target, str]:
        """Return the target and the name of the line that it stands in."""
        found = self.targets.get(priority)
        if found is not None:
            return found, priority.value
        if self.target is None:
            raise LookupError(f"no target for {priority}")
        return self.target, "all"


class Halved(BaseModel):
    """Who gets half of every target."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tiers: tuple[Tier, ...] = ()


class Policy(BaseModel):
    """One version of the company's targets. A case keeps the version it was opened under."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    version: int = Field(ge=1)
    warnings: tuple[Share, ...] = (50, 80)
    halved_for: Halved = Halved()
    paused_while_awaiting_customer: tuple[ClockKind, ...] = ()
    awaiting_customer_ends_after: TargetText = Target(seconds=7 * 86400, days=0, business=False)
    clocks: Mapping[ClockKind, ClockPolicy]

    @model_validator(mode="after")
    def _complete(self) -> Policy:
        missing = [kind.value for kind in ClockKind if kind not in self.clocks]
        if missing:
            raise ValueError(f"no targets for the clocks {', '.join(missing)}")
        return self

    @property
    def label(self) -> str:
        """The name and version that a case keeps, such as `company@3`."""
        return f"{self.name}@{self.version}"

    def is_halved(self, tier: str) -> bool:
        """Tell whether customers of this tier get half of every target."""
        return tier in self.halved_for.tiers

    def warnings_of(self, kind: ClockKind) -> tuple[int, ...]:
        """Return the warning points of a clock in percent of its target, earliest first."""
        own = self.clocks[kind].warnings
        return tuple(sorted(self.warnings if own is None else own))


@cache
def priority_of(word: str) -> Priority:
    """Return the priority of an event's word; one that is not known yet counts as P3."""
    try:
        return Priority(word)
    except ValueError:
        return Priority.P3
