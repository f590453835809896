"""Whatever the shared pages say in English, they say in Chinese too."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

from jinja2.ext import babel_extract

import shared.web
from services.intake_service.complaints.service.tracking import UnknownLink
from services.notification_service.surveys.domain.survey import UnknownSurvey
from services.workflow_service.answering.service import UnknownProposal
from shared.kernel.errors import RedressError
from shared.web.i18n import load_catalogue
from shared.web.problem_pages import explanations
from shared.web.problem_texts import FIELD_CODES, PAGE_REMEDIES, TEXTS

HERE = Path(shared.web.__file__).parent
HOUSE = HERE.parents[1]
PROBLEMS = {"Forbidden", "NotFound", "Conflict"}


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
    yield from PAGE_REMEDIES.values()


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


def test_every_problem_is_explained_in_chinese() -> None:
    words = load_catalogue([HERE / "locale"])
    for service in ("intake", "workflow", "notification", "analytics"):
        importlib.import_module(f"services.{service}_service.app")

    ours = [found for code, found in explanations().items() if code in _of_the_house()]
    said = {text for found in ours for text in (found.title, found.meaning, found.remedy)} - {""}

    assert len(ours) > 40
    assert sorted(each for each in said if words.gettext(each) == each) == []


def _of_the_house() -> set[str]:
    """Return the codes of problems that the product raises: tests define kinds of their own."""
    kinds = list(RedressError.__subclasses__())
    for kind in kinds:
        kinds += kind.__subclasses__()
    return {kind.code for kind in kinds if kind.__module__.startswith(("services.", "shared."))}


def _told_on_pages() -> Iterator[str]:
    """Yield what modules that render pages say when they refuse, where it is the same each time."""
    for module in [*HOUSE.glob("services/**/*.py"), *HERE.glob("*.py")]:
        source = module.read_text(encoding="utf-8")
        if "shared.web.pages import" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Raise(
                    exc=ast.Call(func=ast.Name(id=kind), args=[ast.Constant(value=str(said))])
                ) if kind in PROBLEMS:
                    yield said


def test_what_a_page_says_when_it_refuses_is_translated() -> None:
    words = load_catalogue([HERE / "locale"])
    found = set(_told_on_pages())

    assert len(found) >= 4
    assert {said for said in found if words.gettext(said) == said} == set()
