"""What counts as a conflict of a group, after which each of it goes alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from services.intake_service.complaints.repository import bulk
from services.intake_service.customers.models import customers


@pytest.mark.parametrize("failure", [asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError])
async def test_a_group_that_meets_another_process_goes_alone(
    failure: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Driver:
        async def execute(self, *_: object) -> None:
            raise failure("another was there")

    @asynccontextmanager
    async def driver(_: object) -> AsyncIterator[Driver]:
        yield Driver()

    monkeypatch.setattr(bulk, "driver", driver)
    connection: Any = SimpleNamespace(dialect=SimpleNamespace(name="postgresql"))

    with pytest.raises(bulk.GroupConflict):
        await bulk.write_rows(connection, [(bulk.Shape(customers, ("id",)), [("c",)])])
