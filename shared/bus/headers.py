"""Record headers in one text column: a JSON list of pairs.

Values are bytes that a broken producer may fill with anything, so they travel as Latin-1,
which gives every byte back; what we write ourselves is ASCII and stays readable.
"""

from __future__ import annotations

from functools import lru_cache
from sys import intern

import orjson

from shared.events.envelope import Headers

_ALIKE = frozenset({"ce_specversion", "ce_source", "ce_type", "ce_dataschema", "content-type"})
"""Headers with few values: one pair of each is kept for all the records that lie in memory."""


def pack(headers: Headers) -> str:
    """Write headers as text."""
    return orjson.dumps([(name, value.decode("latin-1")) for name, value in headers]).decode()


def unpack(text: str) -> Headers:
    """Read headers from text written by `pack`."""
    return tuple(
        [
            _alike(name, value) if name in _ALIKE else (intern(name), value.encode("latin-1"))
            for name, value in orjson.loads(text)
        ]
    )


@lru_cache(maxsize=256)
def _alike(name: str, value: str) -> tuple[str, bytes]:
    return intern(name), value.encode("latin-1")
