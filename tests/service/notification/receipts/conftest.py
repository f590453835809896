"""The desk of receipts: its paths over the parts that a test drives by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.service.notification.conftest import Notification
from tests.service.notification.receipts.desk import Desk


@pytest.fixture
async def desk(notification: Notification, tmp_path: Path) -> AsyncIterator[Desk]:
    """What a test of receipts speaks to."""
    found = Desk.set_up(notification, tmp_path)
    yield found
    await found.http.aclose()
