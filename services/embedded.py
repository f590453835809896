"""All four services in one process: SQLite, DuckDB, and a durable log in SQLite.

The services are the same as in the distributed profile and speak the same way: through outbox,
log and HTTP over loopback. Nothing calls across them in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from services import SERVICES, WITH_DATABASE, footprint
from services.composition import (
    build_unit,
    listen,
    load_code,
    running,
    serve_http,
    upgrading,
)
from services.configuration import check_settings
from services.home import locked, with_master_keys
from shared.bus.local_log import LocalLog
from shared.http.keys import KeyStore
from shared.http.route_table import service_of
from shared.kernel import logging
from shared.kernel.clock import SystemClock
from shared.kernel.errors import ConfigurationError
from shared.kernel.settings import CommonSettings
from shared.service import Platform
from shared.web.site import build_site

log = logging.get(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Front:
    """Hands each request to the service that owns its path, and the rest to the site.

    A dispatcher and not `mount`: two apps mounted at "" shadow each other, and a mounted app's
    paths lose their prefix.
    """

    def __init__(self, apps: Mapping[str, FastAPI], site: FastAPI) -> None:
        self._apps = dict(apps)
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app = self._apps.get(service_of(scope["path"]), self._site)
        await app(scope, receive, send)


async def run_embedded(settings: CommonSettings) -> None:
    """Run the product until it is told to stop; raises ConfigurationError or HomeInUse."""
    footprint.share_the_heap()
    check_settings(SERVICES)
    _refuse_kafka(settings)
    with locked(settings.home):
        platform = make_platform(with_master_keys(settings))
        bound = listen(settings, platform)
        async with assembled(platform) as front:
            _say_ready(platform)
            await serve_http(front, bound)


def _refuse_kafka(settings: CommonSettings) -> None:
    """Raise ConfigurationError where the other profile's settings are read.

    On its databases this one would bring what waits in their outboxes to a log of its own, where
    none of the services that it is for would ever find it.
    """
    if settings.kafka_bootstrap is not None:
        raise ConfigurationError(
            "REDRESS_KAFKA_BOOTSTRAP",
            "is set, and `run` has a log of its own: unset it, or start each service by `serve`",
        )


@asynccontextmanager
async def at_rest(settings: CommonSettings) -> AsyncIterator[Front]:
    """Open the product without listening, for a command that finds none running.

    Raises ConfigurationError, or HomeInUse where one runs after all.
    """
    check_settings(SERVICES)
    with locked(settings.home, wait_seconds=0):
        async with assembled(make_platform(with_master_keys(settings))) as front:
            yield front


@asynccontextmanager
async def assembled(platform: Platform) -> AsyncIterator[Front]:
    """Run all four services over one log; the caller holds the home's lock."""
    async with upgrading(platform.settings, WITH_DATABASE) as upgrade:
        await asyncio.to_thread(load_code, SERVICES)
        # Built first: a file that a setting names wrongly leaves the databases as they were.
        units = [build_unit(name, platform) for name in SERVICES]
        await upgrade()
    await platform.bus.start()
    try:
        await platform.bus.ensure_topics()
        front = Front({unit.name: unit.app for unit in units}, build_site(platform, units))
        async with running(units):
            yield front
    finally:
        await platform.bus.stop()


def make_platform(settings: CommonSettings) -> Platform:
    """Build the ground of the embedded profile."""
    return Platform(
        profile="embedded",
        settings=settings,
        home=settings.home,
        clock=SystemClock(),
        bus=LocalLog(settings.home / "log.db"),
        keys=KeyStore(settings.keys_path),
        replica="embedded-1",
    )


def _say_ready(platform: Platform) -> None:
    settings = platform.settings
    log.info("redress.ready", url=settings.base_url, home=str(settings.home.absolute()))
    if not platform.keys.has_keys:
        log.warning(
            "redress.open",
            detail="no API key exists: everybody on this machine is let in as admin; "
            "make one with `python -m services keys create --role admin`",
        )
