"""Departments, people, and the routing of a category to one accountable owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Literal
from zlib import crc32

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

HIGHEST_LEVEL = 4


class StaffRole(StrEnum):
    """What a person may do in handling cases."""

    AGENT = "agent"
    LEAD = "lead"
    MANAGER = "manager"
    QUALITY = "quality"
    EXECUTIVE = "executive"


class Titled(BaseModel):
    """A name in the languages of the house."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str
    en: str


class Person(BaseModel):
    """One member of staff; events name them by `id` only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    name: str = Field(min_length=1)
    role: StaffRole
    department: str
    email: str | None = None
    phone: str | None = None
    locale: Literal["zh-CN", "en"] = "zh-CN"

    @model_validator(mode="after")
    def _reachable(self) -> Person:
        if not self.email and not self.phone:
            raise ValueError(f"{self.id} cannot be told anything: give an email or a phone")
        return self


class Assignment(BaseModel):
    """Who answers for a case; a department without an agent has no owner yet."""

    model_config = ConfigDict(frozen=True)

    department: str
    owner: str | None


class Organisation(BaseModel):
    """The company's departments, people, routing and the roles of its escalation levels.

    `others_may_own`: whether a case may be given to somebody who is not listed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    others_may_own: bool = False
    departments: Mapping[str, Titled]
    default_department: str
    routing: Mapping[str, str] = Field(default_factory=dict)
    escalation: Mapping[int, StaffRole]
    people: tuple[Person, ...]

    _by_id: dict[str, Person] = PrivateAttr(default_factory=dict)
    _by_place: dict[tuple[str, StaffRole], tuple[str, ...]] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Organisation:
        self._check_departments()
        levels = set(range(1, HIGHEST_LEVEL + 1))
        if set(self.escalation) != levels:
            raise ValueError("escalation: give a role to each of the levels 1, 2, 3 and 4")
        for person in self.people:
            if person.id in self._by_id:
                raise ValueError(f"people: {person.id} stands there twice")
            self._by_id[person.id] = person
            place = (person.department, person.role)
            self._by_place[place] = (*self._by_place.get(place, ()), person.id)
        return self

    def _check_departments(self) -> None:
        named = [("default_department", self.default_department)]
        named += [(f"routing: {category}", to) for category, to in self.routing.items()]
        named += [(f"people: {person.id}", person.department) for person in self.people]
        for place, department in named:
            if department not in self.departments:
                raise ValueError(f"{place}: there is no department {department!r}")

    def person(self, person_id: str) -> Person | None:
        """Return a listed person."""
        return self._by_id.get(person_id)

    def department_for(self, category: str) -> str:
        """Return the department of a category: its own rule, its top level's, else the default."""
        own = self.routing.get(category)
        if own is not None:
            return own
        return self.routing.get(category.partition(".")[0], self.default_department)

    def route(self, category: str, *, complaint_id: str) -> Assignment:
        """Choose department and agent; the same complaint gets the same agent in every replica."""
        department = self.department_for(category)
        agents = self._by_place.get((department, StaffRole.AGENT), ())
        return Assignment(department=department, owner=_choose(agents, complaint_id))

    def owner_at_level(
        self, level: int, *, department: str | None, complaint_id: str
    ) -> str | None:
        """Return who takes over at an escalation level.

        Somebody of the department, else of the default one, else of the house.
        """
        role = self.escalation[level]
        for place in (department, self.default_department):
            near = self._by_place.get((place or "", role))
            if near:
                return _choose(near, complaint_id)
        anywhere = tuple(person.id for person in self.people if person.role is role)
        return _choose(anywhere, complaint_id)


def _choose(people: Sequence[str], complaint_id: str) -> str | None:
    # A hash, not a counter: replicas need not agree on anything, and a replayed event routes alike.
    return people[crc32(complaint_id.encode()) % len(people)] if people else None
