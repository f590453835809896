"""The processes beside this one that large work has started (`shared.kernel.beside`)."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import psutil

from shared.kernel import beside


def processes() -> list[psutil.Process]:
    """Return those that still run."""
    found = []
    for one in psutil.Process().children():
        # Other tests' children end meanwhile, or have ended and were not waited for.
        with suppress(psutil.Error):
            if beside.__name__ in " ".join(one.cmdline()):
                found.append(one)
    return found


async def started() -> psutil.Process:
    """Wait until there is one that has read its setup."""
    async with asyncio.timeout(30):
        while not (found := processes()):
            await asyncio.sleep(0.01)
        # It is ready once it sleeps in wait of an order and has taken the time to load.
        while found[0].cpu_times().user < 0.2 or found[0].status() != psutil.STATUS_SLEEPING:
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.1)
    return found[0]
