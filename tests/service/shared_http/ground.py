"""The ground on which apps are tried: settings, a clock that moves when told, a keys file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
from fastapi import APIRouter, FastAPI

from shared.http.app import create_app
from shared.http.health import Health
from shared.http.keys import KeyStore
from shared.kernel.clock import ManualClock
from shared.kernel.settings import CommonSettings

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
BASE_URL = "http://127.0.0.1:8000"


@dataclass
class TestGround:
    """What `create_app` needs of a platform."""

    __test__ = False

    home: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))

    def __post_init__(self) -> None:
        self.settings = CommonSettings(home=self.home)
        self.keys = KeyStore(self.home / "keys.json", clock=self.clock)

    def app(self, *routers: APIRouter, health: Health | None = None) -> FastAPI:
        """Build an app with these routers."""
        return create_app(
            self, name="test", title="Test", routers=routers, health=health or Health()
        )


def client_of(app: FastAPI, headers: Sequence[tuple[str, str]] = ()) -> httpx.AsyncClient:
    """Return a client that calls an app in this process."""
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=list(headers))
