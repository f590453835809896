"""What a company writes down of its departments, people and duty; refused where it disagrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from services.workflow_service.organisation.domain.duty import Duty
from services.workflow_service.organisation.domain.hours import Hours, first_gap
from services.workflow_service.organisation.domain.person import Person, StaffRole

HIGHEST_LEVEL = 4

Place = tuple[str | int, ...]
Fault = tuple[Place, str]
"""Where in the document something is wrong, and what."""


def _zone(written: object) -> object:
    if not isinstance(written, str):
        return written
    try:
        return ZoneInfo(written)
    except (OSError, ValueError, KeyError):
        raise ValueError(f"{written!r} is no time zone such as Asia/Shanghai") from None


class Department(BaseModel):
    """A department's name in the languages of the house, and whether somebody is always on duty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str
    en: str
    always_on_duty: bool = False


class Register(BaseModel):
    """The organisation file: every name in it is somebody or something that is listed.

    `others_may_own`: whether a case or a promise may be given to somebody who is not listed.
    `timezone` is that of hours, absences and duty. `owners_for_segments` names who looks after
    customers of a segment, such as high_frequency, whatever they complain about.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    others_may_own: bool = False
    timezone: Annotated[ZoneInfo, BeforeValidator(_zone)] = ZoneInfo("Asia/Shanghai")
    departments: Mapping[str, Department]
    default_department: str
    routing: Mapping[str, str] = Field(default_factory=dict)
    owners_for_segments: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    escalation: Mapping[int, StaffRole]
    shifts: Mapping[str, Hours] = Field(default_factory=dict)
    duty: tuple[Duty, ...] = ()
    people: tuple[Person, ...]

    _by_id: dict[str, Person] = PrivateAttr(default_factory=dict)
    _by_place: dict[tuple[str, StaffRole], tuple[Person, ...]] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for person in self.people:
            self._by_id.setdefault(person.id, person)
            place = (person.department, person.role)
            self._by_place[place] = (*self._by_place.get(place, ()), person)
        faults = [
            *self._wrong_departments(),
            *self._wrong_levels(),
            *self._wrong_people(),
            *self._wrong_names(),
            *self._gaps_in_duty(),
        ]
        if faults:
            # A validation error of our own keeps the place, and so the line, of each fault.
            raise ValidationError.from_exception_data(
                "organisation",
                [
                    {"type": "value_error", "loc": place, "ctx": {"error": why}, "input": None}
                    for place, why in faults
                ],
            )
        return self

    def _wrong_departments(self) -> Iterator[Fault]:
        named: list[tuple[Place, str | None]] = [(("default_department",), self.default_department)]
        named += [(("routing", category), to) for category, to in self.routing.items()]
        named += [
            (("people", n, "department"), one.department) for n, one in enumerate(self.people)
        ]
        named += [(("duty", n, "department"), one.department) for n, one in enumerate(self.duty)]
        for place, department in named:
            if department is not None and department not in self.departments:
                yield place, f"there is no department {department!r}"

    def _wrong_levels(self) -> Iterator[Fault]:
        if set(self.escalation) != set(range(1, HIGHEST_LEVEL + 1)):
            yield ("escalation",), "give a role to each of the levels 1, 2, 3 and 4"

    def _wrong_people(self) -> Iterator[Fault]:
        seen: set[str] = set()
        for n, person in enumerate(self.people):
            if person.id in seen:
                yield ("people", n, "id"), f"{person.id} stands there twice"
            seen.add(person.id)
            if person.shift is not None and person.shift not in self.shifts:
                yield ("people", n, "shift"), f"there is no shift {person.shift!r}"
            line = self._deputies(person)
            if line[-1] in line[:-1]:
                circle = " → ".join(line)
                yield ("people", n, "deputy"), f"deputies go round in a circle: {circle}"

    def _wrong_names(self) -> Iterator[Fault]:
        named: list[tuple[Place, str | None]]
        named = [(("people", n, "deputy"), one.deputy) for n, one in enumerate(self.people)]
        named += [(("duty", n), one) for n, duty in enumerate(self.duty) for one in duty.people]
        for segment, owners in self.owners_for_segments.items():
            named += [(("owners_for_segments", segment), owner) for owner in owners]
        for place, person_id in named:
            if person_id is not None and person_id not in self._by_id:
                yield place, f"there is nobody called {person_id!r}"

    def _gaps_in_duty(self) -> Iterator[Fault]:
        for name, department in self.departments.items():
            if not department.always_on_duty:
                continue
            weekly = [one for one in self.duty if one.department == name and one.is_for_everything]
            gap = first_gap(one.hours for one in weekly if one.hours is not None)
            if gap is not None:
                why = f"{name} is always on duty, but the roster has nobody from {gap} on"
                yield ("departments", name, "always_on_duty"), why

    def _deputies(self, person: Person) -> list[str]:
        """Return somebody and the line of their deputies, up to whoever stands in it twice."""
        line = [person.id]
        while (deputy := self._by_id[line[-1]].deputy) is not None and deputy in self._by_id:
            line.append(deputy)
            if deputy in line[:-1]:
                break
        return line
