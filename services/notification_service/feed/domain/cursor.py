"""A cursor: the next offset of every partition, and of which log, in one short word.

It says where to go on in the log itself. There is no second copy of the events whose numbering
could come out of step with the order of commits (architecture.md rule 2).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shared.events import topics
from shared.events.topics import PARTITIONS

PLACES = tuple((topic, number) for topic in topics.PUBLIC for number in range(PARTITIONS))
"""Topic and partition of each number in a cursor."""

_WITHOUT_LOG, _WITH_LOG = 1, 2
"""The layouts: the first stands in what readers have kept, and is still read."""
_LOG_BYTES = 6
_CHECK_BYTES = 3
_LONGEST_NUMBER = 9
"""Bytes of an offset: 63 bits, seven in each."""


class BadCursor(ValueError):
    """A cursor that was not made here."""


class Cursor(NamedTuple):
    """What a cursor says; `log` is the mark of the log it is of, None in an old one."""

    offsets: Sequence[int]
    log: bytes | None


def mark_of(identity: str) -> bytes:
    """Return what stands for a log in its cursors: enough to tell logs apart by."""
    return hashlib.sha256(identity.encode()).digest()[:_LOG_BYTES]


def encode(offsets: Iterable[int], log: bytes) -> str:
    """Write the next offset of each of `PLACES` in the log of a mark as a cursor."""
    packed = bytearray([_WITH_LOG]) + log
    for offset in offsets:
        _pack(packed, offset)
    return base64.urlsafe_b64encode(bytes(packed) + _check(packed)).decode().rstrip("=")


def decode(cursor: str) -> Cursor:
    """Return the next offset of each of `PLACES`, and of which log; raises BadCursor."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        whole = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise BadCursor from None
    packed, check = whole[:-_CHECK_BYTES], whole[-_CHECK_BYTES:]
    if not packed or packed[0] not in {_WITHOUT_LOG, _WITH_LOG} or _check(packed) != check:
        raise BadCursor
    length = _LOG_BYTES if packed[0] == _WITH_LOG else 0
    log, numbers = packed[1 : 1 + length], _unpack(packed[1 + length :])
    if len(numbers) != len(PLACES) or len(log) != length:
        raise BadCursor
    return Cursor(numbers, log or None)


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
