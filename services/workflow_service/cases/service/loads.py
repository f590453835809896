"""The load of people as routing sees it: counted now and then, counted up in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from services.workflow_service.cases.repository.loads import open_loads

COUNTED_EVERY = timedelta(seconds=5)


class Loads:
    """Open cases by owner in this process.

    Replicas see each other's assignments within COUNTED_EVERY: good enough to spread work evenly,
    and no case waits for a count.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._people: frozenset[str] = frozenset()
        self._counted_at: datetime | None = None

    @property
    def last_known(self) -> Mapping[str, int]:
        """The counts as they were last asked for, and counted up since."""
        return self._counts

    async def current(
        self, connection: AsyncConnection, people: Collection[str], *, now: datetime
    ) -> Counter[str]:
        """Return the counts, counted anew where they are old or people joined.

        Ask once a batch and count up what the batch assigns (`counts[owner] += 1`): the next batch
        sees it. A clock that was moved back counts anew.
        """
        known, at = self._people, self._counted_at
        fresh = at is not None and timedelta(0) <= now - at < COUNTED_EVERY
        if not fresh or not known.issuperset(people):
            self._counts = Counter(await open_loads(connection, people))
            self._people, self._counted_at = frozenset(people), now
        return self._counts
