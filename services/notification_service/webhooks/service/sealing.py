"""Answers that hold a secret, sealed where they are stored for a repeated request."""

from __future__ import annotations

from shared.kernel.vault import Vault

_LENGTH_BYTES = 2


class AnswerSeal:
    """Encrypts each answer under a key of its own."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def close(self, body: bytes, context: str) -> bytes:
        """Encrypt an answer's body."""
        key = self._vault.new_data_key()
        length = len(key.wrapped).to_bytes(_LENGTH_BYTES, "big")
        return length + key.wrapped + key.encrypt(body.decode(), context=context)

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt what `close` made; raises Undecryptable."""
        end = _LENGTH_BYTES + int.from_bytes(sealed[:_LENGTH_BYTES], "big")
        key = self._vault.open_data_key(sealed[_LENGTH_BYTES:end])
        return key.decrypt(sealed[end:], context=context).encode()
