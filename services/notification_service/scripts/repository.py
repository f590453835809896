"""Read the scripts and letters that come with the project (`scripts/wording/`)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

from services.notification_service.scripts.domain.book import Book
from shared.kernel.yaml_documents import read_yaml


@cache
def book_in(locale: Literal["zh-CN", "en"]) -> Book:
    """Return the words of a language; raises InvalidDocument for a file that is wrong."""
    name = f"{locale}.yaml"
    place = files(__package__).joinpath("wording", name)
    return read_yaml(place.read_text(encoding="utf-8"), Book, name=f"scripts/wording/{name}")
