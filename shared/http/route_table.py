"""Which service answers which path: for the dispatcher, the gateway and `/openapi.json`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SITE = "site"
"""Whatever no service owns: start page, API reference, contract, problems, sign-in, health."""

ROUTES: Mapping[str, str] = MappingProxyType(
    {
        "/v1/complaints": "intake",
        "/v1/imports": "intake",
        "/v1/track": "intake",
        "/track": "intake",
        "/v1/customers": "intake",
        "/v1/internal/intake": "intake",
        "/v1/cases": "workflow",
        "/cases": "workflow",
        "/answer": "workflow",
        "/v1/callbacks": "workflow",
        "/callbacks": "workflow",
        "/v1/organisation": "workflow",
        "/v1/policies": "workflow",
        "/v1/calendars": "workflow",
        "/v1/business-time": "workflow",
        "/v1/internal/workflow": "workflow",
        "/v1/notifications": "notification",
        "/v1/webhooks": "notification",
        "/v1/events": "notification",
        "/v1/tone-check": "notification",
        "/v1/reply-scripts": "notification",
        "/v1/letters": "notification",
        "/v1/notices": "notification",
        "/v1/receipts": "notification",
        "/v1/templates": "notification",
        "/survey": "notification",
        "/preferences": "notification",
        "/v1/surveys": "notification",
        "/outbox": "notification",
        "/templates": "notification",
        "/v1/internal/notification": "notification",
        "/v1/analytics": "analytics",
        "/dashboard": "analytics",
        "/v1/internal/analytics": "analytics",
    }
)


WITHIN: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"/v1/customers": MappingProxyType({"preferences": "notification"})}
)
"""What another service answers about one thing of a prefix, by the segment after the thing's id:
exactly `/v1/customers/{id}/preferences`, neither more nor less."""


def service_of(path: str) -> str:
    """Return the service that owns a path, `SITE` where none does. Prefixes end at a slash."""
    # Two or three segments decide, so the usual path is found without walking the table.
    parts = path.split("/", 4)
    for depth in (4, 3, 2):
        prefix = "/".join(parts[:depth])
        owner = ROUTES.get(prefix)
        if owner is not None:
            return (_within(prefix, path) or owner) if prefix in WITHIN else owner
    return SITE


def _within(prefix: str, path: str) -> str | None:
    rest = path[len(prefix) + 1 :].split("/")
    return WITHIN[prefix].get(rest[1]) if len(rest) == 2 and rest[0] else None
