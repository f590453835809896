"""How many messages a gateway may be given: a rate with a burst, without a thread or a sleep."""

from __future__ import annotations

from datetime import datetime, timedelta

_FORGOTTEN_AFTER = timedelta(minutes=10)
_MOST_PLACES = 10_000


class RateLimit:
    """Gives every message its turn: `burst` at once, then `per_second`.

    A message that must wait gets a place in the queue, and its turn is certain when it comes
    back for it: whoever comes meanwhile lines up behind (the generic cell rate algorithm, with
    the places remembered). One process counts for itself.
    """

    def __init__(self, per_second: float, *, burst: int) -> None:
        self._pause = timedelta(seconds=1 / per_second)
        self._burst = self._pause * (burst - 1)
        self._next: datetime | None = None
        self._places: dict[str, datetime] = {}

    def turn(self, message_id: str, *, now: datetime) -> datetime:
        """Return when the message may go: `now` or before means at once, and uses the turn up."""
        place = self._places.get(message_id)
        if place is None:
            place = self._line_up(now)
            if place > now:
                self._remember(message_id, place, now)
        if place <= now:
            self._places.pop(message_id, None)
        return place

    def _line_up(self, now: datetime) -> datetime:
        idle = now - self._burst
        place = max(self._next, idle) if self._next is not None else idle
        self._next = place + self._pause
        return place

    def _remember(self, message_id: str, place: datetime, now: datetime) -> None:
        if len(self._places) >= _MOST_PLACES:
            # Messages that were cancelled never come back for their place.
            kept = {one: at for one, at in self._places.items() if at > now - _FORGOTTEN_AFTER}
            self._places = kept
        self._places[message_id] = place
