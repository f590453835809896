"""Members of staff: what they may do, whom they understand, when they are there, who stands in."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from services.workflow_service.organisation.domain.hours import Hours

PERSON_ID = r"^[a-z0-9][a-z0-9._-]{0,63}$"
Language = Literal["zh", "en"]


class StaffRole(StrEnum):
    """What a person may do in handling cases."""

    AGENT = "agent"
    LEAD = "lead"
    MANAGER = "manager"
    QUALITY = "quality"
    EXECUTIVE = "executive"


class Absence(BaseModel):
    """Days on which somebody is away, both included, in the clock of the house."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: date = Field(alias="from")
    last: date = Field(alias="to")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"an absence from {self.first} to {self.last} runs backward")
        return self


class Person(BaseModel):
    """One member of staff; events name them by `id` only.

    Without `hours` and `shift` somebody is always there but for absences. `max_load` open cases
    are enough: who has them gets another only where everybody has.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=PERSON_ID)
    name: str = Field(min_length=1)
    role: StaffRole
    department: str
    team: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: Literal["zh-CN", "en"] = "zh-CN"
    languages: tuple[Language, ...] = ()
    hours: Hours | None = None
    shift: str | None = None
    absences: tuple[Absence, ...] = ()
    deputy: str | None = None
    max_load: PositiveInt | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if not self.email and not self.phone:
            raise ValueError(f"{self.id} cannot be told anything: give an email or a phone")
        if self.hours is not None and self.shift is not None:
            raise ValueError(f"{self.id} has a shift and hours of their own: give one of them")
        if self.deputy == self.id:
            raise ValueError(f"{self.id} cannot be their own deputy")
        ordered = sorted(self.absences, key=lambda absence: absence.first)
        for one, other in pairwise(ordered):
            if other.first <= one.last:
                raise ValueError(f"absences of {self.id} overlap on {other.first}")
        return self

    @property
    def spoken(self) -> tuple[str, ...]:
        """The languages somebody understands; where none are given that of the locale."""
        return self.languages or (self.locale[:2],)

    def speaks(self, language: str | None) -> bool:
        """Tell whether somebody understands a language; None asks for none."""
        return language is None or language in self.spoken

    def is_away(self, local: datetime) -> bool:
        """Tell whether somebody is absent on a day."""
        return any(away.first <= local.date() <= away.last for away in self.absences)
