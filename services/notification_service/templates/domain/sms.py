"""How long an SMS is, and how many segments are paid for (3GPP TS 23.038 and 23.040)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
_SINGLE = {"GSM-7": 160, "UCS-2": 70}
_JOINED = {"GSM-7": 153, "UCS-2": 67}

Encoding = Literal["GSM-7", "UCS-2"]


@dataclass(frozen=True, slots=True)
class SmsLength:
    """The length of an SMS: `units` are septets (GSM-7) or 16-bit units (UCS-2)."""

    encoding: Encoding
    characters: int
    units: int
    segments: int


_PLAIN = str.maketrans(
    {"…": "...", "‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " "}
)


def economical(text: str) -> str:
    """Return the text with plain punctuation where that alone makes it GSM-7.

    One typographic quote in an English SMS would otherwise more than double its price.
    """
    plain = text.translate(_PLAIN)
    return plain if measure(plain).encoding == "GSM-7" else text


def measure(text: str) -> SmsLength:
    """Return encoding, length and segments of a text as a phone network counts them."""
    encoding: Encoding = "GSM-7" if all(c in _BASIC or c in _EXTENDED for c in text) else "UCS-2"
    sizes = [_size(character, encoding) for character in text]
    units = sum(sizes)
    if units <= _SINGLE[encoding]:
        return SmsLength(encoding, len(text), units, 1)
    return SmsLength(encoding, len(text), units, _segments(sizes, _JOINED[encoding]))


def _size(character: str, encoding: Encoding) -> int:
    if encoding == "GSM-7":
        return 2 if character in _EXTENDED else 1
    return 2 if ord(character) > 0xFFFF else 1


def _segments(sizes: list[int], room: int) -> int:
    """Count segments; a character of two units is never cut in half."""
    segments, used = 1, 0
    for size in sizes:
        if used + size > room:
            segments, used = segments + 1, 0
        used += size
    return segments
