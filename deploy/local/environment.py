"""`deploy/local.env`: the settings of the processes that `make up` starts.

Addresses are written anew each time; secrets are made once and kept, and so is every line that a
developer added, such as `REDRESS_SMTP_URL`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from deploy.local.layout import HOME, PORTS, UP, WITH_ADDRESS, WITH_DATABASE
from deploy.local.postgres import PostgresServer, ensure_database
from shared.kernel.vault import new_master_key

_HEADER = "# Made by `make up`. Lines of your own are kept; addresses are written anew.\n"


def read_env(path: Path) -> dict[str, str]:
    """Return the settings in a file of `NAME=value` lines; empty where there is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def write_env(path: Path, settings: Mapping[str, str]) -> None:
    """Write settings so that only their owner can read them."""
    draft = path.with_suffix(".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(_HEADER + "".join(f"{name}={settings[name]}\n" for name in sorted(settings)))
    draft.replace(path)


def settings_for(
    kept: Mapping[str, str], *, postgres: PostgresServer, kafka: str
) -> dict[str, str]:
    """Return all settings, making each service's database, role and master key where missing."""
    settings = dict(kept)
    for service in WITH_DATABASE:
        prefix = f"REDRESS_{service.upper()}"
        password = _password(kept.get(f"{prefix}_DATABASE_URL")) or secrets.token_urlsafe(24)
        settings[f"{prefix}_DATABASE_URL"] = ensure_database(
            postgres, f"redress_{service}", role=f"redress_{service}", password=password
        )
        settings.setdefault(f"{prefix}_MASTER_KEY", new_master_key())
    for service in WITH_ADDRESS:
        settings[f"REDRESS_{service.upper()}_URL"] = f"http://127.0.0.1:{PORTS[service]}"
    settings["REDRESS_KAFKA_BOOTSTRAP"] = kafka
    settings.setdefault("REDRESS_HOME", str(HOME))
    # Without a gateway in front each link leads to the service that answers it. One address for all
    # would be a promise that it answers everything; it was written here until 2026-11-30.
    for name, former in (("PUBLIC", "INTAKE"), ("STAFF", "WORKFLOW")):
        if settings.get(f"REDRESS_{name}_URL") == settings[f"REDRESS_{former}_URL"]:
            del settings[f"REDRESS_{name}_URL"]
    return settings


def of_process(name: str, replica: int) -> dict[str, str]:
    """Return what differs between processes: port, number, and an analytics file for each."""
    settings = {
        "REDRESS_PORT": str(port_of(name, replica)),
        "REDRESS_REPLICA": str(replica),
    }
    if name == "analytics":
        file = "analytics" if replica == 1 else f"analytics-{replica}"
        settings["REDRESS_ANALYTICS_FILE"] = str(UP / f"{file}.duckdb")
    return settings


def port_of(name: str, replica: int) -> int:
    """Return the port of the n-th process of one kind."""
    return PORTS[name] + 100 * (replica - 1)


def _password(url: str | None) -> str | None:
    if url is None:
        return None
    return url.partition("://")[2].partition("@")[0].partition(":")[2] or None
