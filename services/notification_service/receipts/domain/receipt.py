"""A receipt: a gateway's word on whether a message reached the person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Arrival(StrEnum):
    """What became of a message after the gateway took it."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt; it names the message by the gateway's own name, by our reference, or by both.

    `code` is the gateway's word for why, `happened_at` when by the gateway's clock.
    """

    gateway: str
    arrival: Arrival
    reference: str | None = None
    message_id: str | None = None
    code: str | None = None
    happened_at: datetime | None = None

    @property
    def key(self) -> str:
        """What tells two receipts of one gateway apart; a duplicate has the same."""
        return f"{self.reference or ''}|{self.message_id or ''}|{self.arrival}"
