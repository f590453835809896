"""Roles, what each may do, and who is calling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Scope(StrEnum):
    """One thing that a credential may do."""

    COMPLAINTS_WRITE = "complaints:write"
    COMPLAINTS_READ = "complaints:read"
    PII_READ = "pii:read"
    CASES_READ = "cases:read"
    CASES_WRITE = "cases:write"
    POLICIES_WRITE = "policies:write"
    NOTIFICATIONS_READ = "notifications:read"
    NOTIFICATIONS_WRITE = "notifications:write"
    EVENTS_READ = "events:read"
    TEMPLATES_WRITE = "templates:write"
    TEMPLATES_TEST = "templates:test"
    WEBHOOKS_WRITE = "webhooks:write"
    ANALYTICS_READ = "analytics:read"
    ADMIN = "admin"
    SERVICE = "service"


class Role(StrEnum):
    """What a person or machine is to the company (domain.md)."""

    AGENT = "agent"
    LEAD = "lead"
    MANAGER = "manager"
    QUALITY = "quality"
    EXECUTIVE = "executive"
    DEPARTMENT = "department"
    ANALYST = "analyst"
    ADMIN = "admin"
    INTEGRATION = "integration"


_READING = frozenset(
    {Scope.COMPLAINTS_READ, Scope.CASES_READ, Scope.NOTIFICATIONS_READ, Scope.ANALYTICS_READ}
)
_HANDLING = frozenset(
    {
        Scope.COMPLAINTS_WRITE,
        Scope.COMPLAINTS_READ,
        Scope.PII_READ,
        Scope.CASES_READ,
        Scope.CASES_WRITE,
        Scope.NOTIFICATIONS_READ,
    }
)

ROLES: Mapping[Role, frozenset[Scope]] = MappingProxyType(
    {
        Role.AGENT: _HANDLING,
        Role.LEAD: _HANDLING | {Scope.ANALYTICS_READ},
        Role.MANAGER: _HANDLING | {Scope.ANALYTICS_READ, Scope.POLICIES_WRITE},
        # Supervision and the executive own the cases of levels 3 and 4, and grant more time.
        # Quality are operators too: they decide about messages of which nobody knows.
        Role.QUALITY: _READING
        | {
            Scope.CASES_WRITE,
            Scope.PII_READ,
            Scope.POLICIES_WRITE,
            Scope.TEMPLATES_WRITE,
            Scope.TEMPLATES_TEST,
            Scope.NOTIFICATIONS_WRITE,
        },
        Role.EXECUTIVE: _READING | {Scope.CASES_WRITE},
        Role.DEPARTMENT: frozenset({Scope.COMPLAINTS_READ, Scope.CASES_READ, Scope.CASES_WRITE}),
        Role.ANALYST: frozenset({Scope.ANALYTICS_READ}),
        Role.ADMIN: frozenset(Scope) - {Scope.SERVICE},
        Role.INTEGRATION: frozenset(
            {
                Scope.COMPLAINTS_WRITE,
                Scope.COMPLAINTS_READ,
                Scope.CASES_READ,
                Scope.NOTIFICATIONS_READ,
                Scope.EVENTS_READ,
                Scope.WEBHOOKS_WRITE,
            }
        ),
    }
)
"""The scope `service` belongs to no role: only the services' own credential has it."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling. `id` is the key's id, `local` without one, `service` for a service.

    `by_cookie` tells a browser's session from a machine's key.
    """

    id: str
    roles: frozenset[Role]
    scopes: frozenset[Scope]
    name: str = ""
    by_cookie: bool = False

    def may(self, scope: Scope) -> bool:
        """Tell whether a scope is within reach."""
        return scope in self.scopes


LOCAL = Principal("local", frozenset({Role.ADMIN}), ROLES[Role.ADMIN], name="local")
"""Everybody on this machine while no key has been made and the door is open."""

SERVICE = Principal("service", frozenset(), frozenset({Scope.SERVICE}), name="service")
