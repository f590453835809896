"""The world of webhooks on each dialect, and one receiver."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.db.database import Database
from tests.harness.databases import MakeMigratedUrl
from tests.service.notification.webhooks.kit import Receiver, World


@pytest.fixture
async def world(migrated_url: MakeMigratedUrl) -> AsyncIterator[World]:
    database = Database.open(migrated_url("notification"))
    opened = World(database)
    await opened.bus.ensure_topics()
    yield opened
    await opened.close()
    await database.close()


@pytest.fixture
async def crm() -> AsyncIterator[Receiver]:
    async with Receiver().listening() as receiver:
        yield receiver
