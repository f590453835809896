"""What notification says: what became of each message."""

from __future__ import annotations

from shared.events.base import NotificationEvent


class NotificationSent(NotificationEvent):
    """A gateway took the message."""


class NotificationDelivered(NotificationEvent):
    """The message reached the person's device or mailbox."""


class NotificationFailed(NotificationEvent):
    """Every try on every channel failed; `reason` says why."""


class NotificationSkipped(NotificationEvent):
    """The message was not sent on purpose; `reason` names why."""
