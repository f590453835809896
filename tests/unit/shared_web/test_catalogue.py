"""Whatever the shared pages say in English, they say in Chinese too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jinja2.ext import babel_extract

import shared.web
from services.intake_service.complaints.service.tracking import UnknownLink
from services.notification_service.surveys.domain.survey import UnknownSurvey
from services.workflow_service.answering.service import UnknownProposal
from shared.web.i18n import load_catalogue
from shared.web.problem_texts import FIELD_CODES, TEXTS

HERE = Path(shared.web.__file__).parent


def _messages() -> Iterator[str]:
    for template in sorted((HERE / "templates").rglob("*.html")):
        with template.open("rb") as source:
            for _line, _name, found, _comments in babel_extract(source, ("_", "ngettext"), [], {}):
                # None: the message is a variable, whose words come from the lists below.
                if found is not None:
                    yield found if isinstance(found, str) else str(found[0])
    yield from FIELD_CODES.values()
    for meaning, remedy in TEXTS.values():
        yield from (meaning, remedy)


def test_every_message_of_the_shared_pages_is_translated() -> None:
    words = load_catalogue([HERE / "locale"])

    missing = sorted(
        {m for m in _messages() if words.gettext(m) == m and words.ngettext(m, m, 2) == m}
    )

    assert missing == []


def test_a_customers_dead_link_is_told_in_chinese() -> None:
    words = load_catalogue([HERE / "locale"])
    dead = (UnknownProposal, UnknownSurvey, UnknownLink)

    assert not [kind.title for kind in dead if words.gettext(kind.title) == kind.title]
