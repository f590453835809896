"""What regions are called on pages and in messages of every service."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

Words = Mapping[str, Mapping[str, str]]


@cache
def region_words() -> Mapping[str, Words]:
    """Return `regions` by code, and `numbered_regions` by what their codes begin with."""
    text = (Path(__file__).parent / "regions.yaml").read_text("utf-8")
    found: Mapping[str, Words] = yaml.safe_load(text)
    return found


def region_label(code: str, *, chinese: bool) -> str:
    """Return what to show for a region: `CN-31` is `Shanghai`; an unknown code as it is."""
    words, language = region_words(), "zh" if chinese else "en"
    named = words["regions"].get(code)
    if named is not None:
        return named[language]
    for prefix, numbered in words["numbered_regions"].items():
        if code.startswith(prefix):
            return numbered[language].format(code.removeprefix(prefix))
    return code
