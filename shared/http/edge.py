"""The outermost middleware: request id, trace, metrics, access log, security headers, HEAD.

Whatever answers GET answers HEAD with the same headers and no body (RFC 9110 §9.3.2), as monitors
and link scanners ask; no route says so itself, and OpenAPI is not twice as long for it.

Plain ASGI and one layer for all of it: intake answers thousands of requests a second, and
Starlette's BaseHTTPMiddleware alone would cost a third of that.
"""

from __future__ import annotations

import re
import time
from secrets import token_hex

import structlog
from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.kernel import logging, trace

log = logging.get("access")

FAULT_TOLD = "redress.fault_told"
"""Set in the scope once a fault of ours was logged and answered."""

ASKED = "redress.asked"
"""Set in the scope to the method that was asked for where another is answered: HEAD as GET."""

_SLOW_SECONDS = 1.0
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_SECONDS = Histogram(
    "redress_http_request_seconds",
    "Time from a request's first byte to the last of its answer",
    ["service", "method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # Not `no-referrer`: with it browsers send `Origin: null` on our own forms.
    (b"referrer-policy", b"same-origin"),
)


class Edge:
    """Stands around a whole app, its error answers included."""

    def __init__(self, app: ASGIApp, *, service: str) -> None:
        self._app = app
        self._service = service
        self._children: dict[tuple[str, str, int], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and write down how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id, traceparent = _incoming(scope)
        heads_only = scope["method"] == "HEAD"
        if heads_only:
            # The server keeps its own scope: by that it knows that no body is to be expected.
            scope = {**scope, "method": "GET", ASKED: "HEAD"}
        tokens = structlog.contextvars.bind_contextvars(request_id=request_id)
        token = trace.current.set(trace.child_of(traceparent))
        status = 500
        ended = False

        async def send_with_headers(message: Message) -> None:
            nonlocal status, ended
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    *_ALWAYS,
                    (b"x-request-id", request_id.encode()),
                ]
            else:
                ended = not message.get("more_body", False)
                if heads_only:
                    message = {**message, "body": b""}
            await send(message)

        scope["redress.request_id"] = request_id
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            # Starlette raises again what it has answered; the server would log it a second time.
            if not (ended and scope.get(FAULT_TOLD)):
                raise
        finally:
            self._note(scope, status, time.perf_counter() - began)
            trace.current.reset(token)
            structlog.contextvars.reset_contextvars(**tokens)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        asked = method_of(scope)
        method = asked if asked in _METHODS else "other"
        route = template_of(scope)
        found = (method, route, status // 100)
        child = self._children.get(found)
        if child is None:
            labels = (self._service, method, route, f"{status // 100}xx")
            child = self._children[found] = _SECONDS.labels(*labels)
        child.observe(seconds)
        # The usual answer is told at debug only: a line each would cost more than the answer.
        tell = log.error if status >= 500 else log.debug
        if 400 <= status < 500 or seconds > _SLOW_SECONDS:
            tell = log.info
        tell(
            "request",
            method=method,
            route=route,
            status=status,
            seconds=round(seconds, 4),
            service=self._service,
        )


def _incoming(scope: Scope) -> tuple[str, str | None]:
    request_id = traceparent = None
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            request_id = value.decode()
        elif name == b"traceparent":
            traceparent = value.decode("latin-1")
    return request_id or token_hex(8), traceparent


def method_of(scope: Scope) -> str:
    """Return the method that the client asked for."""
    asked: str = scope.get(ASKED) or scope["method"]
    return asked


def template_of(scope: Scope) -> str:
    """Return the route's template, or `none`.

    Paths themselves would make a time series for every id, and give the log tracking tokens.
    """
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "none"
