"""Read a body into a model, straight from its bytes."""

from __future__ import annotations

import codecs
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from shared.http.invalid import from_validation, is_json, not_utf8, wrong_content_type
from shared.kernel.errors import FieldError, InvalidInput

M = TypeVar("M", bound=BaseModel)

__all__ = ["parse_model", "read_model"]


async def read_model(request: Request, model: type[M]) -> M:
    """Read the request's JSON body.

    Raises UnsupportedMediaType for another content type and InvalidInput with every wrong field.
    NUL characters and lone surrogates were refused before by the body guard.
    """
    content_type = request.headers.get("content-type")
    if not is_json(content_type):
        raise wrong_content_type(content_type or "")
    return parse_model(await request.body(), model)


def parse_model(body: bytes, model: type[M]) -> M:
    """Read JSON bytes into a model; raises InvalidInput with every wrong field at once.

    A byte order mark is no JSON, but many programs of Windows write one: it is left out.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    if not body.strip():
        raise InvalidInput(
            "The body is empty; send a JSON object.",
            (FieldError("", "missing", "The body is empty; send a JSON object."),),
        )
    try:
        return model.model_validate_json(body)
    except ValidationError as wrong:
        if reason := not_utf8(body):
            detail = f"The body is no JSON: {reason}."
            raise InvalidInput(detail, [FieldError("", "malformed_json", detail)]) from None
        raise from_validation(wrong, model=model) from None
