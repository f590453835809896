"""The topics, and which of a topic's partitions a key belongs to."""

from __future__ import annotations

import struct
from functools import lru_cache

COMPLAINTS = "redress.complaints.v1"
NOTIFICATIONS = "redress.notifications.v1"
SIGNALS = "redress.signals.v1"
DEAD_LETTERS = "redress.dead-letters.v1"

ALL = (COMPLAINTS, NOTIFICATIONS, SIGNALS, DEAD_LETTERS)
PUBLIC = (COMPLAINTS, NOTIFICATIONS, SIGNALS)
"""What other systems are told of."""

PARTITIONS = 12
"""Every topic has twelve partitions for good: adding some would move keys and break order."""

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995


@lru_cache(maxsize=4096)
def partition_of(key: str) -> int:
    """Return the partition Kafka's default partitioner gives a key (murmur2, positive, modulo)."""
    return (_murmur2(key.encode()) & 0x7FFFFFFF) % PARTITIONS


def _murmur2(data: bytes) -> int:
    """Kafka's murmur2 (org.apache.kafka.common.utils.Utils), 32 bits, seed 0x9747b28c."""
    length = len(data)
    h = 0x9747B28C ^ length
    words, whole = length // 4, length & ~3
    for word in struct.unpack_from(f"<{words}I", data):
        k = word * _M & _MASK
        h = (h * _M & _MASK) ^ ((k ^ k >> 24) * _M & _MASK)
    if length > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15
