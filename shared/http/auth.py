"""Who is calling, and whether they may.

Machines send `Authorization: Bearer <key>`, browsers the cookie that `/sign-in` gave them for a
key, services their own credential. While no key has been made, an open loopback lets everybody in
as admin; `shared.http.origin` keeps foreign pages from using that door.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Depends
from starlette.requests import HTTPConnection

from shared.http.access import LOCAL, ROLES, SERVICE, Principal, Role, Scope
from shared.http.keys import ApiKey, KeyStore
from shared.http.origin import require_same_origin
from shared.http.rate import RateLimiter
from shared.http.sessions import COOKIE, Sessions
from shared.kernel.errors import ConfigurationError, Forbidden, NotAuthenticated

__all__ = [
    "ROLES",
    "ApiKey",
    "Gate",
    "KeyStore",
    "MissingScope",
    "Principal",
    "Role",
    "Scope",
    "authenticate",
    "ensure_may_listen",
    "principal_of",
    "requires",
]

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class MissingScope(Forbidden):
    """The credential lacks a scope (403); the problem names it as `scope`."""

    TEXT = "This needs the scope %(scope)s, which the credential does not have."

    def __init__(self, scope: Scope) -> None:
        super().__init__(self.TEXT % {"scope": scope.value})
        self.extensions = {"scope": scope.value}


@dataclass(frozen=True, slots=True)
class Gate:
    """What it takes to tell who is calling: on `app.state.gate`, put there by `create_app`."""

    keys: KeyStore
    sessions: Sessions
    rate: RateLimiter
    open_on_loopback: bool

    def admit(self, connection: HTTPConnection) -> Principal:
        """Return who is calling; raises NotAuthenticated, Forbidden or RateLimited."""
        secret = _bearer(connection)
        if secret is not None:
            return self._by_secret(secret)
        cookie = connection.cookies.get(COOKIE) if "cookie" in connection.headers else None
        if cookie is not None:
            key = self.sessions.read(cookie)
            if key is not None:
                return self._by_session(connection, key)
        if self.open_on_loopback and not self.keys.has_keys:
            return LOCAL
        raise NotAuthenticated("Send an API key as `Authorization: Bearer …`, or sign in.")

    def _by_secret(self, secret: str) -> Principal:
        if hmac.compare_digest(secret.encode(), self.keys.service_credential.encode()):
            return SERVICE
        key = self.keys.find(secret)
        if key is None:
            raise NotAuthenticated("This API key is not known; it may have been revoked.")
        self.rate.take(key.id)
        return _principal(key)

    def _by_session(self, connection: HTTPConnection, key: ApiKey) -> Principal:
        if connection.scope["method"] not in _SAFE_METHODS:
            require_same_origin(connection)
        self.rate.take(key.id)
        return _principal(key, by_cookie=True)


def authenticate(connection: HTTPConnection) -> Principal:
    """Return who is calling, the same for the whole request; raises NotAuthenticated and alike."""
    known: Principal | None = connection.scope.get("redress.principal")
    if known is None:
        gate: Gate = connection.app.state.gate
        known = gate.admit(connection)
        connection.scope["redress.principal"] = known
    return known


def principal_of(connection: HTTPConnection, scope: Scope) -> Principal:
    """Return who is calling; raises MissingScope where it is out of reach. For hot paths."""
    principal = authenticate(connection)
    if not principal.may(scope):
        raise MissingScope(scope)
    return principal


def requires(scope: Scope) -> Callable[[HTTPConnection], Awaitable[Principal]]:
    """Make a FastAPI dependency that lets in who has the scope: `Depends(requires(Scope.X))`."""

    async def dependency(connection: HTTPConnection) -> Principal:
        return principal_of(connection, scope)

    return dependency


def guard(scope: Scope) -> list[object]:
    """Return `dependencies=` for a router whose every path needs the scope."""
    return [Depends(requires(scope))]


def ensure_may_listen(host: str, keys: KeyStore) -> None:
    """Raise ConfigurationError for an address that others can reach while no key exists."""
    if is_loopback(host) or keys.has_keys:
        return
    raise ConfigurationError(
        "REDRESS_HOST",
        f"listening on {host or 'every address'} needs an API key first:"
        " `python -m services keys create --role admin`",
    )


def is_loopback(host: str) -> bool:
    """Tell whether an address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _bearer(connection: HTTPConnection) -> str | None:
    header = connection.headers.get("authorization")
    if header is None:
        return None
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise NotAuthenticated("Authorization must be `Bearer <API key>`.")
    return secret.strip()


def _principal(key: ApiKey, *, by_cookie: bool = False) -> Principal:
    return Principal(key.id, frozenset({key.role}), ROLES[key.role], key.name, by_cookie)
