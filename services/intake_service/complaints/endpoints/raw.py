"""Routes that are described like any other and answered without FastAPI's machinery.

Solving dependencies, validating twice and serialising through a response model cost more than
storing the complaint does. A raw route has a `signature`, from which OpenAPI is made, and a
`handler`, which gets the request and answers it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

Handler = Callable[[Request], Awaitable[Response]]

_HANDLER = "redress_raw_handler"


def described_by(signature: Callable[..., object], handler: Handler) -> Callable[..., object]:
    """Return the signature as an endpoint that `handler` answers."""
    setattr(signature, _HANDLER, handler)
    return signature


class RawRoute(APIRoute):
    """A route whose endpoint was made by `described_by`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers the request."""
        handler: Handler = getattr(self.endpoint, _HANDLER)

        async def answer(request: Request) -> Response:
            return await handler(request)

        return answer
