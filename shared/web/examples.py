"""An example for every schema: the one written into it, else one made from its types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]

EXAMPLE_ID = "01992f00-0000-7000-8000-000000000000"

_DEPTH = 6
_BY_FORMAT = {
    "date-time": "2026-11-22T08:00:00Z",
    "date": "2026-11-22",
    "uuid": EXAMPLE_ID,
    "uri": "https://example.com",
    "email": "wang@example.com",
}
_BY_TYPE: dict[str, Any] = {
    "string": "string",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "null": None,
}


def resolve(document: Json, schema: Json) -> Json:
    """Follow a schema's `$ref` within the document."""
    while "$ref" in schema:
        found: Any = document
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def body_example(document: Json, content: Json) -> Any:
    """Return the example of one media type of a body."""
    schema = content.get("schema", {})
    if "example" in content:
        return in_order(document, schema, content["example"])
    for given in content.get("examples", {}).values():
        return in_order(document, schema, resolve(document, given).get("value"))
    return in_order(document, schema, example_of(document, schema))


def in_order(document: Json, schema: Json, value: Any) -> Any:
    """Put an example's members into the order of its schema: Pydantic sorts them by name."""
    schema = resolve(document, schema)
    for alternative in schema.get("anyOf", ()):
        if alternative != {"type": "null"}:
            return in_order(document, alternative, value)
    if isinstance(value, list):
        return [in_order(document, schema.get("items", {}), inner) for inner in value]
    if not isinstance(value, dict):
        return value
    known = schema.get("properties", {})
    names = [name for name in known if name in value] + [
        name for name in value if name not in known
    ]
    return {name: in_order(document, known.get(name, {}), value[name]) for name in names}


def example_of(document: Json, schema: Json, depth: int = 0) -> Any:
    """Return an example of a schema."""
    schema = resolve(document, schema)
    for name in ("example", "const"):
        if name in schema:
            return schema[name]
    for name in ("examples", "enum"):
        given = schema.get(name)
        if isinstance(given, dict):
            return resolve(document, next(iter(given.values()))).get("value")
        if given:
            return given[0]
    for name in ("anyOf", "oneOf", "allOf"):
        if name in schema:
            return example_of(document, schema[name][0], depth + 1)
    if schema.get("default") is not None:
        return schema["default"]
    return _by_type(document, schema, depth)


def _by_type(document: Json, schema: Json, depth: int) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "any")
    if kind == "object":
        if depth > _DEPTH:
            return {}
        return {
            name: example_of(document, inner, depth + 1)
            for name, inner in schema.get("properties", {}).items()
        }
    if kind == "array":
        return [] if depth > _DEPTH else [example_of(document, schema.get("items", {}), depth + 1)]
    if kind == "integer" and "minimum" in schema:
        return schema["minimum"]
    if kind == "string" and "format" in schema:
        return _BY_FORMAT.get(schema["format"], "string")
    return _BY_TYPE.get(kind)
