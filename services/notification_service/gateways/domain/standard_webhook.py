"""Sign and check requests as Standard Webhooks does: HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timedelta

_PREFIX = "whsec_"
_TOLERANCE = timedelta(minutes=5)
_LEAST_BYTES, _MOST_BYTES = 24, 64


def read_secret(text: str) -> bytes:
    """Read `whsec_<base64 of 24 to 64 bytes>`; raises ValueError."""
    try:
        secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        secret = b""
    if not _LEAST_BYTES <= len(secret) <= _MOST_BYTES:
        raise ValueError("must be whsec_ and the base64 of 24 to 64 bytes")
    return secret


def signature_of(secret: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """Return `v1,<base64>`, the value of the header `webhook-signature`."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def is_signed(secret: bytes, headers: tuple[str, str, str], body: bytes, *, now: datetime) -> bool:
    """Tell whether `headers` (id, timestamp, signatures) fit the body and are of these minutes."""
    message_id, timestamp, signatures = headers
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if abs(now.timestamp() - int(timestamp)) > _TOLERANCE.total_seconds():
        return False
    expected = signature_of(secret, message_id, timestamp, body).encode()
    return any(hmac.compare_digest(expected, given.encode()) for given in signatures.split(" "))
