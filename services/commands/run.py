"""`run`, `serve` and `migrate`: what starts Redress and prepares its databases."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from services import PROCESSES
from shared.kernel import logging
from shared.kernel.settings import CommonSettings, load


def run() -> None:
    """Run everything in one process, on SQLite and DuckDB, with data in REDRESS_HOME."""
    settings = _settings()
    from services.embedded import run_embedded

    _run(run_embedded(settings))


def serve(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(PROCESSES)}.")],
) -> None:
    """Run one service, on PostgreSQL and Kafka."""
    if service not in PROCESSES:
        raise typer.BadParameter(f"{service!r} is none of {', '.join(PROCESSES)}")
    settings = _settings()
    from services.distributed import serve as serve_process

    _run(serve_process(service, settings))


def migrate() -> None:
    """Bring every database up to date and make Kafka's topics; safe to run again."""
    settings = _settings()
    from services.commands.at_rest import refuse_beside_distributed
    from services.migration import migrate_all

    refuse_beside_distributed(settings)
    asyncio.run(migrate_all(settings))
    typer.echo("Databases and topics are up to date.")


def _settings() -> CommonSettings:
    settings = load(CommonSettings)
    logging.configure(level=settings.log_level, form=settings.log_format)
    return settings


def _run(main: object) -> None:
    import uvloop

    uvloop.run(main)  # type: ignore[arg-type]  # a coroutine; uvloop.run has no narrower type
