"""Calls from one service to another."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import httpx
import orjson
from pydantic import JsonValue

from shared.http.tls import tls_for
from shared.kernel import trace
from shared.kernel.errors import NotFound, RedressError, Unavailable

_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_NOT_LET_IN = frozenset({401, 403})
_LONGEST_PAUSE_SECONDS = 2.0

JsonObject = dict[str, JsonValue]


class ServiceRefused(RedressError):
    """The other service will not take the request however often it is sent."""

    code = "service-refused"
    title = "Another service refused the request"


class ServiceClient:
    """One other service, over a pool of connections, with the services' own credential.

    Connections that fail and answers that say "later" are tried again after growing, jittered
    pauses; then Unavailable. The paths called this way change nothing or may be repeated.
    """

    def __init__(
        self,
        base_url: str,
        credential: str | Callable[[], str],
        *,
        timeout_seconds: float = 5.0,
        attempts: int = 4,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._credential = credential
        self._attempts = attempts
        self._http = httpx.AsyncClient(
            base_url=base_url,
            timeout=timeout_seconds,
            transport=transport,
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=10),
            # A proxy in the environment is for the world outside, not for our own services.
            trust_env=False,
            verify=tls_for(base_url),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> JsonObject:
        """GET a JSON object; raises Unavailable, NotFound or ServiceRefused."""
        return await self._call("GET", path, params=params)

    async def post(self, path: str, body: object = None) -> JsonObject:
        """POST a JSON body and return the JSON object answered; raises as `get` does."""
        return await self._call("POST", path, content=orjson.dumps(body or {}))

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> JsonObject:
        reason = "not tried"
        for attempt in range(self._attempts):
            if attempt:
                await asyncio.sleep(_pause_seconds(attempt))
            try:
                answer = await self._http.request(
                    method, path, params=params, content=content, headers=self._headers()
                )
            except httpx.TransportError as failure:
                reason = f"{type(failure).__name__} {failure}".strip()
                continue
            if answer.status_code not in _TRY_AGAIN:
                return _read(answer, f"{method} {path}")
            reason = f"answered {answer.status_code}"
        base = str(self._http.base_url).rstrip("/")
        raise Unavailable(f"{base}/{path.lstrip('/')}: {reason}")

    def _headers(self) -> dict[str, str]:
        given = self._credential
        secret = given if isinstance(given, str) else given()
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        traceparent = trace.current.get()
        if traceparent:
            headers["traceparent"] = traceparent
        return headers


def _pause_seconds(attempt: int) -> float:
    longest = min(0.1 * 2.0**attempt, _LONGEST_PAUSE_SECONDS)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret


def _read(answer: httpx.Response, what: str) -> JsonObject:
    status = answer.status_code
    if status == 404:
        raise NotFound(f"{what}: {_detail(answer)}")
    if status in _NOT_LET_IN:
        # A keys file that has not reached every machine yet: it heals, so nothing may be lost.
        raise Unavailable(f"{what}: our credential is refused ({status}); is the keys file shared?")
    if not answer.is_success:
        raise ServiceRefused(f"{what} answered {status}: {_detail(answer)}")
    found = orjson.loads(answer.content or b"{}")
    if not isinstance(found, dict):
        raise ServiceRefused(f"{what} answered something else than a JSON object")
    return found


def _detail(answer: httpx.Response) -> str:
    try:
        return str(orjson.loads(answer.content)["detail"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return answer.text[:200]
