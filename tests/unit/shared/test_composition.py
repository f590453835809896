"""The life of several services in one process."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from services.composition import running
from shared.service import ServiceUnit
from shared.worker import Supervisor


async def test_a_unit_that_cannot_stop_leaves_no_other_running() -> None:
    stopped: list[str] = []

    def unit(name: str, *, breaks: bool = False) -> ServiceUnit:
        async def close() -> None:
            stopped.append(name)
            if breaks:
                raise OSError("disk")

        return ServiceUnit(name, FastAPI(), Supervisor(), closing=[close])

    with pytest.raises(OSError, match="disk"):
        async with running([unit("a"), unit("b", breaks=True), unit("c")]):
            pass

    assert stopped == ["c", "b", "a"]
