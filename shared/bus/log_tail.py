"""The newest records of the local log in memory, as they were published.

Whoever keeps up with the log gets the same objects as everybody else: nothing is read from the
file, and what a record says is read once for all (ADR 13). Whoever is behind reads the file. What
everybody has read is let go: otherwise it would be megabytes for nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from shared.bus.port import LoggedRecord, TopicPartition

_KEPT = 640
"""Records of one partition at most, six kilobytes each with what they say.

An import makes 350 a second of each; the slowest reader rests for a second between its batches.
"""

_CUT = 32
"""Records dropped at a time."""


class LogTail:
    """Holds what was committed last; fill it only after the commit."""

    def __init__(self) -> None:
        self._records: dict[TopicPartition, list[LoggedRecord]] = {}

    def extend(self, records: Iterable[LoggedRecord]) -> None:
        """Add committed records; after a gap, because another process wrote, begin anew."""
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            kept = self._records.setdefault(place, [])
            if kept and kept[-1].offset + 1 != record.offset:
                kept.clear()
            kept.append(record)
            if len(kept) >= _KEPT + _CUT:
                del kept[:_CUT]

    def forget(self, read: Iterable[Mapping[TopicPartition, int]]) -> None:
        """Let go of what lies before the positions of all readers, and of what nobody reads."""
        readers = list(read)
        for partition, kept in self._records.items():
            if not kept:
                continue
            wanted = (positions.get(partition) for positions in readers)
            first = min((at for at in wanted if at is not None), default=kept[-1].offset + 1)
            del kept[: max(0, first - kept[0].offset)]

    def fetch(
        self, positions: Sequence[tuple[TopicPartition, int]], limit: int
    ) -> list[LoggedRecord]:
        """Return at most `limit` records of the first partitions that are here from there on."""
        found: list[LoggedRecord] = []
        for partition, position in positions:
            kept = self._records.get(partition)
            if not kept or position < kept[0].offset or len(found) >= limit:
                break
            start = position - kept[0].offset
            found += kept[start : start + limit - len(found)]
        return found
