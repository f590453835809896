"""Read the routing table that comes with the project (`messages/routing.yaml`)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml
from pydantic import TypeAdapter

from services.notification_service.messages.domain.routing import RoutingTable


@cache
def routing_table() -> RoutingTable:
    """Return the table; every kind has its route (held by a test)."""
    place = files("services.notification_service.messages").joinpath("routing.yaml")
    rows = yaml.safe_load(place.read_text(encoding="utf-8"))
    return TypeAdapter(RoutingTable).validate_python(rows)
