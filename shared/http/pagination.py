"""Keyset pages: `{"items": […], "next_cursor": …}` and `Link: <…>; rel="next"`.

A cursor holds the sort values of the last row given, so that rows which come meanwhile neither
repeat nor hide others. It is opaque to callers and not secret.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import orjson
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from shared.kernel.errors import FieldError, InvalidInput

DEFAULT_LIMIT = 50
MAX_LIMIT = 200

T = TypeVar("T")
R = TypeVar("R")

Keyset = tuple[str | int | float | None, ...]


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = Field(
        default=None,
        description="Send it as `cursor` to get the next page; null on the last one",
        examples=[None],
    )


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is asked for: at most `limit` rows after the row whose sort values are `after`."""

    limit: int = DEFAULT_LIMIT
    after: Keyset | None = None

    @property
    def fetch(self) -> int:
        """How many rows to read: one more than asked for tells whether there is a next page."""
        return self.limit + 1


def encode_cursor(keyset: Sequence[str | int | float | None]) -> str:
    """Write sort values as a cursor. Instants go in as their text."""
    return base64.urlsafe_b64encode(orjson.dumps(list(keyset))).decode().rstrip("=")


def decode_cursor(cursor: str, *, size: int | None = None) -> Keyset:
    """Read a cursor; raises InvalidInput for one that we did not make."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        keyset = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        keyset = None
    plain = isinstance(keyset, list) and all(map(_is_sort_value, keyset))
    if not plain or not keyset or (size is not None and len(keyset) != size):
        raise foreign_cursor()
    return tuple(keyset)


def foreign_cursor() -> InvalidInput:
    """Return the error for a cursor that we did not make."""
    detail = "This cursor is none of ours; take it from next_cursor as it is."
    return InvalidInput(detail, (FieldError("/query/cursor", "invalid_cursor", detail),))


def _is_sort_value(part: object) -> bool:
    if isinstance(part, str):
        return "\0" not in part  # PostgreSQL's text holds none
    if isinstance(part, int):
        return abs(part) < 1 << 63 and not isinstance(part, bool)
    return part is None or isinstance(part, float)


def page_request(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows per page")] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, Query(description="`next_cursor` of the page before", max_length=2000)
    ] = None,
) -> PageRequest:
    """Read `limit` and `cursor` from the query (a FastAPI dependency)."""
    return PageRequest(limit, decode_cursor(cursor) if cursor else None)


Paging = Annotated[PageRequest, Depends(page_request)]
"""Declare as a parameter of an endpoint: `page: Paging`."""


def cut(
    rows: Sequence[R], page: PageRequest, keyset_of: Callable[[R], Keyset]
) -> tuple[Sequence[R], str | None]:
    """Split `page.fetch` rows into the page and the cursor of the next one, if there is one."""
    if len(rows) <= page.limit:
        return rows, None
    kept = rows[: page.limit]
    return kept, encode_cursor(keyset_of(kept[-1]))


def link_next(request: Request, response: Response, next_cursor: str | None) -> None:
    """Set `Link: rel="next"` on the response where there is a next page."""
    if next_cursor is not None:
        url = request.url.include_query_params(cursor=next_cursor)
        response.headers["Link"] = f'<{url}>; rel="next"'
