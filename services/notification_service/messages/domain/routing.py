"""The routing table: the channel of a message by kind, audience, urgency and what is known."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import BaseModel, ConfigDict

from services.notification_service.messages.domain.words import Kind
from shared.events.words import Audience, MessageChannel, Urgency

Channels = tuple[MessageChannel, ...]


class Route(BaseModel):
    """The channels of one kind, preferred first, for calm and urgent complaints."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calm: Channels
    urgent: Channels


RoutingTable = dict[Audience, dict[Kind, Route]]


def channel_for(
    route: Route,
    urgency: str,
    *,
    known: Collection[MessageChannel],
    tried: Collection[str] = (),
) -> MessageChannel | None:
    """Return the first channel that has an address and was not given up; None without one."""
    urgent = urgency in {Urgency.HIGH, Urgency.IMMEDIATE}
    for channel in route.urgent if urgent else route.calm:
        if channel in known and channel not in tried:
            return channel
    return None
