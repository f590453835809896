"""The four services and intake's relay as processes on PostgreSQL and Kafka."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.local.environment import of_process, port_of, read_env, settings_for, write_env
from deploy.local.layout import LOCAL_ENV, PORTS, REPOSITORY, UP
from deploy.local.processes import (
    CannotStart,
    is_running,
    last_line,
    launch,
    read_pid,
    stop,
)
from deploy.local.stores import start_stores

_READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the distributed profile, running or not."""

    name: str
    replica: int

    @property
    def title(self) -> str:
        """`workflow`, `workflow-2`: the name of its log and pid file."""
        return self.name if self.replica == 1 else f"{self.name}-{self.replica}"

    @property
    def pid_file(self) -> Path:
        return UP / f"{self.title}.pid"

    @property
    def log(self) -> Path:
        return UP / f"{self.title}.log"

    @property
    def url(self) -> str:
        """Its address on this machine."""
        return f"http://127.0.0.1:{port_of(self.name, self.replica)}"

    @property
    def runs(self) -> bool:
        """Whether the process that its pid file names lives."""
        return is_running(read_pid(self.pid_file), "services", "serve", self.name)


def up() -> list[Process]:
    """Start what is missing, wait until all are ready, return all; raises CannotStart."""
    UP.mkdir(parents=True, exist_ok=True)
    processes = list(_wanted())
    postgres, kafka = start_stores()
    settings = settings_for(read_env(LOCAL_ENV), postgres=postgres, kafka=kafka.bootstrap)
    write_env(LOCAL_ENV, settings)
    missing = [process for process in processes if not process.runs]
    if missing:
        _migrate(settings)
    for process in missing:
        _spawn(process, settings)
    for process in processes:
        _wait_ready(process)
    return processes


def down() -> list[str]:
    """Stop every process that `up` started and return their names."""
    stopped = []
    running = [process for process in _started() if process.runs]
    for process in running:
        pid = read_pid(process.pid_file)
        if pid is not None:
            stop(pid)
            stopped.append(process.title)
    for process in _started():
        process.pid_file.unlink(missing_ok=True)
    return stopped


def _wanted() -> Iterator[Process]:
    for name in PORTS:
        for replica in range(1, _replicas(name) + 1):
            yield Process(name, replica)


def _started() -> list[Process]:
    found = []
    for path in sorted(UP.glob("*.pid")):
        name, _, number = path.stem.rpartition("-")
        if number.isdecimal():
            found.append(Process(name, int(number)))
        else:
            found.append(Process(path.stem, 1))
    return found


def _replicas(name: str) -> int:
    setting = f"REDRESS_REPLICAS_{name.upper().replace('-', '_')}"
    text = os.environ.get(setting, "1")
    if not text.isdecimal() or not 1 <= int(text) <= 9:
        raise CannotStart(f"{setting} is {text!r}: a number from 1 to 9 is wanted")
    return int(text)


def _migrate(settings: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "services", "migrate"]
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=_environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    (UP / "migrate.log").write_text(done.stdout + done.stderr)
    if done.returncode:
        raise CannotStart(f"migrate failed: {last_line(UP / 'migrate.log')}")


def _spawn(process: Process, settings: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "services", "serve", process.name]
    own = of_process(process.name, process.replica)
    started = launch(command, log=process.log, env=_environment(settings) | own, folder=REPOSITORY)
    process.pid_file.write_text(f"{started.pid}\n")


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the file's settings with this shell's on top: what is typed counts."""
    return dict(settings) | dict(os.environ)


def _wait_ready(process: Process) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    said = "it does not answer"
    while time.monotonic() < deadline:
        if not process.runs:
            raise CannotStart(f"{process.title} does not start: {last_line(process.log)}")
        try:
            answer = httpx.get(f"{process.url}/health/ready", timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        if answer.is_success:
            return
        said = answer.text.replace("\n", " ")
        time.sleep(0.1)
    raise CannotStart(f"{process.title} is not ready ({process.log}): {said[:300]}")
