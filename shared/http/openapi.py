"""OpenAPI as we give it: problem answers on every operation, one document out of several."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

Document = dict[str, Any]
"""An OpenAPI document: JSON whose shape its own standard defines."""

_PROBLEM: Document = {
    "title": "Problem",
    "description": "RFC 9457. `type` is a path that explains the problem.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/invalid-input"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "examples": ["/customer/phone"]},
                    "code": {"type": "string", "examples": ["invalid_phone"]},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_PROBLEM_ANSWER: Document = {
    "description": "A problem",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError")
_INTERNAL = "/v1/internal/"
_METHODS = ("get", "put", "post", "delete", "patch")
MAKING = threading.RLock()
"""Held while a document is made: that takes up to a second of a thread, and is needed once."""


def operation_id(route: APIRoute) -> str:
    """Name an operation after its function, which is unique within a service."""
    return route.name


def describe(app: FastAPI) -> None:
    """Make the app give our document, without the paths of services among themselves."""

    def document() -> Document:
        with MAKING:
            if app.openapi_schema is None:
                made = get_openapi(title=app.title, version=app.version, routes=app.routes)
                app.openapi_schema = _with_problems(_without_internal(made))
            return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way

    # FastAPI's own would make it in the loop, and nobody else would be answered meanwhile.
    @app.get("/openapi.json", include_in_schema=False)
    def give() -> JSONResponse:
        return JSONResponse(app.openapi())


def merge_openapi(documents: Sequence[Mapping[str, Any]], *, title: str) -> Document:
    """Merge the services' documents into one.

    Schemas that share a name but not their content are renamed by their service's position, so
    that no operation is described by another service's schema.
    """
    merged: Document = {"openapi": "3.1.0", "info": {"title": title, "version": "1"}, "paths": {}}
    schemas: Document = {}
    for position, original in enumerate(documents):
        document = _rename_clashes(dict(original), schemas, suffix=str(position + 1))
        schemas.update(document.get("components", {}).get("schemas", {}))
        for path, item in document.get("paths", {}).items():
            merged["paths"].setdefault(path, item)
    merged["components"] = {"schemas": dict(sorted(schemas.items())), **_security_schemes()}
    merged["security"] = [{"key": []}, {}]
    return merged


def operations(document: Mapping[str, Any]) -> Iterable[tuple[str, str, Document]]:
    """Walk (path, method, operation) of a document."""
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _without_internal(document: Document) -> Document:
    paths = document["paths"]
    for path in [path for path in paths if path.startswith(_INTERNAL)]:
        del paths[path]
    schemas: Document = document.get("components", {}).get("schemas", {})
    named = _schemas_named_in(paths)
    waiting = list(named)
    while waiting:
        further = _schemas_named_in(schemas.get(waiting.pop(), {})) - named
        named |= further
        waiting += further
    for name in schemas.keys() - named:
        del schemas[name]
    return document


def _schemas_named_in(value: Any) -> set[str]:
    if isinstance(value, list):
        return {name for inner in value for name in _schemas_named_in(inner)}
    if not isinstance(value, dict):
        return set()
    found = {name for inner in value.values() for name in _schemas_named_in(inner)}
    reference = value.get("$ref")
    return found | {reference.rpartition("/")[2]} if isinstance(reference, str) else found


def _security_schemes() -> Document:
    return {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}


def _with_problems(document: Document) -> Document:
    for _path, _method, operation in operations(document):
        answers = operation["responses"]
        answers.pop("422", None)
        answers["4XX"] = _PROBLEM_ANSWER
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _FRAMEWORKS_OWN:
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM
    components.update(_security_schemes())
    document["security"] = [{"key": []}, {}]
    return document


def _rename_clashes(document: Document, taken: Mapping[str, Any], *, suffix: str) -> Document:
    schemas = document.get("components", {}).get("schemas", {})
    clashing = {
        name: f"{name}{suffix}"
        for name, schema in schemas.items()
        if name in taken and taken[name] != schema
    }
    return cast("Document", _renamed(document, clashing)) if clashing else document


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in value]
    if not isinstance(value, dict):
        return value
    renamed: Document = {}
    for key, inner in value.items():
        if key == "$ref" and isinstance(inner, str):
            head, _, name = inner.rpartition("/")
            renamed[key] = f"{head}/{names.get(name, name)}"
        elif key == "schemas" and isinstance(inner, dict):
            renamed[key] = {names.get(n, n): _renamed(schema, names) for n, schema in inner.items()}
        else:
            renamed[key] = _renamed(inner, names)
    return renamed
