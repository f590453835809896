"""The routing table: the channel of a message by kind, audience, urgency and what is known."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from services.notification_service.messages.domain.words import Kind
from shared.events.words import Audience, MessageChannel, Urgency

Channels = tuple[MessageChannel, ...]


class Route(BaseModel):
    """The channels of one kind, preferred first, for calm and urgent complaints."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calm: Channels
    urgent: Channels


Table = dict[Audience, dict[Kind, Route]]


@cache
def routing_table() -> Table:
    """Read the table that comes with the project (`routing.yaml`)."""
    text = files(__package__).joinpath("routing.yaml").read_text(encoding="utf-8")
    return TypeAdapter(Table).validate_python(yaml.safe_load(text))


def channel_for(
    kind: Kind,
    audience: Audience,
    urgency: str,
    *,
    known: Collection[MessageChannel],
    tried: Collection[str] = (),
) -> MessageChannel | None:
    """Return the first channel that has an address and was not given up; None without one."""
    route = routing_table()[audience][kind]
    mood: Literal["calm", "urgent"] = (
        "urgent" if urgency in {Urgency.HIGH, Urgency.IMMEDIATE} else "calm"
    )
    for channel in getattr(route, mood):
        if channel in known and channel not in tried:
            chosen: MessageChannel = channel
            return chosen
    return None
