"""What the composition root hands to a service, and what the service hands back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fastapi import FastAPI

from shared.bus.port import Bus
from shared.http.keys import KeyStore
from shared.kernel.clock import Clock
from shared.kernel.errors import ConfigurationError
from shared.kernel.settings import CommonSettings
from shared.kernel.vault import Vault
from shared.worker import Supervisor

Profile = Literal["embedded", "distributed"]
Hook = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Platform:
    """The ground a service stands on; the same in both profiles but for what is behind it.

    `replica` is this process's stable name within its service, such as `workflow-1`.
    """

    profile: Profile
    settings: CommonSettings
    home: Path
    clock: Clock
    bus: Bus
    keys: KeyStore
    replica: str

    def vault(self, service: str) -> Vault:
        """Open the service's master key; raises ConfigurationError where none is set."""
        setting = f"REDRESS_{service.upper()}_MASTER_KEY"
        encoded = self.settings.master_key(service)
        if encoded is None:
            raise ConfigurationError(setting, "is missing; make one with `keys master`")
        return Vault.from_setting(setting, encoded)


@dataclass(slots=True)
class ServiceUnit:
    """One service, ready to run: its HTTP app, its background loops, what it opens and closes.

    `opening` runs before the loops start, `closing` after they have ended, in reverse order.
    """

    name: str
    app: FastAPI
    supervisor: Supervisor
    opening: Sequence[Hook] = field(default_factory=tuple)
    closing: Sequence[Hook] = field(default_factory=tuple)

    async def start(self) -> None:
        """Open what the service needs and start its loops."""
        for hook in self.opening:
            await hook()
        await self.supervisor.start()

    async def stop(self) -> None:
        """Drain the loops and close what was opened."""
        await self.supervisor.stop()
        for hook in reversed(self.closing):
            await hook()
