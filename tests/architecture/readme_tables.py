"""README's tables as the code would write them; `python -m tests.architecture.readme_tables`
writes them, `test_readme.py` compares."""

from __future__ import annotations

from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from services import SERVICES
from services.configuration import names_of, settings_of
from shared.events.registry import EVENT_TYPES

README = Path(__file__).parents[2] / "README.md"


def event_rows() -> list[str]:
    """Return the rows of the event table, in the registry's order."""
    rows = ["| event | source | topic | what it says |", "|---|---|---|---|"]
    for model in EVENT_TYPES:
        says = (model.__doc__ or "").strip().splitlines()[0]
        rows.append(f"| `{model.__name__}` | `{model.source.value}` | `{model.topic}` | {says} |")
    return rows


def settings_rows() -> list[str]:
    """Return the rows of the settings table: the common ones, then each service's own."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    seen: set[str] = set()
    for settings in (each for service in SERVICES for each in settings_of(service)):
        for setting, field in zip(names_of(settings), settings.model_fields.values(), strict=True):
            if setting not in seen:
                seen.add(setting)
                rows.append(_settings_row(setting, field))
    return rows


def _settings_row(setting: str, field: FieldInfo) -> str:
    default = field.default
    shown = "" if default is None or default is PydanticUndefined else f"`{default}`"
    assert field.description, f"{setting} has no description"
    return f"| `{setting}` | {shown} | {field.description} |"


def with_tables(text: str) -> str:
    """Return README's text with both tables as the code has them."""
    for mark, rows in (("events", event_rows()), ("settings", settings_rows())):
        before, begin, rest = text.partition(f"<!-- {mark}:")
        head, newline, _old = rest.partition("\n")
        _table, end, after = rest.partition(f"<!-- /{mark} -->")
        assert begin, f"README has no table of {mark}"
        assert end, f"README's table of {mark} has no end"
        text = before + begin + head + newline + "\n".join(rows) + "\n" + end + after
    return text


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text()))
