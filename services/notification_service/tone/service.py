"""Check the tone of a text by the rules that come with the project."""

from __future__ import annotations

from services.notification_service.tone.domain.checking import Verdict, check_text
from services.notification_service.tone.domain.folding import is_han
from services.notification_service.tone.domain.words import Locale, Purpose
from services.notification_service.tone.repository import rule_book


def check(text: str, *, locale: Locale | None = None, purpose: Purpose = Purpose.REPLY) -> Verdict:
    """Return what is wrong with the tone of a text; pure, and linear in its length.

    `locale` is the language in which it is explained, absent the text's own. Texts of both
    languages are searched for the phrases of both.
    """
    return check_text(text, rule_book(), locale=locale or language_of(text), purpose=purpose)


def language_of(text: str) -> Locale:
    """Return the language that most of a text is in: a Chinese character counts as a word."""
    han = sum(map(is_han, text))
    return "zh-CN" if han and han >= len(text.split()) / 2 else "en"
