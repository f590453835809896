"""A process beside this one that makes rows ready while this one stores those before them.

Started for a large file only, and for as long as that file is read: it takes orders on its
standard input and ends with it, so it outlives nobody, not even a parent that was killed. It holds
no file and no connection; what it had in hand when it dies is made ready here instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import struct
import sys
from asyncio.subprocess import PIPE, Process
from typing import Any, Self

from services.intake_service.channels.service.preparing import Order, Ready, RowPreparer, Setup
from services.intake_service.customers.service import KeyRing
from shared.kernel.vault import Vault

_LENGTH = struct.Struct(">Q")
_BUFFER_BYTES = 4 << 20


class Lost(Exception):
    """The process beside is gone."""


class Beside:
    """The process as its starter sees it; it answers orders in turn."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    @classmethod
    async def start(cls, setup: Setup, *, master_key: str) -> Self:
        """Start the process and wait until it takes orders; raises Lost where it does not.

        Setup and key go through the pipe: arguments and environment can be read by others.
        """
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
            await beside._ask((setup, master_key))
        except BaseException:
            await beside.close()
            raise
        return beside

    async def prepare(self, order: Order) -> Ready:
        """Have rows made ready; raises Lost where the process dies over it."""
        ready: Ready = await self._ask(order)
        return ready

    async def close(self) -> None:
        """End the process, whatever it is doing; an order that it had raises Lost."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        async with self._turn:
            await self._process.communicate()

    async def _ask(self, question: object) -> Any:
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


def _framed(what: object) -> bytes:
    pickled = pickle.dumps(what, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(pickled)) + pickled


def serve() -> None:
    """Answer orders until their pipe is closed. Whatever fails ends the process, with its trace."""
    setup, master_key = _next_order()
    preparer = RowPreparer(setup, KeyRing(Vault.from_setting("the pipe", master_key)))
    _answer(None)
    while (order := _next_order()) is not None:
        _answer(preparer.prepare(order))


def _next_order() -> Any:
    """Read what is asked next; None where whoever asked is gone."""
    head = sys.stdin.buffer.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    asked = sys.stdin.buffer.read(length)
    return pickle.loads(asked) if len(asked) == length else None  # noqa: S301 - from our starter


def _answer(what: object) -> None:
    try:
        sys.stdout.buffer.write(_framed(what))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Nobody reads any more. Without this Python would try to flush once more, and complain.
        os._exit(0)
