"""What proves that a customer was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Proof(StrEnum):
    """How far it is proven that a message reached the customer."""

    DELIVERED = "delivered"
    """A receipt says so."""
    ACCEPTED = "accepted"
    """The gateway took it, and it is one that sends no receipts (or an operator knows it sent)."""
    AWAITED = "awaited"
    """The gateway took it and owes a receipt."""
    NONE = "none"
    """Nothing does."""


@dataclass(frozen=True, slots=True)
class Handing:
    """What one hand-over contributes: whether a receipt is owed, and what came of it."""

    receipt_due_at: datetime | None
    arrival: str | None


def proof_of(state: str, handings: Sequence[Handing]) -> Proof:
    """Return the proof there is; `handings` oldest first."""
    if state == "delivered" or any(one.arrival == "delivered" for one in handings):
        return Proof.DELIVERED
    if state != "sent":
        return Proof.NONE
    newest = handings[-1] if handings else Handing(None, None)
    owed = newest.receipt_due_at is not None and newest.arrival is None
    return Proof.AWAITED if owed else Proof.ACCEPTED
