"""What follows from a receipt, by where its message stands."""

from __future__ import annotations

from enum import StrEnum

from services.notification_service.receipts.domain.receipt import Arrival


class Step(StrEnum):
    """What a receipt does to its message."""

    DELIVER = "deliver"
    """It has arrived, whatever was thought before: nothing is sent any more."""
    FALL_BACK = "fall_back"
    """It has not: the other channel is next."""
    NOTE = "note"
    """Nothing: the receipt is kept as a proof and that is all."""


# The states are written out: this table must be read against the one of messages.
_ARRIVED = frozenset({"queued", "sent", "unknown", "undelivered", "failed"})
_MISSED = frozenset({"sent", "unknown"})


def step_for(arrival: Arrival, state: str, *, is_current: bool) -> Step:
    """Return what to do; `is_current`: the receipt is about the channel the message stands on.

    A late `undelivered` of a channel that was given up, or after a `delivered`, changes nothing.
    """
    if arrival is Arrival.DELIVERED:
        return Step.DELIVER if state in _ARRIVED else Step.NOTE
    return Step.FALL_BACK if state in _MISSED and is_current else Step.NOTE
