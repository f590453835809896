"""The categories of complaints: two levels, joined by a dot."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from shared.events.words import Severity

OTHER = "other"


@dataclass(frozen=True, slots=True)
class Category:
    """One category; `severity` is the harm that it usually means."""

    code: str
    labels: Mapping[str, str]
    severity: Severity


class Taxonomy:
    """Knows the codes, their labels and what a wrong code may have meant."""

    def __init__(self, categories: Mapping[str, Category]) -> None:
        self._categories = categories

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes, in the order of the file; a first level alone is a code too."""
        return tuple(self._categories)

    def is_known(self, code: str) -> bool:
        """Tell whether a code is in the taxonomy."""
        return code in self._categories

    def suggest(self, code: str) -> str | None:
        """Return the known code nearest to a wrong one, or None where nothing is near."""
        near = difflib.get_close_matches(code.lower(), self._categories, n=1, cutoff=0.6)
        if near:
            return near[0]
        kinds = {known.partition(".")[2]: known for known in self._categories if "." in known}
        near = difflib.get_close_matches(code.lower(), kinds, n=1, cutoff=0.75)
        return kinds[near[0]] if near else None

    def label(self, code: str, locale: str) -> str:
        """Return a code's words in `zh-CN` or `en`; the code itself where it is not known."""
        found = self._categories.get(code)
        return found.labels[locale.partition("-")[0]] if found else code

    def severity(self, code: str) -> Severity:
        """Return the usual severity of a category; moderate for one that is not known."""
        found = self._categories.get(code)
        return found.severity if found else Severity.MODERATE
