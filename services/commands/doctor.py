"""`doctor`: looks at settings, home, databases, log and port, and says what to mend."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Coroutine

import httpx
import typer

from services import SERVICES, WITH_DATABASE
from shared.kernel.errors import ConfigurationError, RedressError
from shared.kernel.settings import CommonSettings, load

_LEAST_FREE_BYTES = 1 << 30

Check = Callable[[CommonSettings], Coroutine[None, None, str]]


class Unwell(RedressError):
    """A check found something to mend."""


def doctor() -> None:
    """Check this installation; exits with 1 where something is to be mended."""
    settings = load(CommonSettings)
    checks: list[tuple[str, Check]] = [("settings", _settings), ("home", _home), ("disk", _disk)]
    checks += [(f"{name} database", _database(name)) for name in WITH_DATABASE]
    checks += [("log", _log), ("product", _product)]
    well = True
    for name, check in checks:
        try:
            typer.echo(f"ok    {name}: {asyncio.run(check(settings))}")
        except RedressError as failure:
            well = False
            typer.echo(f"MEND  {name}: {failure.detail}")
    if not well:
        sys.exit(1)


async def _settings(_settings: CommonSettings) -> str:
    from services.configuration import check_settings, names_unknown

    try:
        check_settings(SERVICES)
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
    place = settings.home if settings.home.exists() else settings.home.absolute().parent
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
        finally:
            await database.close()
        return f"{database.dialect}, up to date"

    return check


async def _log(settings: CommonSettings) -> str:
    if settings.kafka_bootstrap is None:
        return "embedded (REDRESS_KAFKA_BOOTSTRAP is not set)"
    from shared.bus.kafka import KafkaBus

    bus = KafkaBus(settings.kafka_bootstrap)
    await bus.start()
    await bus.stop()
    return f"Kafka answers at {settings.kafka_bootstrap}"


async def _product(settings: CommonSettings) -> str:
    url = settings.own_url
    try:
        async with httpx.AsyncClient(timeout=3) as client:
            answer = await client.get(f"{url}/health/ready")
    except httpx.TransportError:
        return f"nothing answers at {url}"
    if answer.status_code != 200:
        raise Unwell(f"{url} is not ready: {answer.text}")
    return f"ready at {url}"
