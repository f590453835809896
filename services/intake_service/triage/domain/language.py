"""Tell Chinese from English by script."""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["zh", "en"]

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
_SAMPLE = 200


def detect_language(text: str, locale: str | None) -> Language:
    """Return the language of a text; of `locale` (else Chinese) where it has no words.

    A Han character counts as one word, so that a Chinese sentence full of product codes stays
    Chinese and an English one that quotes a Chinese name stays English.
    """
    sample = text[:_SAMPLE]
    if sample.isascii():
        return "en" if _LATIN_WORD.search(sample) else _of(locale)
    # Mostly wide characters with a Han one among them: spare the counting.
    wide = len(sample.encode("utf-8", "surrogatepass")) - len(sample)
    if wide >= len(sample) and _HAN.search(sample):
        return "zh"
    han, latin = len(_HAN.findall(sample)), len(_LATIN_WORD.findall(sample))
    if not han and not latin:
        return _of(locale)
    return "zh" if han >= latin else "en"


def _of(locale: str | None) -> Language:
    return "en" if locale is not None and locale.startswith("en") else "zh"
