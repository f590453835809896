"""Folds batch after batch into one store, exactly once whatever is repeated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from services.analytics_service.projections.repository.store import (
    ParkedEvent,
    Store,
    UnstorableValue,
)
from services.analytics_service.projections.service.batch import (
    WAITS_FOR_COMPLAINT,
    Batch,
    Reactions,
)
from shared.bus.port import LoggedRecord
from shared.kernel import logging

log = logging.get(__name__)


class Projector:
    """Keeps one store up to date. Not thread-safe: one folding thread per store.

    What could not be folded lies in the store and in memory: a later batch brings what it waits
    for, or an operator sees to it.
    """

    def __init__(self, store: Store, reactions: Reactions, now: Callable[[], datetime]) -> None:
        self._store = store
        self._reactions = reactions
        self._now = now
        self._parked: dict[str, list[ParkedEvent]] = {}
        self._last_id = 0
        for event in store.parked():
            self._parked.setdefault(event.complaint_id, []).append(event)
            self._last_id = max(self._last_id, event.id)

    def parked(self) -> list[ParkedEvent]:
        """Return the records that wait or are broken, in the order in which they were parked."""
        events = [event for waiting in self._parked.values() for event in waiting]
        return sorted(events, key=lambda event: event.id)

    @property
    def parked_count(self) -> int:
        """How many records wait or are broken."""
        return sum(map(len, self._parked.values()))

    def fold(self, records: Sequence[LoggedRecord]) -> int:
        """Fold records into the store in one transaction and return how many were new.

        Where the store refuses a value, the batch is halved until the one record that holds it is
        found and parked: one bad value must not stop everybody else.
        """
        try:
            return self._fold(records)
        except UnstorableValue as wrong:
            if len(records) == 1:
                return self._fold(records, refused=str(wrong))
            middle = len(records) // 2
            return self.fold(records[:middle]) + self.fold(records[middle:])

    def retry(self, complaint: str) -> int:
        """Fold what waits for a complaint, as far as it goes; return how many records that were."""
        return self._within([complaint], lambda batch: batch.retry(complaint))

    def drop(self, event: ParkedEvent) -> int:
        """Give a parked record up for good; return how many that waited behind it were folded."""
        return self._within([event.complaint_id], lambda batch: batch.give_up(event))

    def _fold(self, records: Sequence[LoggedRecord], *, refused: str | None = None) -> int:
        def take_all(batch: Batch) -> None:
            batch.take(records, refused)
            batch.release()

        return self._within([record.key for record in records], take_all)

    def _within(self, keys: Sequence[str], work: Callable[[Batch], None]) -> int:
        """Read the facts, change them and write them in one transaction."""
        batch = Batch(self._store, self._reactions, self._parked, self._now())
        with self._store.transaction():
            batch.load(keys)
            work(batch)
            changes = batch.changes()
            changes.parked = [
                replace(event, id=self._last_id + place)
                for place, event in enumerate(changes.parked, start=1)
            ]
            self._store.write(changes)
        self._last_id += len(changes.parked)
        self._parked = _numbered(batch.parked, changes.parked)
        _tell(changes.parked)
        return batch.folded


def _numbered(
    parked: dict[str, list[ParkedEvent]], stored: Sequence[ParkedEvent]
) -> dict[str, list[ParkedEvent]]:
    """Put the stored events, which have their number, in the place of those without."""
    for event in stored:
        waiting = parked[event.complaint_id]
        waiting[waiting.index(replace(event, id=0))] = event
    return parked


def _tell(parked: Sequence[ParkedEvent]) -> None:
    """Warn of what is broken or missing; waiting for another topic is the usual course."""
    alarming = [event for event in parked if event.reason != WAITS_FOR_COMPLAINT]
    if alarming:
        first = alarming[0]
        log.warning(
            "analytics.parked",
            count=len(alarming),
            complaint_id=first.complaint_id,
            reason=first.reason,
        )
