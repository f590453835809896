"""The CRM of `docs/crm-client`, as its readers run it: programs of their own."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.ports import free_port
from tests.harness.product import eventually

FOLDER = Path(__file__).parents[2] / "docs" / "crm-client"


@dataclass
class Crm:
    """A CRM with its store; `listen` and `down` turn its webhook receiver on and off."""

    store: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it takes webhooks."""
        return f"http://127.0.0.1:{self.port}/redress"

    def listen(self, secret: str) -> None:
        """Take webhooks."""
        with self.store.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command("webhook_client.py", "--port", str(self.port)),
                env=os.environ | {"REDRESS_WEBHOOK_SECRET": secret},
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith(b"listening on ")

    def down(self) -> None:
        """Take none any more, from one moment to the next."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the other clients to its end."""
        return subprocess.run(
            self._command(program, *arguments),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def events(self) -> list[dict[str, Any]]:
        """Return the events that it stored, in the order of their arrival."""
        rows = self._rows("SELECT event FROM seen ORDER BY place")
        return [json.loads(row[0]) for row in rows]

    def states(self) -> dict[str, str]:
        """Return the state of each complaint that it knows."""
        return dict(self._rows("SELECT complaint_id, state FROM complaints"))

    def eventually_knows(self, count: int, *, seconds: float = 60) -> None:
        """Wait until so many events are stored."""
        what = f"{count} events at the CRM"
        eventually(lambda: len(self.events()) >= count, seconds=seconds, what=what)

    def _rows(self, sql: str) -> list[Any]:
        if not self.store.exists():
            return []
        with closing(sqlite3.connect(self.store, timeout=30)) as db:
            return db.execute(sql).fetchall()

    def _command(self, program: str, *arguments: str) -> list[str]:
        return [sys.executable, str(FOLDER / program), *arguments, "--store", str(self.store)]
