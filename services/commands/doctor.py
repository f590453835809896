"""`doctor`: looks at settings, home, databases, log and services, and says what to mend."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

import httpx
import typer

from services import SERVICES, WITH_DATABASE
from services.commands.at_rest import refuse_beside_distributed
from shared.kernel.clock import SystemClock
from shared.kernel.errors import ConfigurationError, RedressError
from shared.kernel.settings import CommonSettings, load

if TYPE_CHECKING:
    from shared.db.database import Database

_LEAST_FREE_BYTES = 1 << 30
_LONGEST_IN_OUTBOX_SECONDS = 30.0
"""As the alert RelayStalls: what is done and not told, nobody acts on."""
_PATIENCE_SECONDS = 5.0
"""More than a part is waited for by who is asked for its readiness."""

_RELAYS = {"intake": "intake-relay"}
"""The processes that publish what a service says, where it is not the service's own."""

Check = Callable[[CommonSettings], Coroutine[None, None, str]]


class Unwell(RedressError):
    """A check found something to mend."""


def doctor() -> None:
    """Check this installation; exits with 1 where something is to be mended."""
    settings = load(CommonSettings)
    checks: list[tuple[str, Check]] = [("settings", _settings), ("home", _home), ("disk", _disk)]
    checks += [(f"{name} database", _database(name)) for name in WITH_DATABASE]
    checks += [("log", _log), *_products(settings)]
    well = True
    for name, check in checks:
        try:
            typer.echo(f"ok    {name}: {asyncio.run(check(settings))}")
        except RedressError as failure:
            well = False
            typer.echo(f"MEND  {name}: {failure.detail}")
    if not well:
        sys.exit(1)


async def _settings(settings: CommonSettings) -> str:
    from services.configuration import check_settings, names_unknown

    try:
        check_settings(SERVICES)
        refuse_beside_distributed(settings)
    except ConfigurationError as wrong:
        raise Unwell(str(wrong)) from None
    unknown = names_unknown(os.environ)
    return f"right; not ours: {', '.join(unknown)}" if unknown else "right"


async def _home(settings: CommonSettings) -> str:
    if not settings.home.exists():
        return f"{settings.home} will be made at the first start"
    probe = settings.home / ".doctor"
    try:
        probe.touch()
        probe.unlink()
    except OSError as failure:
        raise Unwell(f"{settings.home} cannot be written: {failure.strerror}") from None
    return f"{settings.home.absolute()} can be written"


async def _disk(settings: CommonSettings) -> str:
    home = settings.home.absolute()
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if free < _LEAST_FREE_BYTES:
        raise Unwell(f"only {free >> 20} MiB are free")
    return f"{free >> 30} GiB are free"


def _database(service: str) -> Check:
    async def check(settings: CommonSettings) -> str:
        url = settings.database_url(service)
        if url.startswith("sqlite") and not (settings.home / f"{service}.db").exists():
            return "will be made at the first start"
        # Here and not on top: every command of this program would wait half a second for it.
        from services.composition import database_setting
        from shared.db.database import Database
        from shared.db.migrate import is_current, lines_of

        database = Database.open(url, setting=database_setting(service))
        try:
            if not await is_current(database, lines_of(service)):
                raise Unwell("is behind this program: run `python -m services migrate`")
            if settings.kafka_bootstrap is not None:
                await _look_into_outbox(service, database)
        finally:
            await database.close()
        return f"{database.dialect}, up to date"

    return check


async def _look_into_outbox(service: str, database: Database) -> None:
    """Raise Unwell where nobody publishes: of a relay that is gone no service tells."""
    from shared.messaging import oldest_unpublished

    since = await oldest_unpublished(database)
    waits = 0.0 if since is None else (SystemClock().now() - since).total_seconds()
    if waits > _LONGEST_IN_OUTBOX_SECONDS:
        raise Unwell(
            f"events have waited {waits:.0f} s for the log: where Kafka answers, "
            f"see whether {_RELAYS.get(service, service)} runs, and its log"
        )


async def _log(settings: CommonSettings) -> str:
    if settings.kafka_bootstrap is None:
        return "embedded (REDRESS_KAFKA_BOOTSTRAP is not set)"
    from shared.bus.kafka import KafkaBus

    bus = KafkaBus(settings.kafka_bootstrap)
    await bus.start()
    await bus.stop()
    return f"Kafka answers at {settings.kafka_bootstrap}"


def _products(settings: CommonSettings) -> list[tuple[str, Check]]:
    """Return what asks the product: in the distributed profile each service that has an address."""
    if settings.kafka_bootstrap is None:
        return [("product", _product)]
    addresses = {name: getattr(settings, f"{name}_url") for name in SERVICES}
    return [(name, _service(url)) for name, url in addresses.items() if url is not None]


async def _product(settings: CommonSettings) -> str:
    try:
        return await _readiness(settings.own_url)
    except httpx.TransportError:
        return f"nothing answers at {settings.own_url}"


def _service(url: str) -> Check:
    async def check(_settings: CommonSettings) -> str:
        try:
            return await _readiness(url.rstrip("/"))
        except httpx.TransportError as failure:
            reason = str(failure) or type(failure).__name__
            raise Unwell(f"nothing answers at {url}: {reason}") from None

    return check


async def _readiness(url: str) -> str:
    """Ask for readiness; raises Unwell with what is said against it, or TransportError."""
    async with httpx.AsyncClient(timeout=_PATIENCE_SECONDS) as client:
        answer = await client.get(f"{url}/health/ready")
    if answer.status_code != 200:
        raise Unwell(f"{url} is not ready: {_parts(answer, 'failing') or answer.text[:300]}")
    waiting = _parts(answer, "waiting")
    return f"ready at {url}; waiting: {waiting}" if waiting else f"ready at {url}"


def _parts(answer: httpx.Response, state: str) -> str:
    """Return the parts in a state with their reasons, nothing where it is no readiness."""
    try:
        parts: dict[str, dict[str, str]] = answer.json()["parts"]
        found = {name: part["detail"] for name, part in parts.items() if part["state"] == state}
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
    return "; ".join(f"{name}: {detail}" for name, detail in found.items())
