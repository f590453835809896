"""`dead-letters`: what could not be handled, in every service: list, show, retry, drop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import quote

import typer

from services import SERVICES
from services.commands.asking import Ask, asking
from services.commands.client import ApiKey
from services.commands.showing import show_document, show_table

app = typer.Typer(help="Events that could not be handled.", no_args_is_help=True)
Service = Annotated[str, typer.Argument(help="intake, workflow, notification or analytics.")]
Letter = Annotated[str, typer.Argument(help="The id from `dead-letters list`.")]


@app.command("list")
def list_letters(api_key: ApiKey = None) -> None:
    """List what is parked or dead in every service."""
    with asking(api_key) as ask:
        rows = [
            (
                service,
                str(letter["id"]),
                letter["complaint_id"] or "",
                letter["type"] or "",
                letter["reason"],
                letter["created_at"],
            )
            for service in SERVICES
            for letter in _all(ask, service)
        ]
    if not rows:
        typer.echo("Nothing is parked or dead.")
        return
    show_table(("service", "id", "complaint", "event", "reason", "since"), rows)


@app.command()
def show(service: Service, letter: Letter, api_key: ApiKey = None) -> None:
    """Show one with its headers and data."""
    _print("GET", service, quote(letter, safe=""), api_key)


@app.command()
def retry(service: Service, letter: Letter, api_key: ApiKey = None) -> None:
    """Handle it again, and everything of its complaint that waits behind it, in order."""
    _print("POST", service, f"{quote(letter, safe='')}/retry", api_key)


@app.command()
def drop(service: Service, letter: Letter, api_key: ApiKey = None) -> None:
    """Give it up for good; what waits behind it is handled."""
    _print("POST", service, f"{quote(letter, safe='')}/drop", api_key)


def _print(method: str, service: str, rest: str, api_key: str | None) -> None:
    if service not in SERVICES:
        raise typer.BadParameter(f"{service!r} is none of {', '.join(SERVICES)}")
    with asking(api_key) as ask:
        show_document(ask(method, service, f"{_path(service)}/{rest}"))


def _all(ask: Ask, service: str) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        page = ask("GET", service, f"{_path(service)}?limit=200{cursor}")
        yield from page["items"]
        if page["next_cursor"] is None:
            return
        cursor = f"&cursor={quote(page['next_cursor'])}"


def _path(service: str) -> str:
    return f"/v1/internal/{service}/dead-letters"
