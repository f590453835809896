"""Clean what other systems' files hold."""

from __future__ import annotations

import re

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ud800-\udfff]")
_BLANKS = re.compile(r"[ \t\u00a0\u3000]{2,}|[\t\u00a0\u3000]")
_LINES = re.compile(r"\s*\n\s*")


def clean_value(value: str) -> str:
    """Return one line of text without control characters and outer blanks."""
    if value.isalnum():
        return value
    return _LINES.sub(" ", _BLANKS.sub(" ", _CONTROLS.sub("", value))).strip()


def clean_text(text: str) -> str:
    """Return running text: tabs and ideographic spaces as single spaces, no empty lines."""
    return _LINES.sub("\n", _BLANKS.sub(" ", _CONTROLS.sub("", text))).strip()


def column_key(name: str) -> str:
    """Return how column names are compared: case, blanks, hyphens and underscores do not matter."""
    return re.sub(r"[\s_\-]+", " ", _CONTROLS.sub("", name).strip()).casefold()
