"""A process beside this one that works out what needs no database while this one stores.

Started for large work only, and for as long as that lasts: it takes orders on its standard input
and ends with it, so it outlives nobody, not even a parent that was killed. It holds no file and no
connection; what it had in hand when it dies is worked out here instead (ADR 7).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import pickle
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from shared.kernel import logging

log = logging.get(__name__)

S = TypeVar("S")
O_contra = TypeVar("O_contra", contravariant=True)
A_co = TypeVar("A_co", covariant=True)

_LENGTH = struct.Struct(">Q")
_BUFFER_BYTES = 4 << 20
_COLLECT_AFTER = 100_000


class Lost(Exception):
    """The process beside is gone."""


class Beside(Generic[O_contra, A_co]):
    """One process beside: begun when first asked for, given up for good when lost.

    `make` is a function of a module, called there with `setup`; what it returns answers the orders,
    in turn. Setup, orders and answers are pickled, and go through pipes: arguments and environment
    of a process can be read by others. `name` is what its loss is logged under.
    """

    def __init__(
        self, make: Callable[[S], Callable[[O_contra], A_co]], setup: S, *, name: str
    ) -> None:
        self._begin_with = (make, setup)
        self._name = name
        self.is_given_up = False
        """Whether it was lost or closed: there will be no answers any more."""
        self._starting: asyncio.Task[None] | None = None
        self._process: _Process | None = None

    def is_ready(self) -> bool:
        """Tell whether the process takes orders; the first to ask has it started."""
        if self._starting is None and not self.is_given_up:
            self._starting = asyncio.create_task(self._start())
        return self._process is not None

    async def answer(self, order: O_contra) -> A_co | None:
        """Have an order answered; None where there is no process to do it."""
        if self._process is None:
            return None
        try:
            answer: A_co = await self._process.ask(order)
        except Lost as why:
            # Once, of all who wait; and it is no loss where it was ended.
            if not self.is_given_up:
                self._say_lost(why)
                await self.close()
            return None
        return answer

    async def close(self) -> None:
        """End the process, whatever it is doing; there will be no other."""
        self.is_given_up = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        process, self._process = self._process, None
        if process is not None:
            await process.close()

    async def _start(self) -> None:
        try:
            self._process = await _Process.start(self._begin_with)
        except Lost as why:
            self.is_given_up = True
            self._say_lost(why)

    def _say_lost(self, why: Lost) -> None:
        log.warning(
            "beside.process_lost", of=self._name, reason=str(why), detail="it goes on without it"
        )


class _Process:
    """The process as its starter sees it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    @classmethod
    async def start(cls, begin_with: object) -> _Process:
        """Start the process and wait until it takes orders; raises Lost where it does not."""
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", f"from {__name__} import serve; serve()"),
                stdin=PIPE,
                stdout=PIPE,
                limit=_BUFFER_BYTES,
                # A Ctrl-C in the terminal is for the product: it ends this process by the pipe.
                start_new_session=True,
            )
        except OSError as failure:
            raise Lost(f"it cannot be started: {failure}") from failure
        beside = cls(process)
        try:
            await beside.ask(begin_with)
        except BaseException:
            await beside.close()
            raise
        return beside

    async def close(self) -> None:
        """End the process, whatever it is doing; an order that it had raises Lost."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        async with self._turn:
            await self._process.communicate()

    async def ask(self, question: object) -> Any:
        """Have a question answered; raises Lost where the process dies over it."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        async with self._turn:
            try:
                stdin.write(_framed(question))
                await stdin.drain()
                (length,) = _LENGTH.unpack(await stdout.readexactly(_LENGTH.size))
                return pickle.loads(await stdout.readexactly(length))  # noqa: S301 - our own child
            except (OSError, EOFError, RuntimeError) as failure:
                # RuntimeError is what uvloop says of a pipe that is closed.
                raise Lost(f"it ended: {failure}") from failure
            except asyncio.CancelledError:
                # Its answer would be taken for the next question's.
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                raise


def _framed(what: object) -> bytes:
    pickled = pickle.dumps(what, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(pickled)) + pickled


def serve() -> None:
    """Answer orders until their pipe is closed. Whatever fails ends the process, with its trace."""
    # What is loaded stays; an order's objects live until its answer, and hang in no circles.
    gc.disable()
    make, setup = _next_order()
    answer = make(setup)
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    gc.enable()
    _say(None)
    while (order := _next_order()) is not None:
        _say(answer(order))


def _next_order() -> Any:
    """Read what is asked next; None where whoever asked is gone."""
    head = sys.stdin.buffer.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    asked = sys.stdin.buffer.read(length)
    return pickle.loads(asked) if len(asked) == length else None  # noqa: S301 - from our starter


def _say(what: object) -> None:
    try:
        sys.stdout.buffer.write(_framed(what))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Nobody reads any more. Without this Python would try to flush once more, and complain.
        os._exit(0)
