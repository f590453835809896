"""Who of several people gets a case: there first, then the least loaded, then by the hash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from zlib import crc32

from services.workflow_service.organisation.domain.person import Person


def least_loaded(
    people: Iterable[Person], *, load: Mapping[str, int], complaint_id: str
) -> str | None:
    """Return who has the fewest open cases; those who have enough come last.

    Among equals a hash decides, not a counter: replicas need not agree on anything, and a replayed
    event routes alike.
    """
    weighed = [(_weight(person, load.get(person.id, 0)), person.id) for person in people]
    if not weighed:
        return None
    lightest = min(weight for weight, _ in weighed)
    equals = [person_id for weight, person_id in weighed if weight == lightest]
    return equals[crc32(complaint_id.encode()) % len(equals)]


def _weight(person: Person, load: int) -> tuple[bool, int]:
    return person.max_load is not None and load >= person.max_load, load
