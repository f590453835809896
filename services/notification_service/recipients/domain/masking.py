"""Addresses as they may be shown: enough to recognise one's own, too little to use."""

from __future__ import annotations


def masked(address: str) -> str:
    """Return `138****8000` for a phone, `w***@example.com` for an e-mail address."""
    local, at, domain = address.rpartition("@")
    if at:
        return f"{local[:1]}***@{domain}"
    compact = "".join(character for character in address if character.isdigit() or character == "+")
    national = compact.removeprefix("+86")
    kept = 3 if len(national) >= 9 else 0
    return f"{national[:kept]}****{national[-4:]}" if len(national) > 4 else "****"
