"""Pydantic's error types in plain words, under fewer and steadier codes."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import StringConstraints
from pydantic_core import ErrorDetails

_WORDS: Mapping[str, tuple[str, str]] = {
    "missing": ("missing", "This field is required."),
    "string_type": ("wrong_type", "This must be text."),
    "string_sub_type": ("wrong_type", "This must be text."),
    "string_unicode": ("invalid_text", "This text holds half a character (a lone surrogate)."),
    "int_type": ("wrong_type", "This must be a whole number."),
    "int_parsing": ("wrong_type", "This must be a whole number."),
    "int_from_float": ("wrong_type", "This must be a whole number."),
    "int_parsing_size": ("out_of_range", "This number is too large."),
    "float_type": ("wrong_type", "This must be a number."),
    "float_parsing": ("wrong_type", "This must be a number."),
    "finite_number": ("out_of_range", "This must be a finite number."),
    "decimal_type": ("wrong_type", 'This must be a number written as text, such as "12.50".'),
    "decimal_parsing": ("wrong_type", 'This must be a number written as text, such as "12.50".'),
    "bool_type": ("wrong_type", "This must be true or false."),
    "bool_parsing": ("wrong_type", "This must be true or false."),
    "list_type": ("wrong_type", "This must be a list."),
    "tuple_type": ("wrong_type", "This must be a list."),
    "set_type": ("wrong_type", "This must be a list."),
    "frozen_set_type": ("wrong_type", "This must be a list."),
    "dict_type": ("wrong_type", "This must be an object."),
    "model_type": ("wrong_type", "This must be an object."),
    "model_attributes_type": ("wrong_type", "This must be an object."),
    "mapping_type": ("wrong_type", "This must be an object."),
    "none_required": ("wrong_type", "This must be null."),
    "string_too_long": ("too_long", "This may have at most {max_length} {characters}."),
    "string_too_short": ("too_short", "This must have at least {min_length} {characters}."),
    "too_long": ("too_long", "This may have at most {max_length} {entries}."),
    "too_short": ("too_short", "This must have at least {min_length} {entries}."),
    "string_pattern_mismatch": ("invalid_format", "This must be {form}."),
    "greater_than": ("out_of_range", "This must be more than {gt}."),
    "greater_than_equal": ("out_of_range", "This must be {ge} or more."),
    "less_than": ("out_of_range", "This must be less than {lt}."),
    "less_than_equal": ("out_of_range", "This must be {le} or less."),
    "multiple_of": ("out_of_range", "This must be a multiple of {multiple_of}."),
    "decimal_max_places": ("out_of_range", "This may have at most {decimal_places} {decimals}."),
    "decimal_max_digits": ("out_of_range", "This may have at most {max_digits} {digits}."),
    "enum": ("unknown_value", "This must be one of: {expected}."),
    "literal_error": ("unknown_value", "This must be one of: {expected}."),
    "union_tag_invalid": ("unknown_value", "This must be one of: {expected_tags}."),
    "union_tag_not_found": ("missing", "The field that tells the kind is required."),
    "timezone_aware": (
        "no_offset",
        "A time needs its offset: 2026-11-18T18:30:00+08:00, or Z for UTC.",
    ),
    "timezone_naive": ("invalid_datetime", "This time must have no offset."),
    "datetime_past": ("not_past", "This must lie in the past."),
    "datetime_future": ("not_future", "This must lie in the future."),
    "date_past": ("not_past", "This must lie in the past."),
    "date_future": ("not_future", "This must lie in the future."),
    "uuid_parsing": ("invalid_id", "This is no id; ids are UUIDs."),
    "uuid_type": ("invalid_id", "This is no id; ids are UUIDs."),
    "url_parsing": ("invalid_url", "This is no URL."),
    "url_scheme": ("invalid_url", "This URL must begin with one of: {expected_schemes}."),
    "url_type": ("invalid_url", "This is no URL."),
}

_FAMILIES: tuple[tuple[str, str, str], ...] = (
    ("datetime_", "invalid_datetime", "Write a time as 2026-11-18T18:30:00+08:00 (RFC 3339)."),
    ("date_", "invalid_date", "Write a date as 2026-11-18."),
    ("time_delta_", "invalid_duration", "Write a duration in seconds."),
    ("time_", "invalid_time", "Write a time of day as 18:30."),
)

_COUNTED: Mapping[str, tuple[str, str]] = {
    "characters": ("character", "characters"),
    "entries": ("entry", "entries"),
    "decimals": ("decimal", "decimals"),
    "digits": ("digit", "digits"),
}
_COUNTS = ("min_length", "max_length", "decimal_places", "max_digits")

_forms: dict[str, str] = {}


def form(pattern: str, words: str) -> StringConstraints:
    """Take text of a pattern only; who sends another is told the form in words.

    OpenAPI still gives the pattern: that is for programs.
    """
    assert _forms.setdefault(pattern, words) == words, "one pattern has one form in words"
    return StringConstraints(pattern=pattern)


def word(found: ErrorDetails) -> tuple[str, str]:
    """Return code and detail for one of Pydantic's own errors."""
    kind = found["type"]
    known = _WORDS.get(kind)
    if known is not None:
        code, template = known
        return code, template.format(**_context(found))
    for prefix, code, detail in _FAMILIES:
        if kind.startswith(prefix):
            return code, detail
    message = found["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return "invalid_value", message if message.endswith((".", "?", "!")) else message + "."


def _context(found: ErrorDetails) -> dict[str, str]:
    context = {name: str(value) for name, value in (found.get("ctx") or {}).items()}
    if "expected" in context:
        context["expected"] = context["expected"].replace("'", "").replace(" or ", ", ")
    if "pattern" in context:
        context["form"] = _forms.get(context["pattern"], f"of the form {context['pattern']}")
    is_one = any(context.get(name) == "1" for name in _COUNTS)
    context |= {name: one if is_one else many for name, (one, many) in _COUNTED.items()}
    return context
