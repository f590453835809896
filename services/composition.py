"""What both profiles share: platform, bus, schema, and the life of a unit."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from types import FrameType, ModuleType

import uvicorn

from services import footprint
from shared.db.database import Database
from shared.db.migrate import Standing, lines_of, standing_of, upgrader
from shared.http.auth import ensure_may_listen
from shared.http.ending import ENDING
from shared.kernel import logging
from shared.kernel.errors import ConfigurationError
from shared.kernel.settings import CommonSettings
from shared.service import Platform, ServiceUnit

log = logging.get(__name__)


def build_unit(process: str, platform: Platform) -> ServiceUnit:
    """Build one service of `PROCESSES`; only its own package is imported."""
    module = _module_of(process)
    build = module.build_relay if process.endswith("-relay") else module.build
    unit: ServiceUnit = build(platform)
    return unit


def load_code(processes: Sequence[str]) -> None:
    """Import what `build_unit` needs: most of a start, and work for a thread of its own."""
    for process in processes:
        _module_of(process)
    footprint.loaded()


def _module_of(process: str) -> ModuleType:
    return import_module(f"services.{process.partition('-')[0]}_service.app")


async def bring_up_to_date(settings: CommonSettings, services: Sequence[str]) -> None:
    """Upgrade the databases that are behind; raises ConfigurationError or MigrationFailed."""
    async with upgrading(settings, services) as upgrade:
        await upgrade()


@asynccontextmanager
async def upgrading(
    settings: CommonSettings, services: Sequence[str]
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Make ready to upgrade the databases that are behind, which what is yielded does.

    It raises ConfigurationError or MigrationFailed. Where it is not called, databases stay as they
    were: what else may be wrong can be found out first, and at little cost, for what upgrades is
    loaded meanwhile. In empty ones there is nothing to be lost, and they are made at once.
    """
    standings = dict(zip(services, await _standings(settings, services), strict=True))
    behind = {
        service: settings.database_url(service)
        for service, standing in standings.items()
        if standing is not Standing.CURRENT
    }
    if not behind:
        yield _nothing
        return
    async with upgrader() as begun:

        async def upgrade() -> None:
            log.info("schema.upgrading", services=list(behind))
            await begun.upgrade(behind)

        if Standing.BEHIND in standings.values():
            yield upgrade
            return
        making = asyncio.create_task(upgrade())
        try:
            yield lambda: making
        finally:
            await asyncio.gather(making, return_exceptions=True)


async def _nothing() -> None:
    """Leave databases as they are: they are up to date."""


async def _standings(settings: CommonSettings, services: Sequence[str]) -> list[Standing]:
    return await asyncio.gather(*(_standing_of(settings, service) for service in services))


async def require_up_to_date(settings: CommonSettings, services: Sequence[str]) -> None:
    """Raise ConfigurationError where a database is behind: replicas never upgrade by themselves."""
    for service in services:
        if await _standing_of(settings, service) is not Standing.CURRENT:
            raise ConfigurationError(
                database_setting(service),
                "is behind this program: run the command `migrate`",
            )


async def _standing_of(settings: CommonSettings, service: str) -> Standing:
    setting = database_setting(service)
    database = Database.open(settings.database_url(service), setting=setting)
    try:
        return await standing_of(database, lines_of(service))
    finally:
        await database.close()


def database_setting(service: str) -> str:
    """Return the name of the setting that holds a service's database."""
    return f"REDRESS_{service.upper()}_DATABASE_URL"


@asynccontextmanager
async def running(units: Sequence[ServiceUnit]) -> AsyncIterator[None]:
    """Run units: started in order, stopped in reverse, also where one fails to start or stop."""
    async with AsyncExitStack() as stack:
        for unit in units:
            stack.push_async_callback(unit.stop)
            await unit.start()
        yield


def listen(settings: CommonSettings, platform: Platform) -> socket.socket:
    """Bind the address; raises ConfigurationError where it is taken or open without a key."""
    ensure_may_listen(settings.host, platform.keys)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.port))
        # Listening here and not in uvicorn: a connection that comes during the start waits.
        bound.listen(2048)
    except OSError as failure:
        bound.close()
        raise ConfigurationError(
            "REDRESS_PORT", f"cannot listen on {settings.host}:{settings.port}: {failure.strerror}"
        ) from None
    return bound


async def serve_http(app: object, bound: socket.socket, *, alone: bool = False) -> None:
    """Answer HTTP until SIGINT or SIGTERM; requests under way are finished first.

    `alone`: no other service shares the process.
    """
    footprint.settle(alone=alone)
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # any ASGI callable
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=10,
        server_header=False,
    )
    try:
        await _Server(config).serve(sockets=[bound])
    finally:
        footprint.unsettle()


class _Server(uvicorn.Server):
    """Has answers that wait for events come at once when the process is told to end."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take note of a signal."""
        ENDING.begin()
        super().handle_exit(sig, frame)
