"""The words of webhooks."""

from __future__ import annotations

from enum import StrEnum


class WebhookState(StrEnum):
    """Whether a subscription is sent to. In each of them its deliveries gather."""

    ACTIVE = "active"
    PAUSED = "paused"
    """Somebody paused it."""
    SUSPENDED = "suspended"
    """It failed for long: only probed until it answers again."""
    DISABLED = "disabled"
    """It answered 410 Gone."""


class DeliveryState(StrEnum):
    """What became of one event on its way to one endpoint."""

    PENDING = "pending"
    DELIVERED = "delivered"
    PARKED = "parked"
    """Given up after the last try; holds its complaint back until it is sent again or skipped."""
    SKIPPED = "skipped"
    """Somebody let the complaint go on without it."""


class LaneState(StrEnum):
    """Whether a complaint's way to an endpoint is open."""

    OPEN = "open"
    PARKED = "parked"
