"""Make texts comparable: width, case, traditional characters and odd spaces do not matter."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_PLAIN = str.maketrans({"‘": "'", "’": "'", "‛": "'", "′": "'", "‚": "'", "–": "-", "—": "-"})
_HAN_FIRST, _HAN_LAST = "\u3400", "\u9fff"


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text, and for each of its characters where it stood in the text as sent."""

    text: str
    places: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a piece of the folded text stood, in code points of the text as sent."""
        return self.places[start], self.places[end - 1] + 1


def is_han(character: str) -> bool:
    """Tell a Chinese character."""
    return _HAN_FIRST <= character <= _HAN_LAST


def fold(text: str, simplified: Mapping[str, str]) -> Folded:
    """Fold a text; `simplified` maps traditional characters.

    What nobody sees (zero-width characters, soft hyphens) is dropped, and so is a space between
    two Chinese characters: both are known ways around a list of words.
    """
    characters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for folded in _folded(character):
            if folded == " " and characters and characters[-1] == " ":
                continue
            if characters and characters[-1] == " " and _closes_up(characters, folded):
                characters.pop()
                places.pop()
            characters.append(simplified.get(folded, folded))
            places.append(place)
    return Folded("".join(characters), tuple(places))


def _closes_up(characters: list[str], following: str) -> bool:
    return len(characters) > 1 and is_han(characters[-2]) and is_han(following)


@lru_cache(maxsize=16_384)
def _folded(character: str) -> str:
    if character in "\n\r\u2028\u2029":
        return "\n"
    category = unicodedata.category(character)
    if category in {"Cf", "Mn"}:
        return ""
    if category in {"Zs", "Cc"}:
        return " "
    # Full-width commas and points become ASCII by NFKC; the Chinese full stop stays.
    return unicodedata.normalize("NFKC", character).lower().translate(_PLAIN)
