"""Who hears of what cannot wait where the person it is for cannot be reached."""

from __future__ import annotations

import pytest

from services.notification_service.messages.domain.standing_in import can_wait, stand_ins
from services.notification_service.messages.domain.words import Kind
from services.notification_service.recipients.schemas import Person


def _person(name: str, role: str, department: str = "logistics", *, there: bool = True) -> Person:
    email = f"{name}@example.com" if there else None
    return Person(id=name, role=role, department=department, email=email)


HOUSE = {
    one.id: one
    for one in (
        _person("agent", "agent", there=False),
        _person("lead", "lead"),
        _person("manager", "manager"),
        _person("away", "lead", "billing", there=False),
        _person("clerk", "agent", "billing", there=False),
        _person("chief", "manager", "billing"),
        _person("lone", "agent", "product", there=False),
        _person("other", "lead", "service"),
        _person("quality", "quality", "quality"),
        _person("mute", "quality", "quality", there=False),
    )
}


@pytest.mark.parametrize(
    ("unreachable", "told"),
    [
        ("agent", ("lead",)),
        ("lead", ("manager",)),
        ("manager", ("quality",)),
        ("clerk", ("chief",)),
        ("lone", ("quality",)),
        ("wang.wei", ("quality",)),
    ],
)
def test_the_nearest_above_in_the_department_hears_it_else_the_operators(
    unreachable: str, told: tuple[str, ...]
) -> None:
    assert stand_ins(unreachable, HOUSE) == told


def test_a_stand_in_who_is_not_reached_either_leaves_it_to_the_operators() -> None:
    assert stand_ins("lead", HOUSE, instead_of="agent") == ("quality",)


def test_what_can_wait_is_not_handed_on() -> None:
    assert can_wait(Kind.STAFF_ASSIGNMENT)
    assert not can_wait(Kind.STAFF_BREACH)


def test_nobody_is_told_where_nobody_can_be() -> None:
    assert stand_ins("wang.wei", {}) == ()
