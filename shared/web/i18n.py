"""Languages of the pages: which one a reader gets, and the catalogues.

Message ids are the English text. A `zh_CN.po` lies in each owner's `locale/` folder; they are read
at the start as they are (no compiled files to forget) and merged into one catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from starlette.requests import HTTPConnection

Lang = Literal["zh-CN", "en"]

LANG_PARAMETER = "lang"
LANG_COOKIE = "redress_lang"


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its tag in HTML, its name in itself, its rules."""

    tag: Lang
    name: str
    locale: Locale


LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {
        "zh-CN": Language("zh-CN", "中文", Locale("zh", "CN", script="Hans")),
        "en": Language("en", "English", Locale("en", "GB")),
    }
)


def language_of(
    connection: HTTPConnection, default: Lang, *, spoken: Lang | None = None
) -> Language:
    """Choose a language: `?lang=`, else the cookie, else Accept-Language, else the default.

    `spoken` is the reader's language where it is known: only a choice of theirs goes before it.
    """
    asked = connection.query_params.get(LANG_PARAMETER) or connection.cookies.get(LANG_COOKIE)
    tag = match(asked) if asked else None
    likes = spoken or accepted(connection.headers.get("accept-language", ""))
    return LANGUAGES[tag or likes or default]


def match(tag: str) -> Lang | None:
    """Return our tag for a language tag (`zh`, `zh-Hans-CN`, `en-US`), None for others."""
    primary = tag.strip().lower().replace("_", "-").partition("-")[0]
    if primary == "zh":
        return "zh-CN"
    return "en" if primary == "en" else None


def accepted(header: str) -> Lang | None:
    """Return which of our languages an Accept-Language header likes best, None without one."""
    best: Lang | None = None
    best_quality = 0.0
    for part in header.split(","):
        tag, _, parameter = part.partition(";")
        quality = _quality(parameter)
        found = match(tag)
        if found is not None and quality > best_quality:
            best, best_quality = found, quality
    return best


def load_catalogue(folders: Sequence[Path]) -> NullTranslations:
    """Merge the Chinese catalogues of all owners; of two words for one id the later wins."""
    merged: Translations | None = None
    for folder in folders:
        path = folder / "zh_CN.po"
        if not path.exists():
            continue
        compiled = BytesIO()
        with path.open("rb") as source:
            write_mo(compiled, read_po(source, locale="zh_CN"))
        compiled.seek(0)
        found = Translations(compiled)
        merged = found if merged is None else merged.merge(found)
    return merged or NullTranslations()


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
