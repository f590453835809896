"""A promise: a dated commitment to the customer (承诺)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PromiseState(StrEnum):
    """What became of a promise."""

    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"
    VOID = "void"
    """The case ended before its time came."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One commitment; its words are kept encrypted under `words_id`.

    `delays` counts the new times that the customer was given, `delays_by_itself` those among them
    that nobody gave. One that was broken and kept later has both times.
    """

    id: str
    words_id: str
    by: str
    made_at: datetime
    due_at: datetime
    owner: str | None = None
    state: PromiseState = PromiseState.OPEN
    delays: int = 0
    delays_by_itself: int = 0
    broken_at: datetime | None = None
    kept_at: datetime | None = None
