"""`dead-letters`: what could not be handled, in every service: list, show, retry, drop."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from services.commands.client import ApiKey, client_for
from services.composition import SERVICES
from shared.kernel.settings import CommonSettings, load

app = typer.Typer(help="Events that could not be handled.", no_args_is_help=True)
Service = Annotated[str, typer.Argument(help="intake, workflow, notification or analytics.")]
Letter = Annotated[str, typer.Argument(help="The id from `dead-letters list`.")]


@app.command("list")
def list_letters(api_key: ApiKey = None) -> None:
    """List what is parked or dead in every service."""
    table = Table("service", "id", "complaint", "event", "reason", "since")
    for service in SERVICES:
        for letter in _call("GET", service, "", api_key)["items"]:
            table.add_row(
                service,
                str(letter["id"]),
                letter["complaint_id"] or "",
                letter["type"] or "",
                letter["reason"],
                letter["created_at"],
            )
    Console().print(table)


@app.command()
def show(service: Service, letter: Letter, api_key: ApiKey = None) -> None:
    """Show one with its headers and data."""
    Console().print_json(data=_call("GET", service, f"/{letter}", api_key))


@app.command()
def retry(service: Service, letter: Letter, api_key: ApiKey = None) -> None:
    """Handle it again, and everything of its complaint that waits behind it, in order."""
    Console().print_json(data=_call("POST", service, f"/{letter}/retry", api_key))


@app.command()
def drop(service: Service, letter: Letter, api_key: ApiKey = None) -> None:
    """Give it up for good; what waits behind it is handled."""
    Console().print_json(data=_call("POST", service, f"/{letter}/drop", api_key))


def _call(method: str, service: str, path: str, api_key: str | None) -> Any:
    if service not in SERVICES:
        raise typer.BadParameter(f"{service!r} is none of {', '.join(SERVICES)}")
    url = load(CommonSettings).service_url(service)
    with client_for(url, api_key) as client:
        answer = client.request(method, f"/v1/internal/{service}/dead-letters{path}")
        return answer.json() if answer.content else {}
