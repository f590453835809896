"""The home folder of the embedded profile: its lock and the master keys made at first start."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from shared.kernel.errors import ConfigurationError, RedressError
from shared.kernel.settings import CommonSettings
from shared.kernel.vault import new_master_key

_LOCK_WAIT_SECONDS = 5.0
_HOLDERS_OF_KEYS = ("intake", "workflow", "notification")


class HomeInUse(RedressError):
    """Another Redress process works in this home."""

    code = "home-in-use"
    title = "The home is in use"


@contextmanager
def locked(home: Path, *, wait_seconds: float = _LOCK_WAIT_SECONDS) -> Iterator[None]:
    """Hold the home's lock; raises HomeInUse when it is not free within `wait_seconds`.

    The kernel lets go of it when the process ends, however it ends.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        handle = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as failure:
        raise ConfigurationError("REDRESS_HOME", f"{home}: {failure.strerror}") from None
    try:
        deadline = time.monotonic() + wait_seconds
        while not _try_lock(handle):
            if time.monotonic() >= deadline:
                holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
                raise HomeInUse(f"{home} is in use by process {holder}")
            time.sleep(0.05)
        _name_holder(handle)
        yield
    finally:
        os.close(handle)


def with_master_keys(settings: CommonSettings) -> CommonSettings:
    """Return the settings with a master key for every service that has none.

    Keys are made once and kept in `master-keys.json` in the home, readable by its owner only.
    """
    missing = [name for name in _HOLDERS_OF_KEYS if settings.master_key(name) is None]
    if not missing:
        return settings
    path = settings.home / "master-keys.json"
    try:
        kept = _read_keys(path)
        _refuse_lost_keys(settings, [name for name in missing if name not in kept])
        fresh = {name: new_master_key() for name in missing if name not in kept}
        if fresh:
            _write_keys(path, kept | fresh)
    except OSError as failure:
        raise ConfigurationError("REDRESS_HOME", f"{path}: {failure.strerror}") from None
    found = kept | fresh
    return settings.model_copy(update={f"{name}_master_key": found[name] for name in missing})


def _refuse_lost_keys(settings: CommonSettings, names: list[str]) -> None:
    """Stop where a new key would stand beside an old database and open nothing in it."""
    for name in names:
        if (settings.home / f"{name}.db").exists():
            raise ConfigurationError(
                f"REDRESS_{name.upper()}_MASTER_KEY",
                f"{settings.home / 'master-keys.json'} has no key for {name}.db, which was made "
                "with one: put the file back or set the key",
            )


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _name_holder(handle: int) -> None:
    # Only for the message to others: the lock holds also where a full disk takes no name.
    with contextlib.suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, b"%d\n" % os.getpid(), 0)


def _read_keys(path: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except orjson.JSONDecodeError:
        raise ConfigurationError(
            "REDRESS_HOME", f"{path} is damaged; without its keys stored data cannot be read"
        ) from None
    return found


def _write_keys(path: Path, keys: dict[str, str]) -> None:
    draft = path.with_suffix(".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(orjson.dumps(keys, option=orjson.OPT_INDENT_2))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
