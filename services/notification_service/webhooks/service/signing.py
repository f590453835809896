"""Signing keys: made, sealed at rest, rotated, and used as Standard Webhooks says."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter
from standardwebhooks import Webhook as Signer

from shared.kernel.vault import Vault

_KEY_BYTES = 32
_MOST_KEYS = 5


class SigningKey(BaseModel):
    """One key; `until` is when one that was replaced ends."""

    model_config = ConfigDict(frozen=True)

    secret: str
    until: AwareDatetime | None = None


_KEYS = TypeAdapter(tuple[SigningKey, ...])


def new_secret() -> str:
    """Return a new key as `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def rotated(
    keys: Sequence[SigningKey], secret: str, *, now: datetime, until: datetime
) -> tuple[SigningKey, ...]:
    """Put a new key first; those before it go on signing until then, or until they end anyway."""
    before = [SigningKey(secret=one.secret, until=min(one.until or until, until)) for one in keys]
    return (SigningKey(secret=secret), *valid(before, now))[:_MOST_KEYS]


def valid(keys: Sequence[SigningKey], now: datetime) -> tuple[SigningKey, ...]:
    """Return the keys that sign now."""
    return tuple(one for one in keys if one.until is None or one.until > now)


def seal(vault: Vault, wrapped_key: bytes, webhook_id: str, keys: Sequence[SigningKey]) -> bytes:
    """Encrypt keys for storing."""
    text = _KEYS.dump_json(tuple(keys)).decode()
    return vault.open_data_key(wrapped_key).encrypt(text, context=f"webhook:{webhook_id}")


def unseal(
    vault: Vault, wrapped_key: bytes, webhook_id: str, sealed: bytes
) -> tuple[SigningKey, ...]:
    """Decrypt keys; raises Undecryptable."""
    key = vault.open_data_key(wrapped_key)
    return _KEYS.validate_json(key.decrypt(sealed, context=f"webhook:{webhook_id}"))


def headers(
    keys: Sequence[SigningKey], *, message_id: str, at: datetime, body: bytes
) -> dict[str, str]:
    """Return the three headers; each key that is valid signs."""
    text = body.decode()
    signatures = [Signer(one.secret).sign(message_id, at, text) for one in valid(keys, at)]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
