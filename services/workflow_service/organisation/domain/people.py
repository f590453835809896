"""The one accountable owner that a complaint gets, whatever the hour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict

from services.workflow_service.organisation.domain.person import Person, StaffRole
from services.workflow_service.organisation.domain.register import HIGHEST_LEVEL, Register
from services.workflow_service.organisation.domain.routing import least_loaded

__all__ = ["HIGHEST_LEVEL", "Assignment", "Organisation"]

NOBODY: frozenset[str] = frozenset()
NO_LOAD: Mapping[str, int] = MappingProxyType({})


class Assignment(BaseModel):
    """Who answers for a case; a department without an agent has no owner yet."""

    model_config = ConfigDict(frozen=True)

    department: str
    owner: str | None


class Organisation(Register):
    """The company's people as those who decide about cases ask for them."""

    def person(self, person_id: str) -> Person | None:
        """Return a listed person."""
        return self._by_id.get(person_id)

    def department_for(self, category: str) -> str:
        """Return the department of a category: its own rule, its top level's, else the default."""
        own = self.routing.get(category)
        if own is not None:
            return own
        return self.routing.get(category.partition(".")[0], self.default_department)

    def is_present(self, person_id: str, at: datetime | None) -> bool:
        """Tell whether somebody works at an instant; None asks nothing of time."""
        person = self._by_id.get(person_id)
        if person is None or at is None or person.is_always_there:
            return person is not None
        local = at.astimezone(self.timezone)
        hours = self.shifts[person.shift] if person.shift else person.hours
        return not person.is_away(local) and (hours is None or hours.holds(local))

    def stands_in_for(self, person_id: str, at: datetime | None) -> str:
        """Return who answers for somebody: they, if they are there, else the first deputy who is.

        Where no deputy is there either, what is theirs waits for them.
        """
        return self._stand_in(person_id, at, NOBODY) or person_id

    def duty_officer(
        self,
        at: datetime,
        *,
        department: str | None = None,
        level: int | None = None,
        emergency: bool = False,
        never: Set[str] = NOBODY,
    ) -> str | None:
        """Return who is on duty, in a department before in the house; None where nobody is.

        Somebody on duty who is absent that day is stood in for; their hours of work do not matter.
        """
        local = at.astimezone(self.timezone)
        for place in dict.fromkeys((department, None)):
            lines = [one for one in self.duty if one.serves({place}, level) and one.holds(local)]
            lines = [one for one in lines if emergency or not one.emergency]
            # Sorting is stable: within a kind the file's order counts.
            lines.sort(key=lambda one: (not one.emergency, not one.levels, not one.is_dated))
            for line in lines:
                for person_id in line.people:
                    answers = self._on_duty(person_id, at, never)
                    if answers is not None:
                        return answers
        return None

    def route(
        self,
        category: str,
        *,
        complaint_id: str,
        language: str | None = None,
        at: datetime | None = None,
        load: Mapping[str, int] = NO_LOAD,
        never: Set[str] = NOBODY,
        segment: str | None = None,
    ) -> Assignment:
        """Choose department and owner: by category, language, presence, load.

        `load` is open cases by owner, `never` are people it is about. A segment with owners of its
        own goes to them. Where nobody is there the duty officer takes it, else whoever will be.
        The same facts give the same owner in every replica.
        """
        department = self.department_for(category)
        agents = self._by_place.get((department, StaffRole.AGENT), ())
        if segment is not None and segment in self.owners_for_segments:
            agents = tuple(self._by_id[one] for one in self.owners_for_segments[segment])
        able = [one for one in agents if one.id not in never]
        speakers = [one for one in able if one.speaks(language)]

        def present(people: Sequence[Person]) -> str | None:
            return self._present(people, at=at, load=load, never=never, complaint_id=complaint_id)

        owner = present(speakers) or present(able)
        if owner is None and able and at is not None:
            owner = self.duty_officer(at, department=department, never=never)
        if owner is None:
            owner = least_loaded(speakers or able, load=load, complaint_id=complaint_id)
        return Assignment(department=department, owner=owner)

    def owner_at_level(
        self,
        level: int,
        *,
        department: str | None,
        complaint_id: str,
        at: datetime | None = None,
        load: Mapping[str, int] = NO_LOAD,
        never: Set[str] = NOBODY,
    ) -> str | None:
        """Return who takes over at an escalation level.

        Somebody of the department, else of the default one, else of the house: who is there, then
        a deputy, then the duty officer, then whoever has the role.
        """
        role = self.escalation[level]
        places = [
            self._by_place.get((place, role), ())
            for place in (department, self.default_department)
            if place
        ]
        places.append(tuple(person for person in self.people if person.role is role))
        able = [[one for one in place if one.id not in never] for place in places]
        for people in able:
            owner = self._present(people, at=at, load=load, never=never, complaint_id=complaint_id)
            if owner is not None:
                return owner
        if at is not None:
            on_duty = self.duty_officer(at, department=department, level=level, never=never)
            if on_duty is not None:
                return on_duty
        return next(
            (
                least_loaded(people, load=load, complaint_id=complaint_id)
                for people in able
                if people
            ),
            None,
        )

    def _present(
        self,
        people: Iterable[Person],
        *,
        at: datetime | None,
        load: Mapping[str, int],
        never: Set[str],
        complaint_id: str,
    ) -> str | None:
        """Return the least loaded of those who are there, else of their deputies who are."""
        listed = tuple(people)
        there = [one for one in listed if self.is_present(one.id, at)]
        if not there:
            deputies = dict.fromkeys(self._stand_in(one.id, at, never) for one in listed)
            there = [self._by_id[one] for one in deputies if one is not None]
        return least_loaded(there, load=load, complaint_id=complaint_id)

    def _stand_in(self, person_id: str, at: datetime | None, never: Set[str]) -> str | None:
        """Return the first of somebody and their line of deputies who is there."""
        place: str | None = person_id
        while place is not None and place in self._by_id:
            if place not in never and self.is_present(place, at):
                return place
            place = self._by_id[place].deputy
        return None

    def _on_duty(self, person_id: str, at: datetime, never: Set[str]) -> str | None:
        away = self._by_id[person_id].is_away(at.astimezone(self.timezone))
        if person_id not in never and not away:
            return person_id
        deputy = self._by_id[person_id].deputy
        return self._stand_in(deputy, at, never) if deputy is not None else None
