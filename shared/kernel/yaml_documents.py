"""Read a YAML document into a model; what is wrong is told with its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from shared.kernel.errors import FieldError, InvalidInput

M = TypeVar("M", bound=BaseModel)

_DEEPEST = 32

_LONGEST = 256 * 1024
"""Characters: four times the longest that comes with the project; each takes some microseconds."""

_MOST_TOLD = 50
"""Faults told of one document: to find the lines of ten thousand would take a minute."""


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
    """The YAML document cannot be read, or breaks a rule of its fields."""

    code = "invalid-document"
    title = "The document is not valid"


def read_yaml(
    text: str, model: type[M], *, name: str, context: Mapping[str, object] | None = None
) -> M:
    """Read `text` into `model`; raises InvalidDocument naming `name`, the line and the field.

    `context` is handed to the model's validators.
    """
    if len(text) > _LONGEST:
        raise _invalid(name, [(1, "", "too_long", f"is longer than {_LONGEST >> 10} KiB")])
    try:
        # Before it is loaded: the loader in C crashes the process on a thousand open brackets.
        _refuse_deep(name, text)
        root = yaml.compose(text, Loader=_Loader)
        _refuse_doubles(name, root)
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        problem = getattr(wrong, "problem", None) or "is not YAML"
        raise _invalid(name, [(line, "", "malformed", str(problem))]) from None
    try:
        return model.model_validate(document, context=context)
    except ValidationError as wrong:
        told = [*islice(_faults(wrong, root, model), _MOST_TOLD)]
        raise _invalid(name, told, of=wrong.error_count()) from None


def _refuse_deep(name: str, text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise _invalid(name, [(line, "", "too_deep", f"goes deeper than {_DEEPEST} levels")])


def _refuse_doubles(name: str, root: yaml.Node | None) -> None:
    """Refuse a key that stands twice in one mapping: YAML would let the last one win unsaid."""
    faults: list[tuple[int, str, str, str]] = []
    # A node that is referred to again is looked at once: references can multiply without end.
    seen: set[int] = set()
    waiting: list[tuple[yaml.Node, str]] = [(root, "")] if root is not None else []
    while waiting:
        node, pointer = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += [(below, f"{pointer}/{at}") for at, below in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                line = key.start_mark.line + 1
                if not isinstance(key, yaml.ScalarNode):
                    faults.append((line, pointer, "malformed", "a key must be a single word"))
                    continue
                place = f"{pointer}/{key.value}"
                if key.value in lines and key.tag != "tag:yaml.org,2002:merge":
                    words = f"{key.value} stands there twice, first in line {lines[key.value]}"
                    faults.append((line, place, "repeated", words))
                lines.setdefault(key.value, line)
                waiting.append((value, place))
    if faults:
        raise _invalid(name, sorted(faults))


def _faults(
    wrong: ValidationError, root: yaml.Node | None, model: type[BaseModel]
) -> Iterator[tuple[int, str, str, str]]:
    for error in wrong.errors(include_url=False, include_input=False):
        # Pydantic says of a mapping's key that it is one, and which branch of a union it took (we
        # write such tags alike); a pointer has no words for that.
        path = [part for part in error["loc"] if not _is_remark(part)]
        message = error["msg"].removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            message = "there is no such field here"
            near = difflib.get_close_matches(str(path[-1]), model.model_fields, n=1)
            if len(path) == 1 and near:
                message += f"; did you mean {near[0]}?"
        pointer = "/" + "/".join(str(part) for part in path)
        yield _line_of(root, path), pointer, error["type"], message


def _is_remark(part: str | int) -> bool:
    return isinstance(part, str) and part.startswith("[") and part.endswith("]")


def _invalid(
    name: str, faults: Sequence[tuple[int, str, str, str]], *, of: int | None = None
) -> InvalidDocument:
    """Make the refusal of a document with some faults, `of` how many there are."""
    line, pointer, _, message = faults[0]
    field = pointer.strip("/").replace("/", ".")
    detail = f"{name}, line {line}: {field + ': ' if field else ''}{message}"
    count = len(faults) if of is None else of
    if count > 1:
        detail += f" (and {count - 1} more)"
    told = faults[:_MOST_TOLD]
    errors = [FieldError(at, code, f"line {line}: {words}") for line, at, code, words in told]
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
