"""The JSON Schema of every event as it was promised, and what may still change in it.

Each `<Type>.<version>.json` here is a promise to everybody who wrote a reader against it. A
schema may grow by optional fields; everything else is a new version beside the old one. Because
no step may remove, retype or require anything, a reader of any state reads every other one:
that is FULL_TRANSITIVE compatibility. `python -m shared.events.golden --check` is part of CI.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

from shared.events.base import EventData
from shared.events.golden.compatibility import Schema, incompatibilities
from shared.events.registry import REGISTRY

FOLDER = Path(str(files(__name__)))
_WRITTEN = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def schema_of(model: type[EventData]) -> Schema:
    """Return the JSON Schema of an event's data as a reader should expect it."""
    schema: dict[str, Any] = model.model_json_schema(mode="validation")
    schema["$id"] = f"/schemas/{model.__name__}/{model.schema_version}"
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


def golden_schemas(folder: Path = FOLDER) -> Mapping[tuple[str, int], Schema]:
    """Read what was promised."""
    found: dict[tuple[str, int], Schema] = {}
    for path in sorted(folder.glob("*.json")):
        type_, _, version = path.stem.rpartition(".")
        found[type_, int(version)] = orjson.loads(path.read_bytes())
    return found


def complaints_about(folder: Path = FOLDER) -> Iterator[str]:
    """Say what is wrong between the models and the promises: broken ones, and ones not written."""
    golden = golden_schemas(folder)
    for (type_, version), promised in golden.items():
        model = REGISTRY.get((type_, version))
        if model is None:
            yield f"{type_} {version}: was promised and is gone"
        else:
            for reason in incompatibilities(promised, schema_of(model)):
                yield f"{type_} {version}: {reason}"
    for (type_, version), model in REGISTRY.items():
        if golden.get((type_, version)) != schema_of(model):
            yield f"{type_} {version}: is not written down; run with --write"


def write(folder: Path = FOLDER) -> tuple[list[str], list[str]]:
    """Write down what is new and compatible; returns what was written and what was refused."""
    golden = golden_schemas(folder)
    written: list[str] = []
    refused: list[str] = []
    for (type_, version), model in REGISTRY.items():
        schema = schema_of(model)
        promised = golden.get((type_, version))
        reasons = [] if promised is None else list(incompatibilities(promised, schema))
        refused += [f"{type_} {version}: {reason}" for reason in reasons]
        if not reasons and promised != schema:
            path = folder / f"{type_}.{version}.json"
            path.write_bytes(orjson.dumps(schema, option=_WRITTEN))
            written.append(path.name)
    return written, refused
