"""Read a YAML document into a model; what is wrong is told with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from shared.kernel.errors import FieldError, InvalidInput

M = TypeVar("M", bound=BaseModel)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # in C if it can
    """Leaves every scalar a text but null, and models read numbers from texts.

    YAML 1.1 takes `no`, `on`, `12:30` and `2024-05-01` for something else than they say: a column
    named `no` would be False.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":null", ":merge"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class InvalidDocument(InvalidInput):
    """A YAML document that cannot be read or breaks a rule of its fields."""

    code = "invalid-document"
    title = "The document is not valid"


def read_yaml(text: str, model: type[M], *, name: str) -> M:
    """Read `text` into `model`; raises InvalidDocument naming `name`, the line and the field."""
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        problem = getattr(wrong, "problem", None) or "is not YAML"
        raise _invalid(name, [(line, "", "malformed", str(problem))]) from None
    _refuse_repeated_keys(text, name)
    try:
        return model.model_validate(document)
    except ValidationError as wrong:
        root = yaml.compose(text, Loader=_Loader)
        faults = [
            (
                _line_of(root, error["loc"]),
                "/" + "/".join(str(part) for part in error["loc"]),
                error["type"],
                error["msg"].removeprefix("Value error, "),
            )
            for error in wrong.errors(include_url=False, include_input=False)
        ]
        raise _invalid(name, faults) from None


def _refuse_repeated_keys(text: str, name: str) -> None:
    """Raise InvalidDocument for a key that stands twice in one mapping: YAML keeps the last."""
    repeated = list(_repeated(yaml.compose(text, Loader=_Loader), ""))
    if repeated:
        raise _invalid(name, repeated)


def _repeated(node: yaml.Node | None, pointer: str) -> Iterator[tuple[int, str, str, str]]:
    if isinstance(node, yaml.SequenceNode):
        for place, below in enumerate(node.value):
            yield from _repeated(below, f"{pointer}/{place}")
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        here = f"{pointer}/{key.value}"
        if key.value in seen:
            yield key.start_mark.line + 1, here, "repeated", f"{key.value} stands there twice"
        seen.add(key.value)
        yield from _repeated(value, here)


def _invalid(name: str, faults: Sequence[tuple[int, str, str, str]]) -> InvalidDocument:
    line, pointer, _, message = faults[0]
    field = pointer.strip("/").replace("/", ".")
    detail = f"{name}, line {line}: {field + ': ' if field else ''}{message}"
    if len(faults) > 1:
        detail += f" (and {len(faults) - 1} more)"
    errors = [FieldError(at, code, f"line {line}: {words}") for line, at, code, words in faults]
    return InvalidDocument(detail, errors)


def _line_of(node: yaml.Node | None, path: Sequence[str | int]) -> int:
    """Return the line of the deepest node on `path` that the document has, from 1."""
    line = 1
    for part in path:
        below: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, below = key.start_mark.line + 1, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            below = node.value[part]
            line = below.start_mark.line + 1
        if below is None:
            break
        node = below
    return line
