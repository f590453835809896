"""Routes that are described like any other and answered without FastAPI's machinery.

Solving dependencies, validating twice and serialising through a response model cost more than
storing the complaint does, and finding the route through routers and exception wrappers a fifth
of the whole. A raw route has a `signature`, from which OpenAPI is made, and a `handler`, which
gets the request and answers it; `Direct` finds it by method and path before any router.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]

_HANDLER = "redress_raw_handler"


def described_by(signature: Callable[..., object], handler: Handler) -> Callable[..., object]:
    """Return the signature as an endpoint that `handler` answers."""
    setattr(signature, _HANDLER, handler)
    return signature


class RawRoute(APIRoute):
    """A route whose endpoint was made by `described_by`."""

    @property
    def raw_handler(self) -> Handler:
        """What answers the request."""
        handler: Handler = getattr(self.endpoint, _HANDLER)
        return handler

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers the request."""
        handler = self.raw_handler

        async def answer(request: Request) -> Response:
            return await handler(request)

        return answer


RawRoutes = Mapping[tuple[str, str], tuple[RawRoute, Handler]]
"""By method and path: the route, and what answers it."""


def raw_routes(routers: Sequence[APIRouter]) -> RawRoutes:
    """Return the raw routes among the routers' whose paths have no parameters."""
    return {
        (method, route.path): (route, route.raw_handler)
        for router in routers
        for route in router.routes
        if isinstance(route, RawRoute) and not route.param_convertors
        for method in route.methods or ()
    }


class Direct:
    """ASGI middleware: answers raw routes behind `guarded`, and passes on every other request."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        owner: FastAPI,
        routes: RawRoutes,
        guarded: Callable[[ASGIApp], ASGIApp],
    ) -> None:
        self._app = app
        self._owner = owner
        self._routes = routes
        self._guarded = guarded(self._answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a raw route, or let the app find who answers."""
        if scope["type"] == "http" and (scope["method"], scope["path"]) in self._routes:
            await self._guarded(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"], handler = self._routes[scope["method"], scope["path"]]
        request = Request(scope, receive, send)
        try:
            response = await handler(request)
        except Exception as error:  # noqa: BLE001 - every error is answered, as any other route's
            response = await self._refusal(request, error)
        await response(scope, receive, send)

    async def _refusal(self, request: Request, error: Exception) -> Response:
        """Let the app's handler answer, for a fault the one of `Exception`."""
        for kind in type(error).__mro__:
            answer = self._owner.exception_handlers.get(kind)
            if answer is not None:
                response: Response = await answer(request, error)  # type: ignore[misc]  # ours are async
                return response
        raise error
