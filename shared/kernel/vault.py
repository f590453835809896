"""Encryption at rest: data keys wrapped by a master key, and keyed blind indexes.

AES-256-GCM from `cryptography` with a random 96-bit nonce in front of each ciphertext.
Destroying a wrapped data key makes everything under it unreadable for ever (erasure).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.kernel.errors import ConfigurationError, RedressError

KEY_BYTES = 32
_NONCE_BYTES = 12


class Undecryptable(RedressError):
    """A ciphertext that this key did not make, or that was altered."""

    code = "undecryptable"
    title = "Stored data cannot be decrypted"


@dataclass(frozen=True, slots=True)
class DataKey:
    """One subject's key in the clear, with the form in which it may be stored."""

    cipher: AESGCM
    wrapped: bytes

    def encrypt(self, plaintext: str, *, context: str) -> bytes:
        """Encrypt text; `context` must be given again to decrypt (it binds field and row)."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self.cipher.encrypt(nonce, plaintext.encode(), context.encode())

    def decrypt(self, ciphertext: bytes, *, context: str) -> str:
        """Return the text; raises Undecryptable where key, context or bytes are not the same."""
        nonce, body = ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:]
        try:
            return self.cipher.decrypt(nonce, body, context.encode()).decode()
        except InvalidTag:
            raise Undecryptable(f"the data under {context} does not open with its key") from None


class Vault:
    """The master key of one service: wraps data keys and makes blind indexes."""

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY_BYTES:
            raise ValueError(f"a master key has {KEY_BYTES} bytes")
        self._wrapping = AESGCM(_derive(master, b"wrap"))
        self._index_key = _derive(master, b"blind-index")

    @classmethod
    def from_setting(cls, setting: str, encoded: str) -> Self:
        """Read a base64 master key; raises ConfigurationError naming `setting`."""
        try:
            return cls(base64.b64decode(encoded, validate=True))
        except (binascii.Error, ValueError):
            raise ConfigurationError(setting, f"must be base64 of {KEY_BYTES} bytes") from None

    def new_data_key(self) -> DataKey:
        """Make a fresh key for one subject."""
        key = os.urandom(KEY_BYTES)
        nonce = os.urandom(_NONCE_BYTES)
        return DataKey(AESGCM(key), nonce + self._wrapping.encrypt(nonce, key, None))

    def open_data_key(self, wrapped: bytes) -> DataKey:
        """Unwrap a stored key; raises Undecryptable under another master key."""
        try:
            key = self._wrapping.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], None)
        except InvalidTag:
            raise Undecryptable("the data key was wrapped by another master key") from None
        return DataKey(AESGCM(key), wrapped)

    def blind_index(self, kind: str, value: str) -> bytes:
        """Return 16 keyed bytes by which an encrypted value can be found again."""
        message = f"{kind}\0{value}".encode()
        return hmac.digest(self._index_key, message, hashlib.sha256)[:16]


def new_master_key() -> str:
    """Return a new master key in the form of the setting (base64)."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def _derive(master: bytes, purpose: bytes) -> bytes:
    return hmac.digest(master, purpose, hashlib.sha256)
