"""Guard request bodies: their size, and characters that no text may hold.

A body over the limit is read on, up to 16 MiB, before 413 is answered: a client that is still
sending when the connection closes reports a broken connection instead of our answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.invalid import pointer_of
from shared.kernel.errors import FieldError, InvalidInput, RedressError, TooLarge, invalid_input

LIMIT_BYTES = 1024 * 1024
DRAIN_BYTES = 16 * 1024 * 1024

_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNLIMITED = "redress_unlimited_body"

_NUL_IN_ADDRESS = "The address holds a NUL character (%00); leave it out."

Refuse = Callable[[HTTPConnection, RedressError], ASGIApp]
"""Answers an error before any route is reached."""

F = TypeVar("F", bound=Callable[..., object])


def unlimited_body(endpoint: F) -> F:
    """Mark an endpoint that reads its body as a stream of any length."""
    setattr(endpoint, _UNLIMITED, True)
    return endpoint


class BodyGuard:
    """ASGI middleware that refuses bodies over 1 MiB, NUL characters and lone surrogates."""

    def __init__(self, app: ASGIApp, *, refuse: Refuse) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Watch what is received; look into the query at once."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if b"%00" in scope["query_string"] or "\x00" in scope["path"]:
            connection = HTTPConnection(scope)
            answer = self._refuse(connection, _nul_in(connection))
            await answer(scope, receive, send)
            return
        await self._app(scope, _Watch(scope, receive).receive, send)


def _nul_in(connection: HTTPConnection) -> InvalidInput:
    values = connection.query_params.multi_items()
    named = [name for name, value in values if "\0" in name + value]
    pointer = f"/query/{named[0]}" if named else "/path"
    return InvalidInput(_NUL_IN_ADDRESS, (FieldError(pointer, "nul_character", _NUL_IN_ADDRESS),))


class _Watch:
    """Reads one body. Raises HTTPException, which FastAPI lets through while it reads."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self._size = 0
        self._chunks: list[bytes] = []

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] != "http.request" or self._unlimited:
            return message
        chunk: bytes = message.get("body", b"")
        self._size += len(chunk)
        self._chunks.append(chunk)
        more = message.get("more_body", False)
        if self._size > LIMIT_BYTES:
            await self._drain(more=more)
        if not more and self._size:
            refuse_bad_characters(b"".join(self._chunks))
        return message

    @property
    def _unlimited(self) -> bool:
        # Asked while the body is read, so the route is known by now.
        return getattr(self._scope.get("endpoint"), _UNLIMITED, False)

    async def _drain(self, *, more: bool) -> None:
        self._chunks.clear()
        while more and self._size <= DRAIN_BYTES:
            message = await self._receive()
            self._size += len(message.get("body", b""))
            more = message.get("more_body", False) and message["type"] == "http.request"
        close = {"Connection": "close"} if more else None
        raise _http(TooLarge(f"A body may have at most {LIMIT_BYTES:,} bytes."), 413, close)


def refuse_bad_characters(body: bytes) -> None:
    """Raise InvalidInput (inside an HTTPException) for JSON text with NUL or half a surrogate pair.

    Escapes are looked for in the bytes first, so that a usual body is never parsed twice.
    """
    if _SUSPECT.search(body) is None:
        return
    try:
        # The standard parser keeps lone surrogates, so that they can be pointed at.
        document: Any = json.loads(body)
        found = _bad_strings(document, ())
    except (ValueError, RecursionError):
        # No JSON, or nested deeper than the models' own parser goes: that one says so.
        return
    if found:
        raise _http(invalid_input(found), 422)


def _bad_strings(value: Any, place: tuple[int | str, ...]) -> list[FieldError]:
    if isinstance(value, str):
        return _bad_text(value, place)
    if isinstance(value, dict):
        errors = [error for key in value for error in _bad_text(key, place)]
        return errors + [
            error for key, inner in value.items() for error in _bad_strings(inner, (*place, key))
        ]
    if isinstance(value, list):
        return [
            error for at, inner in enumerate(value) for error in _bad_strings(inner, (*place, at))
        ]
    return []


def _bad_text(text: str, place: tuple[int | str, ...]) -> list[FieldError]:
    if "\x00" in text:
        return [_bad(place, "This text holds a NUL character (\\u0000); leave it out.")]
    try:
        text.encode()
    except UnicodeEncodeError:
        return [_bad(place, "This text holds half a character (a lone surrogate); leave it out.")]
    return []


def _bad(place: tuple[int | str, ...], detail: str) -> FieldError:
    pointer = pointer_of(place).encode("utf-8", "replace").decode()
    return FieldError(pointer, "invalid_text", detail)


def _http(error: RedressError, status: int, headers: dict[str, str] | None = None) -> HTTPException:
    carrier = HTTPException(status, error.detail, headers)
    carrier.__cause__ = error
    return carrier
