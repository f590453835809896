"""What the categories of complaints are called on the pages of every service."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml


@cache
def category_words() -> Mapping[str, Mapping[str, str]]:
    """Return the words by code, each in `zh` and `en`: of top levels and of kinds."""
    text = (Path(__file__).parent / "categories.yaml").read_text("utf-8")
    found: Mapping[str, Mapping[str, str]] = yaml.safe_load(text)
    return found


def category_label(code: str, *, chinese: bool) -> str:
    """Return what to show for a category: `logistics.short` is `Delivery: Short`.

    A code that is not known, as of a taxonomy of the company's own, is shown as it is.
    """
    words, language = category_words(), "zh" if chinese else "en"
    own, top = words.get(code), words.get(code.partition(".")[0])
    if own is None:
        return code
    if top is None or top is own:
        return own[language]
    joint = "：" if chinese else ": "
    return f"{top[language]}{joint}{own[language]}"
