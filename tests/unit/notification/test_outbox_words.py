"""The outbox page calls everything by a word, in both languages."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import pytest
from jinja2.ext import babel_extract

import services.notification_service
import shared.web
from services.notification_service.messages.domain.words import Kind, State
from shared.events.words import MessageChannel
from shared.web.i18n import load_catalogue

ROOM = Path(services.notification_service.__file__).parent / "messages"
PAGE = ROOM / "pages" / "outbox.html"
SHARED = Path(shared.web.__file__).parent


@pytest.mark.parametrize(
    ("name", "words"), [("kinds", Kind), ("states", State), ("channels", MessageChannel)]
)
def test_every_kind_state_and_channel_has_a_word(name: str, words: type[StrEnum]) -> None:
    block = re.search(rf"set {name} = \{{(.*?)\}} %}}", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None

    named = set(re.findall(r'"([a-z_]+)": _\(', block[1]))

    assert {str(word) for word in words} - named == set()


def test_every_word_of_the_page_is_translated() -> None:
    catalogue = load_catalogue([SHARED / "locale", ROOM / "locale"])
    with PAGE.open("rb") as source:
        found = [
            message if isinstance(message, str) else str(message[0])
            for _line, _name, message, _comments in babel_extract(source, ("_", "ngettext"), [], {})
            if message
        ]

    missing = {m for m in found if catalogue.gettext(m) == m and catalogue.ngettext(m, m, 2) == m}

    assert len(found) > 60
    assert missing == set()
