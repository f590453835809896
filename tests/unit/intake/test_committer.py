"""Groups of complaints: who is written together, beside whom, and after whom."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence

import pytest

from services.intake_service.complaints.service.committer import Committer


class Database:
    """Writes groups when told to."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.gates: list[asyncio.Event] = []

    async def write(self, group: Sequence[str]) -> Sequence[str | Exception]:
        gate = asyncio.Event()
        self.groups.append(list(group))
        self.gates.append(gate)
        await gate.wait()
        return [item.upper() for item in group]


def claims(item: str) -> frozenset[Hashable]:
    return frozenset({item[0]})


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_comes_while_a_group_is_written_shares_the_next() -> None:
    database = Database()
    committer = Committer(database.write, claims=claims)
    first = asyncio.create_task(committer.submit("a"))
    await settle()
    others = [asyncio.create_task(committer.submit(item)) for item in ("b", "c")]
    await settle()
    assert database.groups == [["a"]]
    database.gates[0].set()
    await settle()
    database.gates[1].set()
    assert [await task for task in (first, *others)] == ["A", "B", "C"]
    assert database.groups == [["a"], ["b", "c"]]


async def test_many_who_wait_are_written_beside_the_first_group_but_for_those_who_share() -> None:
    database = Database()
    committer = Committer(database.write, claims=claims, at_once=2)
    tasks = [asyncio.create_task(committer.submit("a1"))]
    await settle()
    waiting = ["a2", *(chr(0x4E00 + place) for place in range(40))]
    tasks += [asyncio.create_task(committer.submit(item)) for item in waiting]
    await settle()
    assert database.groups == [["a1"], waiting[1:]], "a2 waits for a1, nobody else does"
    database.gates[1].set()
    await settle()
    database.gates[0].set()
    await settle()
    assert database.groups[2] == ["a2"]
    database.gates[2].set()
    await asyncio.gather(*tasks)


@pytest.mark.parametrize(
    ("many", "groups"), [(20, [20]), (47, [47]), (48, [24, 24]), (80, [40, 40])]
)
async def test_the_first_of_two_groups_leaves_the_second_a_share_that_is_worth_one(
    many: int, groups: list[int]
) -> None:
    database = Database()
    committer = Committer(database.write, claims=claims, at_once=2)
    waiting = [chr(0x4E00 + place) for place in range(many)]
    tasks = [asyncio.create_task(committer.submit(item)) for item in waiting]
    await settle()
    assert list(map(len, database.groups)) == groups
    assert [item for group in database.groups for item in group] == waiting
    for gate in database.gates:
        gate.set()
    assert await asyncio.gather(*tasks) == [item.upper() for item in waiting]


async def test_who_was_held_back_goes_beside_the_share_that_was_taken() -> None:
    database = Database()
    committer = Committer(database.write, claims=claims, at_once=2)
    tasks = [asyncio.create_task(committer.submit(item)) for item in ("a", "b")]
    await settle()
    assert database.groups == [["a", "b"]]
    held = [f"{item}{place}" for item in "ab" for place in range(30)]
    tasks += [asyncio.create_task(committer.submit(item)) for item in held]
    await settle()
    assert len(database.groups) == 1, "all of them wait for the first group"
    database.gates[0].set()
    await settle()
    assert database.groups[1:] == [held[:30], held[30:]]
    for gate in database.gates:
        gate.set()
    await asyncio.gather(*tasks)


async def test_closing_waits_until_everybody_is_answered() -> None:
    database = Database()
    committer = Committer(database.write, claims=claims, at_once=2)
    task = asyncio.create_task(committer.submit("a"))
    await settle()
    closing = asyncio.create_task(committer.close())
    await settle()
    assert not closing.done()
    database.gates[0].set()
    await closing
    assert await task == "A"
