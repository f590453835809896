"""The pages of messages call everything by a word, in both languages."""

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
KINDS = ROOM / "pages" / "message_kinds.html"
SHARED = Path(shared.web.__file__).parent


@pytest.mark.parametrize(
    ("page", "name", "words"),
    [(KINDS, "kinds", Kind), (PAGE, "states", State), (PAGE, "channels", MessageChannel)],
)
def test_every_kind_state_and_channel_has_a_word(
    page: Path, name: str, words: type[StrEnum]
) -> None:
    block = re.search(rf"set {name} = \{{(.*?)\}} %}}", page.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None

    named = set(re.findall(r'"([a-z_]+)": _\(', block[1]))

    assert {str(word) for word in words} - named == set()


@pytest.mark.parametrize(("page", "least"), [(PAGE, 25), (KINDS, 35)])
def test_every_word_of_a_page_is_translated(page: Path, least: int) -> None:
    catalogue = load_catalogue([SHARED / "locale", ROOM / "locale"])
    with page.open("rb") as source:
        found = [
            message if isinstance(message, str) else str(message[0])
            for _line, _name, message, _comments in babel_extract(source, ("_", "ngettext"), [], {})
            if message
        ]

    missing = {m for m in found if catalogue.gettext(m) == m and catalogue.ngettext(m, m, 2) == m}

    assert len(found) > least
    assert missing == set()
