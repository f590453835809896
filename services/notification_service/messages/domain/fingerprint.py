"""The fingerprint of a message's words: it proves what was said without saying it."""

from __future__ import annotations

import hashlib


def fingerprint(text: str, subject: str | None = None) -> str:
    """Return the SHA-256 of the text as it was handed over, in hex.

    An e-mail's subject stands before it with an empty line between; its HTML says the same again.
    """
    words = text if subject is None else f"{subject}\n\n{text}"
    return hashlib.sha256(words.encode()).hexdigest()
