"""Read the rules that come with the project (`tone/rules.yaml`)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from services.notification_service.tone.domain.rulebook import RuleBook, RuleFile, compile_book
from shared.kernel.yaml_documents import read_yaml


@cache
def rule_book() -> RuleBook:
    """Return the rules; raises InvalidDocument or ValueError for a file that is wrong."""
    place = files(__package__).joinpath("rules.yaml")
    file = read_yaml(place.read_text(encoding="utf-8"), RuleFile, name="tone/rules.yaml")
    return compile_book(file)
