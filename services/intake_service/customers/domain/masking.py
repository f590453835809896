"""Contact details as they are shown to those who may not see them in full."""

from __future__ import annotations


def mask_name(name: str | None) -> str | None:
    """Keep the first character: 王芳 becomes 王*."""
    return name[0] + "*" * min(len(name) - 1, 3) if name else None


def mask_phone(phone: str | None) -> str | None:
    """Keep the first three and the last four digits: `138****8000`.

    The country code of a Chinese mobile number is left out, as people there write them.
    """
    if not phone:
        return None
    digits = phone.removeprefix("+86") if len(phone) == 14 else phone
    if len(digits) < 8:
        return "*" * len(digits)
    return f"{digits[:3]}****{digits[-4:]}"


def mask_email(email: str | None) -> str | None:
    """Keep the first letter and the domain: `w***@example.com`."""
    if not email:
        return None
    local, _, domain = email.partition("@")
    return f"{local[:1]}***@{domain}"


def mask_reference(reference: str | None) -> str | None:
    """Keep the last two characters of a CRM reference."""
    if not reference:
        return None
    return "***" + reference[-2:] if len(reference) > 2 else "***"
