"""What operators get to see of the projection."""

from __future__ import annotations

from pydantic import BaseModel


class RebuildDone(BaseModel):
    """What a rebuild replayed, how many facts came of it, and how long it took."""

    events: int
    facts: int
    took_seconds: float
