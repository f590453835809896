"""Record headers in one text column: a JSON list of pairs.

Values are bytes that a broken producer may fill with anything, so they travel as Latin-1,
which gives every byte back; what we write ourselves is ASCII and stays readable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from sys import intern
from typing import Any

import orjson

from shared.events.envelope import Envelope, Headers

_ALIKE = frozenset({"ce_specversion", "ce_source", "ce_type", "ce_dataschema", "content-type"})
"""Headers with few values: one pair of each is kept for all the records that lie in memory."""


class PackedHeaders(Sequence[tuple[str, bytes]]):
    """Headers as the text they are stored as, read where somebody asks for them.

    Most records of the local log are passed on as they are, and of their headers only the envelope
    is asked for.
    """

    __slots__ = ("_pairs", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._pairs: tuple[tuple[str, bytes], ...] | None = None

    def envelope(self) -> Envelope:
        """Read the envelope; raises BrokenEnvelope."""
        # What is not ASCII stands here byte by byte, as Latin-1.
        if self.text.isascii():
            return Envelope.from_texts(dict(orjson.loads(self.text)))
        return Envelope.from_headers(self)

    def pairs(self) -> tuple[tuple[str, bytes], ...]:
        """Return them one by one."""
        if self._pairs is None:
            self._pairs = unpack(self.text)
        return self._pairs

    def __getitem__(self, place: Any) -> Any:
        """Return one of them, or some."""
        return self.pairs()[place]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.pairs())

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Go through them in order."""
        return iter(self.pairs())

    def __eq__(self, other: object) -> bool:
        """Tell whether others are the same, packed or not."""
        return isinstance(other, Sequence) and self.pairs() == tuple(other)

    def __hash__(self) -> int:
        """Return the hash of the pairs."""
        return hash(self.pairs())


def pack_envelope(envelope: Envelope) -> str:
    """Write an envelope as `pack` writes its headers."""
    written = orjson.dumps(envelope.to_texts())
    return written.decode() if written.isascii() else pack(envelope.to_headers())


def pack(headers: Headers) -> str:
    """Write headers as text."""
    if isinstance(headers, PackedHeaders):
        return headers.text
    return orjson.dumps([(name, value.decode("latin-1")) for name, value in headers]).decode()


def unpack(text: str) -> tuple[tuple[str, bytes], ...]:
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
