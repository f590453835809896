"""Names of event types that callers send: a misspelt one would silently choose nothing."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from shared.events.registry import EVENT_TYPES
from shared.kernel.errors import FieldError, InvalidInput

KNOWN = {model.__name__.lower(): model.__name__ for model in EVENT_TYPES}


def checked_types(names: Sequence[str], pointer: str) -> frozenset[str]:
    """Return the names as a set; raises InvalidInput naming every one that is no event's."""
    unknown = [name for name in names if KNOWN.get(name.lower()) != name]
    if unknown:
        details = [f'There is no event "{name}"{_suggestion(name)}' for name in unknown]
        raise InvalidInput(
            details[0], [FieldError(pointer, "unknown_event_type", detail) for detail in details]
        )
    return frozenset(names)


def _suggestion(name: str) -> str:
    near = difflib.get_close_matches(name.lower(), KNOWN, n=1, cutoff=0.6)
    return f'; did you mean "{KNOWN[near[0]]}"?' if near else "."
