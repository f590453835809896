"""What `doctor` says of an installation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import orjson
import pytest

from deploy.local.ports import free_port
from services.commands.doctor import doctor
from shared.db.database import Database
from shared.kernel.clock import SystemClock
from shared.messaging.tables import outbox

Parts = dict[str, dict[str, str | None]]
OK = {"state": "ok", "detail": None}


@contextmanager
def service(parts: Parts) -> Iterator[str]:
    """Answer as a service whose parts do so; yields its address."""
    ready = all(part["state"] != "failing" for part in parts.values())
    body = orjson.dumps({"ready": ready, "parts": parts})

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if ready and self.path == "/health/ready" else 503)
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Say nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Run `doctor`; returns its lines by what they are about."""
    with pytest.raises(SystemExit):
        doctor()
    lines = capsys.readouterr().out.splitlines()
    return {line[6:].partition(": ")[0]: line for line in lines}


@pytest.fixture
def _distributed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRESS_HOME", str(tmp_path / "a" / "home"))
    monkeypatch.setenv("REDRESS_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")


@pytest.mark.usefixtures("_distributed")
def test_every_service_that_has_an_address_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = f"http://127.0.0.1:{free_port()}"
    late: Parts = {"database": OK, "log": {"state": "failing", "detail": "no broker"}}
    waits: Parts = {"database": OK, "log": {"state": "waiting", "detail": "no broker"}}

    with service({"database": OK}) as well, service(late) as ill, service(waits) as waiting:
        for name, url in {
            "intake": waiting,
            "workflow": ill,
            "notification": well,
            "analytics": silent,
        }.items():
            monkeypatch.setenv(f"REDRESS_{name.upper()}_URL", url)
        lines = said(capsys)

    assert lines["intake"] == f"ok    intake: ready at {waiting}; waiting: log: no broker"
    assert lines["workflow"] == f"MEND  workflow: {ill} is not ready: log: no broker"
    assert lines["notification"] == f"ok    notification: ready at {well}"
    assert lines["analytics"].startswith(f"MEND  analytics: nothing answers at {silent}")
    assert "product" not in lines


@pytest.mark.usefixtures("_distributed")
def test_events_that_nobody_brings_to_the_log_are_told_of(
    migrated_postgres_url: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = migrated_postgres_url("intake")
    monkeypatch.setenv("REDRESS_INTAKE_DATABASE_URL", url)

    asyncio.run(emitted_ago(url, seconds=1))
    fresh = said(capsys)["intake database"]
    asyncio.run(emitted_ago(url, seconds=75, instead=True))
    old = said(capsys)["intake database"]

    assert fresh == "ok    intake database: postgresql, up to date"
    assert old.startswith("MEND  intake database: events have waited 7")
    assert "intake-relay" in old


async def emitted_ago(url: str, *, seconds: float, instead: bool = False) -> None:
    """Leave an event in the outbox that no relay has published."""
    database = Database.open(url)
    row = {"topic": "t", "key": "k", "headers": "{}", "value": b"{}"}
    async with database.write() as connection:
        if instead:
            await connection.execute(outbox.delete())
        at = SystemClock().now() - timedelta(seconds=seconds)
        await connection.execute(outbox.insert().values(**row, created_at=at))
    await database.close()


@pytest.mark.usefixtures("_distributed")
def test_it_makes_nothing_where_there_is_no_home(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = said(capsys)

    assert lines["home"].startswith("ok")
    assert lines["disk"].startswith("ok")
    assert list(tmp_path.iterdir()) == []
