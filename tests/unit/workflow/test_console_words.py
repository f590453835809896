"""Whatever the console says in English, it says in Chinese too."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment
from jinja2.ext import babel_extract

import services.workflow_service.console
import shared.web
from services.notification_service.templates.domain.names import name_of
from services.workflow_service.cases.domain.by_law import BIND
from services.workflow_service.cases.domain.lifecycle import Action
from services.workflow_service.cases.domain.merging import MERGE, REPEAT
from services.workflow_service.escalation.domain.ladder import Cause, WentUp
from shared.events.words import ClockKind, Outcome
from shared.web.i18n import load_catalogue

HERE = Path(services.workflow_service.console.__file__).parent
SHARED = Path(shared.web.__file__).parent


def test_every_message_of_the_console_is_translated() -> None:
    words = load_catalogue([SHARED / "locale", HERE / "locale"])
    found: set[str] = set()
    for template in (HERE / "templates").rglob("*.html"):
        with template.open("rb") as source:
            for _line, _name, message, _comments in babel_extract(
                source, ("_", "ngettext"), [], {}
            ):
                found.add(message if isinstance(message, str) else str((message or ("",))[0]))

    missing = {m for m in found if words.gettext(m) == m and words.ngettext(m, m, 2) == m}

    assert len(found) > 50
    assert missing == set()


def words_of(name: str) -> dict[str, str]:
    source = (HERE / "templates/console/words.html").read_text()
    template = Environment(loader=DictLoader({"words": source}), autoescape=True).get_template(
        "words", globals={"_": str}
    )
    found: dict[str, str] = getattr(template.module, name)
    return found


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_of_an_escalation_has_words_on_the_page_and_in_the_message(
    cause: Cause,
) -> None:
    assert cause.value in words_of("reasons")
    assert name_of(cause.value, "zh-CN") != cause.value


@pytest.mark.parametrize("code", [*Outcome, *WentUp])
def test_every_outcome_and_every_way_over_our_head_has_words(code: str) -> None:
    assert str(code) in words_of("reasons")


@pytest.mark.parametrize("action", [*Action, REPEAT, MERGE, BIND])
def test_every_line_of_the_history_has_words(action: str) -> None:
    assert str(action) in words_of("actions")


@pytest.mark.parametrize("kind", ClockKind)
def test_whatever_may_be_due_first_has_words_as_something_to_do(kind: ClockKind) -> None:
    assert str(kind) in words_of("steps")
