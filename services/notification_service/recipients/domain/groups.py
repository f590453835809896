"""Groups of staff that a message can be for: who they are is known only when it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

OPERATORS = "operators"
"""Everybody who can mend what machines cannot."""

# With a colon, which no id of a person has: a mailbox may well be called `quality`.
_ROLE, _DEPARTMENT = "role:", "department:"

QUALITY = f"{_ROLE}quality"
"""Service quality, who look at what shows in many complaints."""

_OPERATOR_ROLES = frozenset({"admin", "quality"})
_LEADING = frozenset({"lead", "manager"})
_LAST_RESORT = ("quality", "admin", "executive", "manager")


class Colleague(Protocol):
    """One of the staff, as far as groups go by."""

    @property
    def id(self) -> str: ...
    @property
    def role(self) -> str | None: ...
    @property
    def department(self) -> str | None: ...
    @property
    def email(self) -> str | None: ...
    @property
    def phone(self) -> str | None: ...


Belongs = Callable[[Colleague], bool]


def leads_of(department: str) -> str:
    """Return the group of those who lead a department."""
    return f"{_DEPARTMENT}{department}"


def department_of(recipient: str) -> str | None:
    """Return the department whose leads a recipient stands for, None for any other."""
    return recipient.removeprefix(_DEPARTMENT) if recipient.startswith(_DEPARTMENT) else None


def is_group(recipient: str) -> bool:
    """Tell whether a recipient stands for several people."""
    return recipient == OPERATORS or recipient.startswith((_ROLE, _DEPARTMENT))


def members(group: str, people: Iterable[Colleague]) -> Sequence[str]:
    """Return the ids of those whom a group stands for, in order.

    Who has no address counts as not there. Where nobody is left, quality is told instead, then
    operators, then who runs the house: that nobody hears of it is worse than that the wrong one
    does. Empty only where none of them can be told.
    """
    reached = [person for person in people if person.email or person.phone]
    found = (
        sorted(person.id for person in reached if belongs(person)) for belongs in _choices(group)
    )
    return next(filter(None, found), [])


def _choices(group: str) -> Iterator[Belongs]:
    if group == OPERATORS:
        yield lambda person: person.role in _OPERATOR_ROLES
    elif (department := department_of(group)) is not None:
        yield lambda person: person.department == department and person.role in _LEADING
    else:
        yield _with_role(group.removeprefix(_ROLE))
    yield from map(_with_role, _LAST_RESORT)


def _with_role(role: str) -> Belongs:
    return lambda person: person.role == role
