"""Validation errors in words for a front-end developer: pointer, stable code, what to do.

A service's own rules raise `PydanticCustomError("invalid_phone", "…")`: type and message pass
through unchanged as code and detail.
"""

from __future__ import annotations

import codecs
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.params import ParamTypes
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from shared.http.words import word
from shared.kernel.errors import (
    FieldError,
    InvalidInput,
    RedressError,
    invalid_input,
    suggestion,
)

Location = Sequence[int | str]

_BUILT_IN = frozenset(get_args(ErrorType))


class UnsupportedMediaType(RedressError):
    """The body's content type is not the one that the path takes (415)."""

    code = "unsupported-media-type"
    title = "The body has another content type than this path takes"


def unreadable_body(cause: BaseException | None) -> InvalidInput:
    """Describe a JSON body that the parser could not take in at all, by what it raised."""
    if isinstance(cause, UnicodeDecodeError):
        reason = not_utf8(bytes(cause.object)) or f"byte {cause.start + 1} is not UTF-8"
    elif isinstance(cause, RecursionError):
        reason = "it is nested deeper than anybody reads"
    elif isinstance(cause, ValueError):
        reason = "a number in it has more digits than anybody counts"
    else:
        reason = "it cannot be read"
    return invalid_input([FieldError("", "malformed_json", f"The body is no JSON: {reason}.")])


def not_utf8(body: bytes) -> str | None:
    """Say what bytes are that are no text in UTF-8, the encoding of JSON (RFC 8259 section 8.1)."""
    if body.startswith(b"\x1f\x8b"):
        return "it is compressed; send it as it is"
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "it is UTF-16; send it in UTF-8"
    try:
        body.decode()
    except UnicodeDecodeError as wrong:
        try:
            body.decode("gb18030")
        except UnicodeDecodeError:
            return f"byte {wrong.start + 1} is not UTF-8"
        return f"byte {wrong.start + 1} is not UTF-8, it reads as GB18030; send it in UTF-8"
    return None


def from_validation(
    wrong: ValidationError, *, model: type[BaseModel] | None = None, prefix: Location = ()
) -> InvalidInput:
    """Translate Pydantic's errors about one model, for a body or a row of a file."""
    details = wrong.errors(include_url=False)
    return invalid_input([_field_error(found, prefix, model) for found in details])


def from_request_validation(request: Request, wrong: RequestValidationError) -> RedressError:
    """Translate FastAPI's errors about a request: body, query, path and headers at once."""
    details: Sequence[ErrorDetails] = wrong.errors()
    unread = any(tuple(found["loc"]) == ("body",) for found in details)
    if unread and not is_json(request.headers.get("content-type")):
        return wrong_content_type(request.headers.get("content-type", ""))
    model = _body_model(request)
    return invalid_input([_request_error(found, model, request) for found in details])


def is_json(content_type: str | None) -> bool:
    """Tell whether a content type is JSON.

    A body without one is not taken for it: a foreign page can send such a body without asking.
    """
    essence = (content_type or "").partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def wrong_content_type(found: str, wanted: str = "application/json") -> UnsupportedMediaType:
    """Say which content type the path takes."""
    essence = found.partition(";")[0].strip() or "no content type"
    return UnsupportedMediaType(f"The body came as {essence}; send it as {wanted}.")


def query_names(request: Request) -> list[str]:
    """Return the names of the query parameters that the request's path declares."""
    dependant = getattr(request.scope.get("route"), "dependant", None)
    if dependant is None:
        return []
    # The fields of a query that is read into a model come without saying where they are from.
    return [
        field.alias
        for field in get_flat_params(dependant)
        if getattr(field.field_info, "in_", ParamTypes.query) is ParamTypes.query
    ]


def unknown_query(name: str, known: Sequence[str]) -> FieldError:
    """Say that a path has no such query parameter, and which one may have been meant."""
    near = suggestion(name, known)
    detail = f'There is no query parameter "{name}" here{near or "."}'
    return FieldError(f"/query/{name}", "unknown_field", detail)


def pointer_of(location: Location) -> str:
    """Write a place as a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _request_error(
    found: ErrorDetails, model: type[BaseModel] | None, request: Request
) -> FieldError:
    place, *rest = found["loc"]
    if found["type"] == "json_invalid":
        context = found.get("ctx") or {}
        where = f" at character {rest[0]}" if rest else ""
        return FieldError(
            "", "malformed_json", f"The body is no JSON: {context.get('error')}{where}."
        )
    local: Any = {**found, "loc": tuple(rest)}
    if place == "body":
        return _field_error(local, (), model)
    if place == "query" and found["type"] == "extra_forbidden":
        return unknown_query(str(rest[-1]), query_names(request))
    error = _field_error(local, (), None)
    # Where a query parameter may be repeated the place of its value says nothing to who wrote it.
    parts = rest[:1] if place == "query" else rest
    name = "/".join(str(part) for part in parts)
    return FieldError(f"/{place}/{name}", error.code, error.detail)


def _field_error(
    found: ErrorDetails, prefix: Location, model: type[BaseModel] | None
) -> FieldError:
    kind = found["type"]
    location = _real_location(found, model)
    pointer = pointer_of((*prefix, *location))
    if kind not in _BUILT_IN:
        return FieldError(pointer, kind, found["msg"])
    if kind == "json_invalid":
        reason = (found.get("ctx") or {}).get("error", found["msg"])
        return FieldError(pointer, "malformed_json", f"The body is no JSON: {reason}.")
    if kind == "extra_forbidden":
        name = str(location[-1])
        near = suggestion(name, _field_names(_model_at(model, location[:-1])))
        return FieldError(pointer, "unknown_field", f'There is no field "{name}" here{near or "."}')
    code, detail = word(found)
    if code == "unknown_value" and isinstance(found["input"], str):
        near = suggestion(found["input"], _choices(found))
        detail = detail.removesuffix(".") + (near or ".")
    return FieldError(pointer, code, detail)


def _choices(found: ErrorDetails) -> list[str]:
    expected = str((found.get("ctx") or {}).get("expected", ""))
    return [choice.strip(" '") for choice in expected.replace(" or ", ", ").split(", ")]


def _real_location(found: ErrorDetails, model: type[BaseModel] | None) -> Location:
    """Leave out what Pydantic puts between real steps: union members and validator names."""
    steps = found["loc"]
    if found["type"] == "extra_forbidden":
        # The last step is the sender's own word, whatever it looks like: `date`, `items[0]`.
        return (*_real_steps(steps[:-1], model), steps[-1])
    return _real_steps(steps, model)


def _real_steps(steps: Location, model: type[BaseModel] | None) -> Location:
    kept: list[int | str] = []
    for part in steps:
        if isinstance(part, str) and ("[" in part or part in _UNION_MEMBERS):
            known = _field_names(_model_at(model, kept))
            if part not in known:
                continue
        kept.append(part)
    return kept


_UNION_MEMBERS = frozenset(
    {"str", "int", "float", "bool", "decimal", "date", "datetime", "none", "dict", "list"}
)


def _body_model(request: Request) -> type[BaseModel] | None:
    field = getattr(request.scope.get("route"), "body_field", None)
    annotation = getattr(getattr(field, "field_info", None), "annotation", None)
    return next(iter(_models_in(annotation)), None)


def _model_at(model: type[BaseModel] | None, location: Location) -> type[BaseModel] | None:
    for part in location:
        if model is None:
            return None
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        model = next(iter(_models_in(field.annotation if field else None)), None)
    return model


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in _CONTAINERS:
        return [model for argument in get_args(annotation) for model in _models_in(argument)]
    return []


_CONTAINERS: frozenset[object] = frozenset(
    {Union, types.UnionType, Annotated, list, tuple, Sequence, Mapping, dict}
)


def _field_names(model: type[BaseModel] | None) -> list[str]:
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]
