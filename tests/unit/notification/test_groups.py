"""Who a group of staff stands for, and who is told instead where it has nobody."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from services.notification_service.recipients.domain.groups import (
    OPERATORS,
    QUALITY,
    is_group,
    leads_of,
    members,
)
from services.notification_service.recipients.schemas import Person


def person(id_: str, role: str, department: str = "service", *, told: bool = True) -> Person:
    email = f"{id_}@example.com" if told else None
    return Person(id=id_, role=role, department=department, email=email)


HOUSE = (
    person("wang.min", "agent"),
    person("zheng.hao", "lead", "logistics"),
    person("feng.gang", "manager", "logistics"),
    person("li.na", "agent", "logistics"),
    person("tang.wei", "quality", "quality"),
    person("a", "admin"),
    person("han.mei", "executive", "management"),
)


@pytest.mark.parametrize(
    ("group", "told"),
    [
        (OPERATORS, ["a", "tang.wei"]),
        (QUALITY, ["tang.wei"]),
        (leads_of("logistics"), ["feng.gang", "zheng.hao"]),
        (leads_of("service"), ["tang.wei"]),
        (leads_of("closed last year"), ["tang.wei"]),
    ],
)
def test_a_group_is_those_who_can_act(group: str, told: Sequence[str]) -> None:
    assert members(group, HOUSE) == told


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        (["tang.wei"], ["a"]),
        (["tang.wei", "a"], ["han.mei"]),
        (["tang.wei", "a", "han.mei"], ["feng.gang"]),
    ],
)
@pytest.mark.parametrize("group", [QUALITY, leads_of("service")])
def test_where_nobody_is_left_somebody_hears_of_it_all_the_same(
    group: str, gone: Sequence[str], told: Sequence[str]
) -> None:
    left = [one for one in HOUSE if one.id not in gone]

    assert members(group, left) == told


def test_who_has_no_address_counts_as_not_there() -> None:
    house = [person("zheng.hao", "lead", "logistics", told=False), person("q", "quality")]

    assert members(leads_of("logistics"), house) == ["q"]
    assert members(QUALITY, [person("q", "quality", told=False)]) == []


def test_a_mailbox_that_is_called_like_a_role_is_a_person() -> None:
    assert not is_group("quality")
    assert is_group(QUALITY)
    assert is_group(leads_of("quality"))
