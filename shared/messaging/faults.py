"""Which failures pass by themselves, and how a failure is named without anybody's data."""

from __future__ import annotations

import traceback
from pathlib import PurePath

import httpx
from sqlalchemy.exc import DBAPIError

from shared.db.failures import is_passing
from shared.kernel.errors import RateLimited, RedressError, Unavailable
from shared.messaging.marks import MarksMoved

_TRANSIENT = (
    Unavailable, RateLimited, MarksMoved, httpx.TransportError, ConnectionError, TimeoutError,
)  # fmt: skip


def is_transient(failure: Exception) -> bool:
    """Tell whether trying the same again can help."""
    if isinstance(failure, _TRANSIENT):
        return True
    return isinstance(failure, DBAPIError) and is_passing(failure)


def reason_of(failure: Exception) -> str:
    """Name a failure by its class and place.

    Its words only where they are ours: those of a driver or of Python may quote what customers
    wrote, and the reason goes to the log, which must hold no personal data.
    """
    words = f": {failure.detail}" if isinstance(failure, RedressError) else ""
    frames = traceback.extract_tb(failure.__traceback__)
    ours = [f for f in frames if not PurePath(f.filename).is_relative_to(_HERE)]
    places = [f for f in ours if {"services", "shared", "tests"} & set(PurePath(f.filename).parts)]
    place = f" at {PurePath(places[-1].filename).name}:{places[-1].lineno}" if places else ""
    return f"{type(failure).__name__}{words}{place}"


_HERE = PurePath(__file__).parent
