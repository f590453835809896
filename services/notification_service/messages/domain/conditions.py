"""Conditions of the routing table: a few closed tests on fields, no language of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator


class Complaint(NamedTuple):
    """What conditions may ask of the complaint that an event is about; empty where unknown."""

    language: str = ""
    urgency: str = ""
    category: str = ""
    priority: str = ""

    def fields(self) -> dict[str, JsonValue]:
        """Return its fields under the names that conditions use."""
        return {f"complaint.{name}": value or None for name, value in self._asdict().items()}


COMPLAINT = frozenset(f"complaint.{name}" for name in Complaint._fields)


def _listed(given: object) -> object:
    return given if isinstance(given, list | tuple) else [given]


def _spelled(given: object) -> object:
    """Read the short forms: `clock: promise` and `clock: [promise, resolve]`."""
    return given if isinstance(given, dict | Check) else {"any": given}


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]


class Check(BaseModel):
    """What one field must be: one of `any`, none of `not`, begin with, contain, be given or not."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    any: Texts | None = None
    none: Texts | None = Field(default=None, alias="not")
    prefix: Texts | None = None
    contains: Texts | None = None
    given: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("must test for any, not, prefix, contains or given")
        return self

    def passes(self, value: JsonValue) -> bool:
        """Tell whether a field's value passes every test."""
        text = _text(value)
        checks = (
            self.given is None or self.given is (value is not None),
            self.any is None or text in self.any,
            self.none is None or text not in self.none,
            self.prefix is None or text.startswith(self.prefix),
            self.contains is None or any(part in text for part in self.contains),
        )
        return all(checks)


AnyOf = Annotated[
    tuple[Mapping[str, Annotated[Check, BeforeValidator(_spelled)]], ...], BeforeValidator(_listed)
]


def holds(alternatives: AnyOf, fields: Mapping[str, JsonValue]) -> bool:
    """Tell whether all tests of one of the alternatives pass; False where there is none."""
    return any(
        all(test.passes(fields.get(name)) for name, test in tests.items()) for tests in alternatives
    )


def _text(value: JsonValue) -> str:
    """Write a value as a table writes it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
