"""When a message that a gateway did not take is tried again."""

from __future__ import annotations

from datetime import timedelta

MOST_TRIES = 7
"""Tries on one channel before the other is taken: with the longest pauses about ten minutes."""

_FIRST_SECONDS = 2.0
_GROWTH = 3.0


def pause_after(tries: int, *, jitter: float, longest: timedelta) -> timedelta:
    """Return how long to wait after the `tries`-th failure; `jitter` is drawn from 0…1.

    Half of the pause is fixed and half is drawn, so that messages that failed together do not
    come back together, and none comes back at once.
    """
    full = min(_FIRST_SECONDS * _GROWTH ** (tries - 1), longest.total_seconds())
    return timedelta(seconds=full * (0.5 + 0.5 * jitter))
