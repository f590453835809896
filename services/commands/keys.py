"""`keys`: API keys for machines and people, and master keys for settings."""

from __future__ import annotations

from typing import Annotated

import typer

from services.commands.showing import show_table
from shared.http.access import Role
from shared.http.keys import KeyStore
from shared.kernel.settings import CommonSettings, load
from shared.kernel.vault import new_master_key

app = typer.Typer(help="API keys: make, list, revoke.", no_args_is_help=True)


@app.command()
def create(
    role: Annotated[Role, typer.Option(help="What the key may do.")],
    name: Annotated[str, typer.Option(help="Whose key it is.")] = "",
) -> None:
    """Make a key and print it once; from then on every caller needs one."""
    secret = _store().create(role=role, name=name or role.value)
    typer.echo(secret)


@app.command("list")
def list_keys() -> None:
    """List the keys without their secrets."""
    rows = (
        (key.id, key.name, key.role, f"{key.created_at:%Y-%m-%d %H:%M}Z") for key in _store().list()
    )
    show_table(("id", "name", "role", "made at"), rows)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The key's id, from `keys list`.")]) -> None:
    """Revoke a key; running services notice within a second."""
    _store().revoke(key_id)
    typer.echo(f"Revoked {key_id}.")


@app.command()
def master() -> None:
    """Print a fresh master key for REDRESS_INTAKE_MASTER_KEY and its like."""
    typer.echo(new_master_key())


def _store() -> KeyStore:
    settings = load(CommonSettings)
    return KeyStore(settings.keys_path)
