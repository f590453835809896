"""The organisation as pages, other systems and other services see it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

from services.workflow_service.organisation.domain.people import Organisation
from services.workflow_service.organisation.domain.person import Person


class PersonView(BaseModel):
    """One member of staff, with how to reach them."""

    id: str
    name: str
    email: str | None
    phone: str | None
    locale: str
    department: str
    role: str


class PeopleAnswer(BaseModel):
    """Everybody."""

    items: list[PersonView]


_EXAMPLE: JsonDict = {
    "as_of": "2026-11-23T04:00:00Z",
    "timezone": "Asia/Shanghai",
    "on_duty": "chen.jing",
    "on_duty_for_emergencies": "tang.wei",
    "departments": [
        {
            "id": "logistics",
            "zh": "物流部",
            "en": "Logistics",
            "always_on_duty": False,
            "on_duty": "zheng.hao",
        }
    ],
    "people": [
        {
            "id": "li.na",
            "name": "李娜",
            "role": "agent",
            "department": "logistics",
            "team": None,
            "languages": ["zh", "en"],
            "deputy": "zheng.hao",
            "max_load": None,
            "present": False,
            "stood_in_by": "zheng.hao",
            "email": None,
            "phone": None,
        }
    ],
}


class DepartmentStatus(BaseModel):
    """A department and who is on duty for it, of its own or of the house."""

    id: str
    zh: str
    en: str
    always_on_duty: bool
    on_duty: str | None


class PersonStatus(BaseModel):
    """One member of staff now. `stood_in_by`: who answers for them while they are not there."""

    id: str
    name: str
    role: str
    department: str
    team: str | None
    languages: tuple[str, ...]
    deputy: str | None
    max_load: int | None
    present: bool
    stood_in_by: str | None
    email: str | None
    phone: str | None


class OrganisationView(BaseModel):
    """Departments and people as they are at `as_of`; people are named by id."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    as_of: datetime
    timezone: str
    on_duty: str | None
    on_duty_for_emergencies: str | None
    departments: list[DepartmentStatus]
    people: list[PersonStatus]


def person_view(person: Person) -> PersonView:
    """Return somebody as notification needs them."""
    return PersonView(
        id=person.id,
        name=person.name,
        email=person.email,
        phone=person.phone,
        locale=person.locale,
        department=person.department,
        role=person.role,
    )


def organisation_view(
    organisation: Organisation, *, at: datetime, reveal: bool
) -> OrganisationView:
    """Return who does what at an instant; how to reach people if `reveal`."""
    return OrganisationView(
        as_of=at,
        timezone=organisation.timezone.key,
        on_duty=organisation.duty_officer(at),
        on_duty_for_emergencies=organisation.duty_officer(at, emergency=True),
        departments=[
            DepartmentStatus(
                id=name,
                zh=department.zh,
                en=department.en,
                always_on_duty=department.always_on_duty,
                on_duty=organisation.duty_officer(at, department=name),
            )
            for name, department in organisation.departments.items()
        ],
        people=[
            _status(organisation, person, at=at, reveal=reveal) for person in organisation.people
        ],
    )


def _status(
    organisation: Organisation, person: Person, *, at: datetime, reveal: bool
) -> PersonStatus:
    present = person.id in organisation.present(at)
    stand_in = organisation.stands_in_for(person.id, at)
    return PersonStatus(
        id=person.id,
        name=person.name,
        role=person.role,
        department=person.department,
        team=person.team,
        languages=person.spoken,
        deputy=person.deputy,
        max_load=person.max_load,
        present=present,
        stood_in_by=stand_in if stand_in != person.id else None,
        email=person.email if reveal else None,
        phone=person.phone if reveal else None,
    )
