"""Record headers in one text column: a JSON list of pairs.

Values are bytes that a broken producer may fill with anything, so they travel as Latin-1,
which gives every byte back; what we write ourselves is ASCII and stays readable.
"""

from __future__ import annotations

import orjson

from shared.events.envelope import Headers


def pack(headers: Headers) -> str:
    """Write headers as text."""
    return orjson.dumps([(name, value.decode("latin-1")) for name, value in headers]).decode()


def unpack(text: str) -> Headers:
    """Read headers from text written by `pack`."""
    return tuple([(name, value.encode("latin-1")) for name, value in orjson.loads(text)])
