"""What a command may open by itself where no product answers it."""

from __future__ import annotations

import os
from pathlib import Path

from services.commands.client import answers_at
from shared.kernel.errors import ConfigurationError, NotFound
from shared.kernel.settings import CommonSettings


def refuse_beside_distributed(settings: CommonSettings) -> None:
    """Raise ConfigurationError where `make up` runs in this home and its settings are not read.

    The command would answer about another, empty installation, and make it. Where an embedded
    product runs in the same home as well, that one is meant.
    """
    home = settings.home.absolute()
    environment = home.parent / "deploy" / "local.env"
    if settings.kafka_bootstrap is not None or not environment.is_file():
        return
    if any(_serves(path) for path in (home / "up").glob("*.pid")):
        if answers_at(settings.service_url("intake")):
            return
        file = os.path.relpath(environment)
        raise ConfigurationError(
            "REDRESS_KAFKA_BOOTSTRAP",
            f"is not set, and `make up` runs here; first: set -a; . {file}; set +a",
        )


def log_at_rest(settings: CommonSettings) -> Path:
    """Return the embedded product's log; raises NotFound where none was ever started.

    Who only reads makes no home, databases or keys.
    """
    path = settings.home / "log.db"
    if not path.exists():
        raise NotFound(f"there is no log at {path}: start the product, or set REDRESS_HOME")
    return path


def _serves(pid_file: Path) -> bool:
    """Tell whether the process of a pid file lives and is one of ours: ids are used again."""
    try:
        pid = int(pid_file.read_text().split(maxsplit=1)[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        return False
    return b"services" in command and b"serve\0" in command
