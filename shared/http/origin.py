"""Keep foreign pages out.

A browser on this machine can reach loopback, and so can any page it shows: by a form, or by a
name of the page's own that is made to point here (DNS rebinding). The Origin header tells of the
first, the Host header of the second.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.http.body import Refuse
from shared.kernel.errors import Forbidden

_OF_BROWSERS = frozenset({b"origin", b"sec-fetch-site"})
_MOST_HOSTS = 64

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


class ForeignCaller(Forbidden):
    """A request that a page of another site made, or that came under another name."""

    code = "foreign-caller"
    title = "Asked by another site"


class OriginGuard:
    """ASGI middleware: while `is_open`, only this machine's names and pages are answered."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        is_open: Callable[[], bool],
        names: frozenset[str],
        refuse: Refuse,
    ) -> None:
        self._app = app
        self._is_open = is_open
        self._names = names | LOOPBACK_NAMES
        self._refuse = refuse
        self._good_hosts: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or refuse it."""
        if scope["type"] == "http" and self._is_open() and not self._is_program(scope):
            connection = HTTPConnection(scope)
            try:
                self._check(connection)
            except ForeignCaller as refused:
                await self._refuse(connection, refused)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_program(self, scope: Scope) -> bool:
        """Tell, in one walk over the headers, that no browser asks, under a name that was good."""
        host = b""
        for name, value in scope["headers"]:
            if name in _OF_BROWSERS or (name == b"host" and host):
                return False
            if name == b"host":
                host = value
        return host in self._good_hosts

    def _check(self, connection: HTTPConnection) -> None:
        host = _name(connection.headers.get("host", ""))
        if host not in self._names:
            raise ForeignCaller(
                f"While no API key exists, only this machine is answered: use http://127.0.0.1,"
                f" not {host or 'no Host'}. `python -m services keys create --role admin`"
                " makes a key."
            )
        if len(self._good_hosts) < _MOST_HOSTS:
            self._good_hosts.add(connection.headers["host"].encode("latin-1"))
        require_same_origin(connection)


def require_same_origin(connection: HTTPConnection) -> None:
    """Raise ForeignCaller where a page of another site made the request."""
    headers = connection.headers
    origin = headers.get("origin")
    if origin is not None:
        if origin == "null" or _netloc(origin) != headers.get("host", "").lower():
            raise ForeignCaller(f"A page of {origin} made this request; it may not.")
        return
    # Browsers that leave Origin out of a navigation still tell where it came from; following a
    # link from elsewhere to a page of ours is harmless, sending a form from there is not.
    follows_link = headers.get("sec-fetch-mode") == "navigate" and (
        connection.scope["method"] in {"GET", "HEAD"}
    )
    if headers.get("sec-fetch-site") == "cross-site" and not follows_link:
        raise ForeignCaller("A page of another site made this request; it may not.")


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # such as half an IPv6 address
        return ""


def _name(host: str) -> str:
    try:
        return (urlsplit("//" + host).hostname or "").lower()
    except ValueError:
        return ""
