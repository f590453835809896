"""The one accountable owner that a complaint gets, whatever the hour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from pydantic import PrivateAttr

from services.workflow_service.organisation.domain.duty import Duty
from services.workflow_service.organisation.domain.person import Person, StaffRole
from services.workflow_service.organisation.domain.register import HIGHEST_LEVEL, Register
from services.workflow_service.organisation.domain.routing import least_loaded

__all__ = ["HIGHEST_LEVEL", "Assignment", "Organisation"]

NOBODY: frozenset[str] = frozenset()
NO_LOAD: Mapping[str, int] = MappingProxyType({})
_MINUTES_KEPT = 64


class Assignment(NamedTuple):
    """Who answers for a case; a department without an agent has no owner yet."""

    department: str
    owner: str | None


class _Asked(NamedTuple):
    """What decides among whom a case is given; `minute` None asks nothing of time."""

    department: str
    segment: str | None
    language: str | None
    minute: int | None


class Organisation(Register):
    """The company's people as those who decide about cases ask for them."""

    _rolls: dict[int | None, Set[str]] = PrivateAttr(default_factory=dict)
    _pools: dict[_Asked, Sequence[Person]] = PrivateAttr(default_factory=dict)

    def person(self, person_id: str) -> Person | None:
        """Return a listed person."""
        return self._by_id.get(person_id)

    def department_for(self, category: str) -> str:
        """Return the department of a category: its own rule, its top level's, else the default."""
        own = self.routing.get(category)
        if own is not None:
            return own
        return self.routing.get(category.partition(".")[0], self.default_department)

    def present(self, at: datetime | None) -> Set[str]:
        """Return who works at an instant; None asks nothing of time.

        Hours are written in minutes, so the answer of a minute is kept: a batch of cases asks for
        it many hundred times.
        """
        if at is None:
            return self._by_id.keys()
        minute = _minute(at)
        roll = self._rolls.get(minute)
        if roll is None:
            if len(self._rolls) >= _MINUTES_KEPT:
                self._rolls.clear()
                self._pools.clear()
            local = at.astimezone(self.timezone)
            there = (one.id for one in self.people if self._works(one, local))
            roll = self._rolls[minute] = frozenset(there)
        return roll

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

        In an emergency those who are there for emergencies come first, wherever they belong.
        Somebody on duty who is absent that day is stood in for; their hours of work do not matter.
        """
        for urgent in (True, False) if emergency else (False,):
            for place in dict.fromkeys((department, None)):
                for line in self._on_roster(at, place, level, urgent=urgent):
                    answers = (self._on_duty(person_id, at, never) for person_id in line.people)
                    found = next((one for one in answers if one is not None), None)
                    if found is not None:
                        return found
        return None

    def _on_roster(
        self, at: datetime, place: str | None, level: int | None, *, urgent: bool
    ) -> Sequence[Duty]:
        local = at.astimezone(self.timezone)
        lines = [
            one
            for one in self.duty
            if one.emergency is urgent and one.serves({place}, level) and one.holds(local)
        ]
        # Sorting is stable: within a kind the file's order counts.
        return sorted(lines, key=lambda one: (not one.levels, not one.is_dated))

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
        asked = _Asked(department, segment, language, _minute(at))
        pool = None if never else self._pools.get(asked)
        if pool is None:
            pool = self._find_pool(asked, at, never)
            if not never:
                self._pools[asked] = pool
        return Assignment(department, least_loaded(pool, load=load, complaint_id=complaint_id))

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
        nearest = self._nearest(self.escalation[level], department, never)
        pool = next(filter(None, (self._there(people, at, never) for people in nearest)), ())
        if not pool and at is not None:
            officer = self.duty_officer(at, department=department, level=level, never=never)
            pool = (self._by_id[officer],) if officer is not None else ()
        pool = pool or next(filter(None, nearest), ())
        return least_loaded(pool, load=load, complaint_id=complaint_id)

    def approver(
        self,
        least: StaffRole,
        *,
        department: str | None,
        complaint_id: str,
        at: datetime,
        never: Set[str] = NOBODY,
    ) -> str | None:
        """Return who is asked where at least a role is needed, None where nobody reaches it.

        The lowest such role that somebody has, as near as can be; who is there before who is not,
        and a deputy only with the role.
        """
        ranks = tuple(StaffRole)
        high = ranks[ranks.index(least) :]
        for role in high:
            nearest = self._nearest(role, department, never)
            there = (
                [one for one in self._there(people, at, never) if one.role in high]
                for people in nearest
            )
            pool = next(filter(None, there), None) or next(filter(None, nearest), ())
            if pool:
                return least_loaded(pool, load=NO_LOAD, complaint_id=complaint_id)
        return None

    def _nearest(
        self, role: StaffRole, department: str | None, never: Set[str]
    ) -> Sequence[tuple[Person, ...]]:
        """Return who has a role: in the department, in the default one, in the house."""
        places = [
            self._by_place.get((place, role), ())
            for place in (department, self.default_department)
            if place
        ]
        places.append(tuple(person for person in self.people if person.role is role))
        return [tuple(one for one in place if one.id not in never) for place in places]

    def _find_pool(self, asked: _Asked, at: datetime | None, never: Set[str]) -> Sequence[Person]:
        """Return among whom the load decides: speakers before others, who is there before deputies.

        Where nobody is there it is the duty officer, else whoever will be.
        """
        agents = self._by_place.get((asked.department, StaffRole.AGENT), ())
        if asked.segment is not None and asked.segment in self.owners_for_segments:
            agents = tuple(self._by_id[one] for one in self.owners_for_segments[asked.segment])
        able = [one for one in agents if one.id not in never]
        speakers = [one for one in able if one.speaks(asked.language)]
        pool = self._there(speakers, at, never) or self._there(able, at, never)
        if not pool and able and at is not None:
            officer = self.duty_officer(at, department=asked.department, never=never)
            pool = (self._by_id[officer],) if officer is not None else ()
        return pool or speakers or able

    def _there(
        self, people: Iterable[Person], at: datetime | None, never: Set[str]
    ) -> tuple[Person, ...]:
        """Return those who are there, else their deputies who are."""
        listed, present = tuple(people), self.present(at)
        there = tuple(one for one in listed if one.id in present)
        if there:
            return there
        deputies = dict.fromkeys(self._stand_in(one.id, at, never) for one in listed)
        return tuple(self._by_id[one] for one in deputies if one is not None)

    def _works(self, person: Person, local: datetime) -> bool:
        hours = self.shifts[person.shift] if person.shift else person.hours
        return not person.is_away(local) and (hours is None or hours.holds(local))

    def _stand_in(self, person_id: str, at: datetime | None, never: Set[str]) -> str | None:
        """Return the first of somebody and their line of deputies who is there."""
        present = self.present(at)
        place: str | None = person_id
        while place is not None and place in self._by_id:
            if place not in never and place in present:
                return place
            place = self._by_id[place].deputy
        return None

    def _on_duty(self, person_id: str, at: datetime, never: Set[str]) -> str | None:
        away = self._by_id[person_id].is_away(at.astimezone(self.timezone))
        if person_id not in never and not away:
            return person_id
        deputy = self._by_id[person_id].deputy
        return self._stand_in(deputy, at, never) if deputy is not None else None


def _minute(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp()) // 60
