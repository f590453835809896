"""A cursor: the next offset of every partition, in one short word.

It says where to go on in the log itself. There is no second copy of the events whose numbering
could come out of step with the order of commits (architecture.md rule 2).
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable, Sequence

from shared.events import topics
from shared.events.topics import PARTITIONS

PLACES = tuple((topic, number) for topic in topics.PUBLIC for number in range(PARTITIONS))
"""Topic and partition of each number in a cursor."""

_LAYOUT = 1
_CHECK_BYTES = 3
_LONGEST_NUMBER = 9
"""Bytes of an offset: 63 bits, seven in each."""


class BadCursor(ValueError):
    """A cursor that was not made here."""


def encode(offsets: Iterable[int]) -> str:
    """Write the next offset of each of `PLACES` as a cursor."""
    packed = bytearray([_LAYOUT])
    for offset in offsets:
        _pack(packed, offset)
    return base64.urlsafe_b64encode(bytes(packed) + _check(packed)).decode().rstrip("=")


def decode(cursor: str) -> Sequence[int]:
    """Return the next offset of each of `PLACES`; raises BadCursor."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        whole = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise BadCursor from None
    packed, check = whole[:-_CHECK_BYTES], whole[-_CHECK_BYTES:]
    if not packed or packed[0] != _LAYOUT or _check(packed) != check:
        raise BadCursor
    numbers = _unpack(packed[1:])
    if len(numbers) != len(PLACES):
        raise BadCursor
    return numbers


def _check(packed: bytes | bytearray) -> bytes:
    # Against cursors that were cut or mistyped; it hides nothing and proves nothing.
    return zlib.crc32(packed).to_bytes(4, "big")[:_CHECK_BYTES]


def _pack(into: bytearray, number: int) -> None:
    while number > 0x7F:
        into.append(number & 0x7F | 0x80)
        number >>= 7
    into.append(number)


def _unpack(packed: bytes) -> Sequence[int]:
    numbers: list[int] = []
    number = shift = 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(number)
            number = shift = 0
        elif shift >= 7 * _LONGEST_NUMBER:
            raise BadCursor
    if shift:
        raise BadCursor
    return numbers
