"""Who of several people gets a case: there first, then the least loaded, then by the hash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from zlib import crc32

from services.workflow_service.organisation.domain.person import Person

_ENOUGH = 1_000_000_000
"""Heavier than anybody's load: puts who has enough behind everybody else."""
_HEAVIEST = 2 * _ENOUGH


def least_loaded(
    people: Iterable[Person], *, load: Mapping[str, int], complaint_id: str
) -> str | None:
    """Return who has the fewest open cases; those who have enough come last.

    Among equals a hash decides, not a counter: replicas need not agree on anything, and a replayed
    event routes alike.
    """
    lightest, equals = _HEAVIEST, list[str]()
    for person in people:
        weight = load.get(person.id, 0)
        if person.max_load is not None and weight >= person.max_load:
            weight += _ENOUGH
        if weight < lightest:
            lightest, equals = weight, [person.id]
        elif weight == lightest:
            equals.append(person.id)
    return equals[crc32(complaint_id.encode()) % len(equals)] if equals else None
