"""People as other services see them."""

from __future__ import annotations

from pydantic import BaseModel


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
