"""The file of facts on the disk, seen from outside: its copies, what is set aside, what is refused.

DuckDB is not needed for any of it, so a command can load this at no cost.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from shared.kernel.errors import ConfigurationError

_SETTING = "REDRESS_ANALYTICS_FILE"
_MAGIC, _MAGIC_AT = b"DUCK", 8
"""What a DuckDB file has at its beginning, after a checksum of eight bytes."""

_TIME = "%Y%m%dT%H%M%S"
_UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class Copy:
    """A store's file and its write-ahead log, as they were at one moment."""

    folder: Path
    taken_at: datetime

    def put_back(self, path: Path) -> None:
        """Copy it to where it came from; the copy stays. Raises OSError."""
        for each in sorted(self.folder.iterdir()):
            shutil.copyfile(each, path.with_name(each.name))

    def forget(self) -> None:
        """Delete it."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Copies:
    """The copies of one store's file, in a folder beside it: one, and two for a moment."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.folder = path.with_name(path.name + ".copies")

    def newest_first(self) -> list[Copy]:
        """Return the copies that are whole."""
        found = (_copy_in(folder) for folder in self.folder.glob("*"))
        return sorted(filter(None, found), key=lambda copy: copy.taken_at, reverse=True)

    def take(self, now: datetime) -> Copy:
        """Copy the file and forget the copies before; nobody may write to it meanwhile.

        What is copied is what a kill would leave behind, and DuckDB opens that. Raises OSError, and
        leaves the copies as they were then.
        """
        before = self.newest_first()
        unfinished = self.folder / _UNFINISHED
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        try:
            _copy_outside([each for each in _files_of(self._path) if each.exists()], unfinished)
            copy = Copy(self.folder / now.astimezone(UTC).strftime(_TIME), now)
            if copy.folder.exists():
                shutil.rmtree(copy.folder)
            unfinished.rename(copy.folder)
            _sync(self.folder)
        except OSError:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        for old in before:
            if old.folder != copy.folder:
                shutil.rmtree(old.folder, ignore_errors=True)
        return copy

    def forget(self) -> None:
        """Delete all copies."""
        shutil.rmtree(self.folder, ignore_errors=True)


def refuse_other_file(path: Path) -> None:
    """Raise ConfigurationError where a path that somebody set leads to a file of another kind.

    A damaged file of ours is set aside and made anew; that must not happen to somebody's letters.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_MAGIC_AT + len(_MAGIC))
    except FileNotFoundError:
        return
    except OSError as failure:
        raise ConfigurationError(_SETTING, f"{path}: {failure.strerror}") from None
    if head and head[_MAGIC_AT:] != _MAGIC:
        raise ConfigurationError(_SETTING, f"{path} is no DuckDB file; it is left as it is")


def set_aside(path: Path, now: datetime) -> Path:
    """Rename a file and its write-ahead log out of the way, keeping them for whoever asks why."""
    file, wal = _files_of(path)
    aside = path.with_name(f"{path.name}.set-aside-{now.strftime(_TIME)}")
    file.rename(aside)
    if wal.exists():
        wal.rename(aside.with_name(aside.name + ".wal"))
    return aside


def remove(path: Path) -> None:
    """Delete a store's file and its write-ahead log."""
    for each in _files_of(path):
        each.unlink(missing_ok=True)


def throw_away(path: Path) -> None:
    """Delete a store's file and all its copies: the next start reads the whole log."""
    Copies(path).forget()
    remove(path)


def _files_of(path: Path) -> tuple[Path, Path]:
    return path, path.with_name(path.name + ".wal")


def _copy_in(folder: Path) -> Copy | None:
    try:
        return Copy(folder, datetime.strptime(folder.name, _TIME).replace(tzinfo=UTC))
    except ValueError:
        return None


_COPY = """
import os, shutil, sys
*files, folder = sys.argv[1:]
try:
    for file in files:
        name = os.path.join(folder, os.path.basename(file))
        shutil.copyfile(file, name)
        with open(name, "rb+") as copied:
            os.fsync(copied.fileno())
except OSError as failure:
    sys.exit(str(failure))
"""


def _copy_outside(files: list[Path], folder: Path) -> None:
    """Copy files in a process of its own; raises OSError.

    A process that closes a file loses its locks on it, whoever in it took them: by copying here
    DuckDB's would go, and another process could write to the same file.
    """
    command = [sys.executable, "-I", "-S", "-c", _COPY, *map(str, files), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own program)
    if done.returncode:
        raise OSError(done.stderr.strip() or f"copying ended with {done.returncode}")


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
