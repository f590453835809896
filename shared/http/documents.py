"""Bodies that are documents of their own: YAML files, and calendars of other programs."""

from __future__ import annotations

import re
from collections.abc import Collection

from fastapi import Request

from shared.http.invalid import UnsupportedMediaType
from shared.kernel.errors import FieldError, InvalidInput

YAML = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_ETAG = re.compile(r'(?:W/)?"(\d+)"')
_LABEL = re.compile(r'(?:W/)?"((?:[a-z0-9][a-z0-9-]{0,39}@)?\d+)"')


async def read_document(request: Request, *, types: Collection[str], wanted: str) -> str:
    """Return the body as text.

    Raises UnsupportedMediaType where it is none of `types`, naming `wanted`, and InvalidInput where
    it is not UTF-8.
    """
    essence = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if essence not in types:
        raise UnsupportedMediaType(f"Send the file as {wanted}.")
    try:
        return (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise InvalidInput(f"byte {wrong.start} of the file is not UTF-8") from None


def checked_name(name: str) -> str:
    """Return a document's name; raises InvalidInput for one that would not fit into an address."""
    if _NAME.fullmatch(name) is None:
        detail = "a name has small letters, digits and hyphens, 40 at most"
        raise InvalidInput(detail, (FieldError("/path/name", "invalid_name", detail),))
    return name


def version_named(if_match: str | None) -> int | None:
    """Return the version that `If-Match` names, None for any; raises InvalidInput."""
    found = _named(if_match, _ETAG, example="4")
    return None if found is None else int(found)


def label_named(if_match: str | None) -> str | None:
    """Return the name and version that `If-Match` names, such as `company@4`; None for any.

    A bare number is taken too, for the version of whatever name. Raises InvalidInput.
    """
    return _named(if_match, _LABEL, example="company@4")


def _named(if_match: str | None, form: re.Pattern[str], *, example: str) -> str | None:
    if if_match is None or if_match.strip() == "*":
        return None
    found = form.fullmatch(if_match.strip())
    if found is None:
        detail = f'If-Match must be the ETag as it was read, such as "{example}"'
        raise InvalidInput(detail, (FieldError("/header/If-Match", "invalid_etag", detail),))
    return found[1]
