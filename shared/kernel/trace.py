"""The trace that the present work belongs to: one W3C `traceparent`, carried by a context variable.

`shared.http` sets it from the request, the dispatcher from the event that it handles; whatever is
published or logged meanwhile belongs to the same trace.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

current: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The `traceparent` of the present work, None outside any trace."""


def parse(text: str | None) -> str | None:
    """Return the traceparent if it is a valid one of version 00, else None."""
    return text if text is not None and _FORM.fullmatch(text) else None


def new() -> str:
    """Return the traceparent of a new, sampled trace."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def child_of(parent: str | None) -> str:
    """Return a traceparent with a span of its own in the parent's trace, or in a new one."""
    if parse(parent) is None or parent is None:
        return new()
    version, trace_id, _span, flags = parent.split("-")
    return f"{version}-{trace_id}-{secrets.token_hex(8)}-{flags}"


@contextmanager
def within(traceparent: str | None) -> Iterator[None]:
    """Do the enclosed work as part of a trace."""
    token = current.set(traceparent)
    try:
        yield
    finally:
        current.reset(token)
