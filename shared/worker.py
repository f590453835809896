"""Supervised background tasks: start, restart with backoff, drain, stop."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

from prometheus_client import Counter

from shared.kernel import logging
from shared.kernel.errors import RedressError

log = logging.get(__name__)

_RESTARTS = Counter("redress_worker_restarts_total", "Background loops that failed", ["worker"])
_LONGEST_BACKOFF_SECONDS = 30.0
_STEADY_SECONDS = 1.0
"""How long a loop that failed must run before it counts as well again."""

Loop = Callable[[asyncio.Event], Awaitable[None]]


class Supervisor:
    """Runs loops until it is stopped. A loop is handed an event that is set when it shall end.

    A loop that raises is logged and started again after a growing, jittered pause; a loop that
    returns has done its work. `failing` tells readiness which loops are down at the moment, or fail
    as soon as they are started.
    """

    def __init__(self) -> None:
        self._loops: list[tuple[str, Loop]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._failing: dict[str, str] = {}

    def add(self, name: str, loop: Loop) -> None:
        """Register a loop; call before `start`."""
        self._loops.append((name, loop))

    @property
    def failing(self) -> dict[str, str]:
        """The loops that failed and do not run steadily yet, with the reason."""
        return dict(self._failing)

    async def start(self) -> None:
        """Start every loop."""
        self._stopping.clear()
        for name, loop in self._loops:
            self._tasks.append(asyncio.create_task(self._keep_running(name, loop), name=name))

    async def stop(self, *, grace_seconds: float = 10.0) -> None:
        """Ask every loop to end, and cancel those that have not after `grace_seconds`."""
        self._stopping.set()
        if self._tasks:
            _done, late = await asyncio.wait(self._tasks, timeout=grace_seconds)
            for task in late:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        self._tasks.clear()

    async def _keep_running(self, name: str, loop: Loop) -> None:
        pause = 0.1
        while not self._stopping.is_set():
            began = asyncio.get_running_loop().time()
            steady = asyncio.get_running_loop().call_later(
                _STEADY_SECONDS, self._failing.pop, name, None
            )
            try:
                await loop(self._stopping)
                self._failing.pop(name, None)
                return
            except (Exception, asyncio.CancelledError) as failure:  # the outermost edge of a worker
                if _is_being_cancelled():
                    raise
                if asyncio.get_running_loop().time() - began > _LONGEST_BACKOFF_SECONDS:
                    pause = 0.1
                self._failing[name] = f"{type(failure).__name__}: {failure}"
                _RESTARTS.labels(name).inc()
                _say_failed(failure, worker=name, pause_seconds=round(pause, 2))
            finally:
                steady.cancel()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause * _jitter())
            pause = min(pause * 2, _LONGEST_BACKOFF_SECONDS)


def _say_failed(failure: BaseException, *, worker: str, pause_seconds: float) -> None:
    """Log a failure: one of ours by its reason, for it says what is wrong; others with a traceback.

    A part that is away for an hour fails its loops a thousand times, ten kilobytes each.
    """
    if isinstance(failure, RedressError):
        reason = f"{type(failure).__name__}: {failure.detail}"
        log.error("worker.failed", worker=worker, pause_seconds=pause_seconds, reason=reason)
    else:
        log.error("worker.failed", worker=worker, pause_seconds=pause_seconds, exc_info=failure)


def _is_being_cancelled() -> bool:
    """Tell our own end from the cancellation of something that the loop waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _jitter() -> float:
    return random.uniform(0.5, 1.0)  # noqa: S311 - spreads restarts, hides nothing
