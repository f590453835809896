"""Addresses as they may be shown: enough to recognise one's own, too little to use."""

from __future__ import annotations

_LONGEST_DOMAIN = 100
"""Domains may have 253 characters, the columns that keep masked addresses 128."""


def masked(address: str) -> str:
    """Return `138****8000` for a phone, `w***@example.com` for an e-mail address.

    Of a very long domain only the end is shown.
    """
    local, at, domain = address.rpartition("@")
    if at:
        is_long = len(domain) > _LONGEST_DOMAIN
        shown = f"…{domain[-_LONGEST_DOMAIN:]}" if is_long else domain
        return f"{local[:1]}***@{shown}"
    compact = "".join(character for character in address if character.isdigit() or character == "+")
    national = compact.removeprefix("+86")
    kept = 3 if len(national) >= 9 else 0
    return f"{national[:kept]}****{national[-4:]}" if len(national) > 4 else "****"
