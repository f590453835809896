"""Group commit (architecture.md rule 11): who comes while a commit runs shares the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Generic, TypeVar, cast

I = TypeVar("I")  # noqa: E741 - item
R = TypeVar("R")

_LARGEST_GROUP = 200
_WORTH_ANOTHER = 24
"""So many waiting are a group beside another: every group costs two round trips and a commit, and
smaller ones cost more than they gain."""


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[I, R]):
    item: I
    claims: frozenset[Hashable]
    answer: asyncio.Future[R]


class Committer(Generic[I, R]):
    """Gathers items and hands them to `write` in groups, at most `at_once` at the same time.

    With two, requests are read and rows are made while the database is busy with the other
    group. The first takes only its share of what waits: were it to take all, nothing would be left
    to do meanwhile. `claims` names what an item may share with others (keys, sources, people): an
    item waits while another group holds one of its claims, so that groups never race each other
    for a row. `write` returns one result or exception per item, in order; an exception that it
    raises goes to everyone of the group. An item is written even if its sender has gone meanwhile.
    """

    def __init__(
        self,
        write: Callable[[Sequence[I]], Awaitable[Sequence[R | Exception]]],
        *,
        claims: Callable[[I], frozenset[Hashable]],
        at_once: int = 1,
    ) -> None:
        self._write = write
        self._claims = claims
        self._at_once = at_once
        self._waiting: deque[_Waiting[I, R]] = deque()
        self._claimed: set[Hashable] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._writing = 0

    async def submit(self, item: I) -> R:
        """Return the item's result once its group is committed."""
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(item, self._claims(item), answer))
        self._begin_another()
        return await answer

    async def close(self) -> None:
        """Wait until everything submitted is answered."""
        while self._running:
            await asyncio.wait(self._running)

    def _begin_another(self) -> None:
        if self._may_begin(beside=len(self._running)):
            self._running.add(asyncio.create_task(self._drain(), name="intake-committer"))

    async def _drain(self) -> None:
        try:
            while self._may_begin(beside=len(self._running) - 1) and (group := self._next_group()):
                # For the share that it left.
                self._begin_another()
                await self._commit_claimed(group)
        finally:
            # Here and not in a callback: who comes next must see at once that nobody drains.
            self._running.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    def _may_begin(self, *, beside: int) -> bool:
        """Tell whether a group may begin beside so many; what must not is taken by one of those."""
        return beside == 0 or (beside < self._at_once and len(self._waiting) >= _WORTH_ANOTHER)

    async def _commit_claimed(self, group: Sequence[_Waiting[I, R]]) -> None:
        claims = frozenset[Hashable]().union(*(waiting.claims for waiting in group))
        self._claimed |= claims
        self._writing += 1
        try:
            await self._commit(group)
        finally:
            self._claimed -= claims
            self._writing -= 1

    def _next_group(self) -> list[_Waiting[I, R]]:
        """Take what waits and shares nothing with a group under way.

        What is held back is taken by the drainer that holds the claim, once it has written.
        """
        most = min(_LARGEST_GROUP, self._share())
        group: list[_Waiting[I, R]] = []
        held: list[_Waiting[I, R]] = []
        blocked = set(self._claimed)
        while self._waiting and len(group) < most:
            waiting = self._waiting.popleft()
            if blocked.isdisjoint(waiting.claims):
                group.append(waiting)
            else:
                # Whoever came later with one of its claims stays behind it.
                blocked |= waiting.claims
                held.append(waiting)
        self._waiting.extendleft(reversed(held))
        return group

    def _share(self) -> int:
        # Not by those that run: a second one may have been begun before the first took its group.
        free = self._at_once - self._writing
        share = ceil(len(self._waiting) / free)
        left = len(self._waiting) - share
        return share if left >= _WORTH_ANOTHER else len(self._waiting)

    async def _commit(self, group: Sequence[_Waiting[I, R]]) -> None:
        results: Sequence[R | Exception]
        try:
            results = await self._write([waiting.item for waiting in group])
        except Exception as failure:  # noqa: BLE001 - the edge of this worker: nobody may wait for ever
            results = [failure] * len(group)
        for waiting, result in zip(group, results, strict=True):
            if waiting.answer.done():
                continue
            if isinstance(result, Exception):
                waiting.answer.set_exception(result)
            else:
                waiting.answer.set_result(result)
