"""How many messages are in the hands of each gateway, and whether one of them hangs."""

from __future__ import annotations

from shared.events.words import MessageChannel

FULL = 150
"""So many messages are enough for a gateway that works on them: the others wait in the queue."""

MOST = 250
"""No gateway gets more at a time: one that hangs must not fill all the places there are."""

STALLED_SECONDS = 5.0


class Lanes:
    """One lane for each channel; times are seconds of any clock that never goes back.

    A gateway that is only slow has its next messages wait in the queue. One that hangs may not
    keep those of the others waiting there.
    """

    def __init__(self) -> None:
        self._in_hand = dict.fromkeys(MessageChannel, 0)
        self._moved_at = dict.fromkeys(MessageChannel, 0.0)

    def began(self, channel: MessageChannel, *, now: float) -> None:
        """Count a message that is handed over; an empty lane begins to move with it."""
        if not self._in_hand[channel]:
            self._moved_at[channel] = now
        self._in_hand[channel] += 1

    def ended(self, channel: MessageChannel, *, now: float) -> None:
        """Count a message off that has its result."""
        self._moved_at[channel] = now
        self._in_hand[channel] -= 1

    def is_slow(self, *, now: float, beside: int = 0) -> bool:
        """Tell whether a gateway has enough in hand and works on it, so that the queue can wait.

        `beside` so many are on their way to one of them.
        """
        return any(
            count + beside >= FULL and self._moved_at[channel] > now - STALLED_SECONDS
            for channel, count in self._in_hand.items()
        )

    def room(self) -> dict[MessageChannel, int]:
        """Return how many more each channel takes."""
        return {channel: MOST - count for channel, count in self._in_hand.items()}
