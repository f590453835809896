"""The duty roster: who answers at an hour at which nobody else does."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from services.workflow_service.organisation.domain.hours import Hours

Level = Annotated[int, Field(ge=0, le=4)]


def _end_of_day(written: Any) -> Any:
    """Take a bare date for the end of that day."""
    if isinstance(written, str) and len(written) == len("2026-12-31"):
        return datetime.fromisoformat(written) + timedelta(days=1)
    return written


class Duty(BaseModel):
    """One line of the roster: who, when, for whom.

    Weekly by `hours`, else from one local time up to another. Without `department` it is for the
    whole house, without `levels` for every level of escalation; `emergency` duty is asked for
    emergencies only. What is for emergencies, for a level, or dated goes before what is not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    department: str | None = None
    people: tuple[str, ...] = Field(min_length=1)
    hours: Hours | None = None
    begins: datetime | None = Field(default=None, alias="from")
    ends: Annotated[datetime | None, BeforeValidator(_end_of_day)] = Field(default=None, alias="to")
    levels: frozenset[Level] = frozenset()
    emergency: bool = False

    @model_validator(mode="before")
    @classmethod
    def _one_person(cls, found: Any) -> Any:
        if isinstance(found, dict) and "person" in found:
            if "people" in found:
                raise ValueError("duty: give person or people")
            return {key: value for key, value in found.items() if key != "person"} | {
                "people": [found["person"]]
            }
        return found

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.hours is None and (self.begins is None or self.ends is None):
            raise ValueError("duty needs hours of the week, or from and to")
        for instant in (self.begins, self.ends):
            if instant is not None and instant.tzinfo is not None:
                raise ValueError("duty is in local time: leave the offset out")
        if self.begins and self.ends and self.ends <= self.begins:
            raise ValueError(f"duty from {self.begins} to {self.ends} runs backward")
        return self

    @property
    def is_dated(self) -> bool:
        """Whether it is for certain days and not for every week."""
        return self.begins is not None

    @property
    def is_for_everything(self) -> bool:
        """Whether it answers whatever comes, every week."""
        return not (self.is_dated or self.levels or self.emergency)

    def holds(self, local: datetime) -> bool:
        """Tell whether it is on at a local time."""
        naive = local.replace(tzinfo=None)
        if self.begins is not None and naive < self.begins:
            return False
        if self.ends is not None and naive >= self.ends:
            return False
        return self.hours is None or self.hours.holds(local)

    def serves(self, departments: Collection[str | None], level: int | None) -> bool:
        """Tell whether it is for one of these departments (None: the house) and for a level."""
        fits = not self.levels or (level is not None and level in self.levels)
        return fits and self.department in departments
