"""Identifiers: UUIDv7 strings, numbers that can be read over a phone, unguessable tokens."""

from __future__ import annotations

import secrets
from typing import NewType

import uuid_utils

ComplaintId = NewType("ComplaintId", str)
CustomerId = NewType("CustomerId", str)
ComplaintNumber = NewType("ComplaintNumber", str)

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
# Crockford: letters that are heard or read wrong stand for the digit they look like.
_VALUES |= {"O": 0, "I": 1, "L": 1}
_DIGITS = 8
_MODULUS = 37


def new_id() -> str:
    """Return a new UUIDv7 as its canonical string: ids of later rows sort after earlier ones."""
    return str(uuid_utils.uuid7())


def new_token() -> str:
    """Return an unguessable URL-safe token of 192 bits."""
    return secrets.token_urlsafe(24)


def new_number() -> ComplaintNumber:
    """Return a random complaint number such as `7K3F-9Q2M-X`.

    Eight Crockford base-32 characters and a check character modulo 37. Crockford's five
    extra check symbols cannot be read over a phone, so a number that would need one is
    drawn again.
    """
    while True:
        value = secrets.randbits(5 * _DIGITS)
        check = value % _MODULUS
        if check < len(_ALPHABET):
            digits = "".join(_ALPHABET[value >> 5 * place & 31] for place in range(7, -1, -1))
            return ComplaintNumber(f"{digits[:4]}-{digits[4:]}-{_ALPHABET[check]}")


def parse_number(text: str) -> ComplaintNumber | None:
    """Return the number in its canonical spelling, or None where its check character is wrong.

    Case, hyphens and spaces do not matter; O reads as 0, I and L as 1.
    """
    letters = text.upper().replace("-", "").replace(" ", "")
    if len(letters) != _DIGITS + 1 or any(letter not in _VALUES for letter in letters):
        return None
    value = 0
    for letter in letters[:_DIGITS]:
        value = value << 5 | _VALUES[letter]
    check = _VALUES[letters[_DIGITS]]
    if value % _MODULUS != check:
        return None
    canonical = "".join(_ALPHABET[_VALUES[letter]] for letter in letters)
    return ComplaintNumber(f"{canonical[:4]}-{canonical[4:8]}-{canonical[8]}")
