"""How far an import is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ImportState(StrEnum):
    """`interrupted`: the sender or the process went away; sending the file again goes on."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(slots=True)
class Counts:
    """Rows by what became of them; `read` is the sum of the three others."""

    read: int = 0
    accepted: int = 0
    existing: int = 0
    rejected: int = 0
    warnings: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Import:
    """One import as it is stored."""

    id: str
    mapping: str
    state: ImportState
    counts: Counts
    failure: str | None
    wrapped_key: bytes
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None
