"""What the contract tests of gateways run against."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from services.notification_service.gateways import chat, wire
from tests.service.notification.gateways.badly_behaved import HttpServer, http_server


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with http_server() as found:
        yield found


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let adapters wait a moment only."""
    monkeypatch.setattr(wire, "TIMEOUT", httpx.Timeout(0.2))
    monkeypatch.setattr(wire, "LONGEST_SECONDS", 0.4)
    monkeypatch.setattr(chat, "LONGEST_SECONDS", 0.4)
