"""The port to a gateway: what is handed over, and what may go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.events.words import MessageChannel


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message as a gateway gets it; `reference` is ours and stays the same on every try.

    `values` are the message's single facts, written out: what vendors put into wordings that
    they have approved, where they take no free text. A POST to `unsubscribe_url` stops what need
    not be sent (RFC 8058); what is owed has none.
    """

    reference: str
    channel: MessageChannel
    address: str
    text: str
    number: str
    kind: str
    occurrence: int
    created_at: datetime
    subject: str | None = None
    html: str | None = None
    locale: str = "zh-CN"
    values: Mapping[str, str] = field(default_factory=dict)
    unsubscribe_url: str | None = None


class GatewayError(Exception):
    """A gateway did not say that it took the message; `reason` is for an operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        # A code is whatever the other side sent; what is no text would fail in the database.
        self.reason = "".join(filter(str.isprintable, reason))[:200]


class Refused(GatewayError):
    """It will never take this message for this address: the other channel is next."""


class NotAccepted(GatewayError):
    """It certainly did not take the message now; trying again can help."""


class Uncertain(GatewayError):
    """It may have taken the message: the answer was lost or unclear."""


class Gateway(Protocol):
    """Takes messages of one channel."""

    @property
    def repeatable(self) -> bool:
        """Tell whether handing over the same reference again cannot reach the person twice.

        True where the gateway deduplicates by our reference, and for e-mail, whose readers do by
        the Message-ID. Where it is False an uncertain message is left to an operator.
        """
        ...

    async def send(self, message: Outgoing) -> str | None:
        """Return the gateway's own name for the message that it took, None where it gives none.

        Receipts come under that name. Raises a GatewayError where it did not take the message.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
