"""Processes that outlive the command which starts them: started, recognised again, stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

_POLL_SECONDS = 0.05
_NOBODY = 65534

# Children of this process, kept so that one that has ended can be told from one that runs.
_children: dict[int, subprocess.Popen[bytes]] = {}


class CannotStart(Exception):
    """Something cannot be had or does not come up; the message is one line for a person."""


def launch(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, both its outputs appended to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=folder,
            start_new_session=True,
        )
    _children[process.pid] = process
    return process


def bound_to_parent(signal_name: str) -> list[str]:
    """Return a command prefix that ends a process with its starter, even a killed one.

    Empty where `setpriv` (util-linux) is not at hand: then only an orderly end stops it.
    """
    program = shutil.which("setpriv")
    return [program, "--pdeathsig", signal_name] if program else []


def without_root() -> list[str]:
    """Return a command prefix that runs a program as nobody, where this process is root.

    It keeps the right to pass folders that only root may enter (a clone under /root, a CI folder
    made by mktemp), which the alternative, changing the modes of other people's folders, would not.
    """
    if os.geteuid() != 0:
        return []
    program = shutil.which("setpriv")
    if program is None:
        raise CannotStart("PostgreSQL does not run as root: install util-linux (setpriv)")
    return [
        program,
        f"--reuid={_NOBODY}",
        f"--regid={_NOBODY}",
        "--clear-groups",
        "--inh-caps=-all,+dac_override",
        "--ambient-caps=-all,+dac_override",
    ]


def give_to_nobody(folder: Path) -> None:
    """Make nobody the owner of `folder`, where this process is root and runs servers as nobody."""
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)


def read_pid(path: Path) -> int | None:
    """Return the process id in the first line of a file, if there is one."""
    try:
        return int(path.read_text().split(maxsplit=1)[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None


def is_running(pid: int | None, *words: str) -> bool:
    """Tell whether the process lives and its command line holds all `words`.

    Ids are used again by the system: the words tell our process from a stranger.
    """
    if pid is None:
        return False
    try:
        process = psutil.Process(pid)
        command = " ".join(process.cmdline())
        return process.status() != psutil.STATUS_ZOMBIE and all(word in command for word in words)
    except psutil.Error:
        return False


def stop(pid: int, *, with_signal: signal.Signals = signal.SIGTERM, seconds: float = 20.0) -> None:
    """End a process and wait for it; killed when it has not ended after `seconds`."""
    for attempt in (with_signal, signal.SIGKILL):
        try:
            os.kill(pid, attempt)
        except ProcessLookupError:
            return
        if wait_until(lambda: not _exists(pid), seconds=seconds):
            return
    raise CannotStart(f"process {pid} cannot be stopped")


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Poll until the condition holds or the time is over; tell whether it held."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def last_line(log: Path) -> str:
    """Return the last line of a log that says something, for an error message."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except FileNotFoundError:
        lines = []
    return lines[-1] if lines else "it said nothing"


def _exists(pid: int) -> bool:
    child = _children.get(pid)
    # Asking a child for its exit status is what ends it for good.
    return child.poll() is None if child is not None else is_running(pid)
