"""The file of API keys: hashes only, beside the services' own credential and the cookie key.

The same file serves every process (`REDRESS_KEYS_FILE`). It is replaced as a whole under a lock,
and read again when it has changed, looked at once a second at most.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from shared.http.access import Role
from shared.kernel import logging
from shared.kernel.clock import Clock, SystemClock
from shared.kernel.errors import ConfigurationError, NotFound

log = logging.get(__name__)

SETTING = "REDRESS_KEYS_FILE"
_LOOK_AGAIN_SECONDS = 1.0
_SECRET_BYTES = 32


class UnknownKey(NotFound):
    """No key in the keys file has this id."""

    code = "unknown-key"
    title = "There is no such key"


class ApiKey(BaseModel):
    """A key without its secret: only the secret's SHA-256 is kept.

    A plain hash will do: the secret is 256 random bits, which no dictionary holds.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    role: Role
    created_at: AwareDatetime
    sha256: str


class _File(BaseModel):
    model_config = ConfigDict(frozen=True)

    service_credential: str
    signing_key: str
    keys: tuple[ApiKey, ...] = ()
    ever_made: bool = False


@dataclass(frozen=True, slots=True)
class _Loaded:
    file: _File
    by_hash: dict[str, ApiKey]
    stamp: tuple[int, int, int]


class KeyStore:
    """Keys by their secret's hash. The file is made at first use, readable by its owner only."""

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        self._path = path
        self._clock = clock or SystemClock()
        self._loaded: _Loaded | None = None
        self._look_after = 0.0
        self._refused: tuple[int, int, int] | None = None

    @property
    def has_keys(self) -> bool:
        """Tell whether a key was ever made; from then on everybody needs one.

        Revoking the last key does not open the door again.
        """
        return self._current().file.ever_made

    @property
    def service_credential(self) -> str:
        """The secret with which services call each other."""
        return self._current().file.service_credential

    @property
    def signing_key(self) -> bytes:
        """The key that signs sessions and form tokens."""
        return bytes.fromhex(self._current().file.signing_key)

    def find(self, secret: str) -> ApiKey | None:
        """Return the key of a secret, None for an unknown one."""
        return self._current().by_hash.get(_digest(secret))

    def get(self, key_id: str) -> ApiKey | None:
        """Return a key by its id, None where it was revoked or never was."""
        return next((key for key in self._current().file.keys if key.id == key_id), None)

    def list(self) -> list[ApiKey]:
        """Return every key, oldest first."""
        return list(self._current().file.keys)

    def create(self, *, role: Role, name: str) -> str:
        """Make a key and return its secret, which nothing can tell again."""
        secret = "rk_" + secrets.token_urlsafe(_SECRET_BYTES)
        key = ApiKey(
            id="k_" + secrets.token_hex(4),
            name=name,
            role=role,
            created_at=self._clock.now(),
            sha256=_digest(secret),
        )
        self._change(
            lambda file: file.model_copy(update={"keys": (*file.keys, key), "ever_made": True})
        )
        return secret

    def revoke(self, key_id: str) -> None:
        """Take a key away; raises UnknownKey."""

        def without(file: _File) -> _File:
            kept = tuple(key for key in file.keys if key.id != key_id)
            if len(kept) == len(file.keys):
                raise UnknownKey(f"there is no key {key_id}; `keys list` shows them")
            return file.model_copy(update={"keys": kept})

        self._change(without)

    def verify(self) -> None:
        """Raise ConfigurationError where there is a file and it is none of keys.

        A folder that cannot be looked into is another fault, which whoever makes it names.
        """
        is_there = False
        with contextlib.suppress(OSError):
            is_there = self._path.is_file()
        if is_there:
            self._read()

    def _current(self) -> _Loaded:
        now = time.monotonic()
        if self._loaded is not None and now < self._look_after:
            return self._loaded
        self._look_after = now + _LOOK_AGAIN_SECONDS
        stamp = self._stamp()
        if stamp is None:
            if self._loaded is not None:
                # Gone for a moment, or for good: a new file would open the door to everybody.
                return self._loaded
            self._change(lambda file: file)
        elif self._loaded is None:
            self._loaded = self._read()
        elif stamp != self._loaded.stamp:
            self._loaded = self._read_again(self._loaded, stamp)
        assert self._loaded is not None
        return self._loaded

    def _read_again(self, known: _Loaded, stamp: tuple[int, int, int]) -> _Loaded:
        """Return what the file says now; where it is none of keys, what is known goes on."""
        try:
            return self._read()
        except ConfigurationError as wrong:
            # Whoever writes it by hand may be half done. Once for each state, not each second.
            if stamp != self._refused:
                self._refused = stamp
                log.error("keys.refused", reason=str(wrong), detail="the keys known before hold on")
            return known

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as failure:
            raise ConfigurationError(SETTING, f"{self._path}: {failure.strerror}") from None
        # The inode too: two replacements can share one tick of the modification time.
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _read(self) -> _Loaded:
        stamp = self._stamp()
        try:
            file = _File.model_validate_json(self._path.read_bytes())
        except OSError as failure:
            raise ConfigurationError(SETTING, f"{self._path}: {failure.strerror}") from None
        except ValidationError:
            raise ConfigurationError(SETTING, f"{self._path} is no keys file") from None
        return _Loaded(file, {key.sha256: key for key in file.keys}, stamp or (0, 0, 0))

    def _change(self, change: Callable[[_File], _File]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with _locked(self._path.with_name(self._path.name + ".lock")):
                file = self._read().file if self._path.exists() else _new_file()
                _replace(self._path, change(file))
                self._loaded = self._read()
        except OSError as failure:
            raise ConfigurationError(SETTING, f"{self._path}: {failure.strerror}") from None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _new_file() -> _File:
    return _File(
        service_credential="rs_" + secrets.token_urlsafe(_SECRET_BYTES),
        signing_key=secrets.token_hex(_SECRET_BYTES),
    )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(path: Path, file: _File) -> None:
    draft = path.with_name(path.name + ".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(file.model_dump_json(indent=2))
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)
