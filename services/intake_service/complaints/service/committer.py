"""Group commit (architecture.md rule 11): who comes while a commit runs shares the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

I = TypeVar("I")  # noqa: E741 - item
R = TypeVar("R")

_LARGEST_GROUP = 200


class Committer(Generic[I, R]):
    """Gathers items and hands them to `write` in groups, one group after another.

    `write` returns one result or exception per item, in order; an exception that it raises goes
    to everyone of the group. An item is written even if its sender has gone meanwhile.
    """

    def __init__(self, write: Callable[[Sequence[I]], Awaitable[Sequence[R | Exception]]]) -> None:
        self._write = write
        self._waiting: deque[tuple[I, asyncio.Future[R]]] = deque()
        self._drainer: asyncio.Task[None] | None = None

    async def submit(self, item: I) -> R:
        """Return the item's result once its group is committed."""
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._drainer is None:
            self._drainer = asyncio.create_task(self._drain(), name="intake-committer")
        return await answer

    async def close(self) -> None:
        """Wait until everything submitted is answered."""
        while self._drainer is not None:
            await self._drainer

    async def _drain(self) -> None:
        try:
            while self._waiting:
                size = min(len(self._waiting), _LARGEST_GROUP)
                await self._commit([self._waiting.popleft() for _ in range(size)])
        finally:
            self._drainer = None

    async def _commit(self, group: Sequence[tuple[I, asyncio.Future[R]]]) -> None:
        results: Sequence[R | Exception]
        try:
            results = await self._write([item for item, _ in group])
        except Exception as failure:  # noqa: BLE001 - the edge of this worker: nobody may wait for ever
            results = [failure] * len(group)
        for (_, answer), result in zip(group, results, strict=True):
            if answer.done():
                continue
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
