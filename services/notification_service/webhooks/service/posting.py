"""One POST to one endpoint: to an address that was judged, without redirects, within a time.

httpx's transport and not its client: a client would follow its own ideas of redirects, cookies
and proxies. Each endpoint has a transport of its own, so that none waits for another's, and a
connection that proved to be one name is never used for another on the same address.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import httpx

from services.notification_service.webhooks.repository.lanes import Waiting
from services.notification_service.webhooks.service.signing import SigningKey, headers
from services.notification_service.webhooks.service.targets import (
    NotAllowed,
    Resolver,
    Unresolvable,
    parse_target,
)
from shared.events.structured import MEDIA_TYPE
from shared.kernel.clock import Clock

_AT_ONCE = 8
_MOST_OF_ANSWER = 64 * 1024
_ANSWER_SECONDS = 1.0
_AGENT = "Redress-Webhooks/1"
_LONGEST_WISH = 1_000_000
"""Seconds; whatever is wished for, there is a longest pause between two tries."""
GONE = 410
_TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Attempt(NamedTuple):
    """What one try came to. `error` names the failure in our words, never in the endpoint's."""

    at: datetime
    status: int | None
    error: str | None
    retry_after: timedelta | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the endpoint took the event."""
        return self.error is None

    @property
    def is_gone(self) -> bool:
        """Whether the endpoint wants nothing ever again."""
        return self.status == GONE


@dataclass(frozen=True, slots=True)
class PostTools:
    """What posting needs."""

    clock: Clock
    resolver: Resolver
    tls: Callable[[], ssl.SSLContext]
    timeout_seconds: float


class Endpoint:
    """One subscription's URL, as it is posted to."""

    def __init__(self, url: str, tools: PostTools) -> None:
        self.url = url
        self.target = parse_target(url)
        self._tools = tools
        self._transport = httpx.AsyncHTTPTransport(
            # Without https a context that trusts nobody: one that trusts the public takes 2 MB.
            verify=tools.tls() if self.target.is_encrypted else _TRUSTS_NOBODY,
            limits=httpx.Limits(max_keepalive_connections=8, keepalive_expiry=4.0),
            trust_env=False,
        )
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0
        self._fails = False
        self._used_at = asyncio.get_running_loop().time()

    def is_idle_since(self, moment: float) -> bool:
        """Tell whether nothing went to it since a moment of the loop's time."""
        return self._waiting == 0 and self._used_at < moment

    @asynccontextmanager
    async def place(self) -> AsyncIterator[bool]:
        """Wait for one of the few places; tells whether it still makes sense to post.

        It does not where the endpoint began to fail meanwhile: then it is tried by one at a time.
        """
        is_first = self._waiting == 0
        self._waiting += 1
        try:
            async with self._places:
                yield is_first or not self._fails
        finally:
            self._waiting -= 1
            self._used_at = asyncio.get_running_loop().time()

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def post(self, waiting: Waiting, keys: tuple[SigningKey, ...]) -> Attempt:
        """Post one event; never raises for what the endpoint does."""
        attempt = await self._try(waiting, keys)
        self._fails = not attempt.is_taken
        return attempt

    async def _try(self, waiting: Waiting, keys: tuple[SigningKey, ...]) -> Attempt:
        at = self._tools.clock.now()
        try:
            async with asyncio.timeout(self._tools.timeout_seconds):
                return await self._post(waiting, keys, at)
        except TimeoutError:
            return Attempt(at, None, f"no answer within {self._tools.timeout_seconds:g} s")
        except Unresolvable:
            return Attempt(at, None, "the name cannot be resolved")
        except NotAllowed:
            return Attempt(at, None, "not called: the address is not allowed")
        except (httpx.TransportError, httpx.InvalidURL, ssl.SSLError, OSError) as failure:
            return Attempt(at, None, _named(failure))

    async def _post(self, waiting: Waiting, keys: tuple[SigningKey, ...], at: datetime) -> Attempt:
        addresses = await self._tools.resolver.addresses(self.target)
        signed = headers(keys, message_id=waiting.event_id, at=at, body=waiting.body)
        for number, address in enumerate(addresses):
            request = self._request(address, signed, waiting.body)
            try:
                response = await self._transport.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                # Nothing was sent yet; a name may have an address that cannot be reached from here.
                if number + 1 == len(addresses):
                    raise
                continue
            return await _read(response, at)
        raise Unresolvable

    def _request(self, address: str, signed: dict[str, str], body: bytes) -> httpx.Request:
        seconds = self._tools.timeout_seconds
        return httpx.Request(
            "POST",
            self.target.url.copy_with(host=address),
            headers={
                "Host": self.target.url.netloc.decode("ascii"),
                "User-Agent": _AGENT,
                "Content-Type": f"{MEDIA_TYPE}; charset=utf-8",
                "Accept-Encoding": "identity",
                **signed,
            },
            content=body,
            extensions={
                "timeout": dict.fromkeys(("connect", "read", "write", "pool"), seconds),
                # The certificate is checked against the name, though an address is called.
                "sni_hostname": self.target.host,
            },
        )


async def _read(response: httpx.Response, at: datetime) -> Attempt:
    """Tell what an answer means; its body is read only so that the connection can be used again."""
    try:
        with contextlib.suppress(TimeoutError, httpx.TransportError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                await _drain(response)
    finally:
        await response.aclose()
    status = response.status_code
    if 200 <= status < 300:
        return Attempt(at, status, None)
    if 300 <= status < 400:
        return Attempt(at, status, f"answered {status}: redirects are not followed")
    return Attempt(at, status, f"answered {status}", _retry_after(response, at))


async def _drain(response: httpx.Response) -> None:
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > _MOST_OF_ANSWER:
            return


def _retry_after(response: httpx.Response, at: datetime) -> timedelta | None:
    """Return how long an endpoint asks us to wait, in seconds or until a date."""
    text = response.headers.get("retry-after", "")
    if text.isdecimal():
        return timedelta(seconds=int(text) if len(text) < 7 else _LONGEST_WISH)
    try:
        return max(timedelta(), parsedate_to_datetime(text) - at)
    except (ValueError, TypeError, OverflowError):  # no date, or one without a zone
        return None


def _named(failure: Exception) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(failure):
        return "the certificate cannot be verified"
    if isinstance(failure, httpx.RemoteProtocolError):
        return "the answer was cut, or is no HTTP"
    return f"cannot be reached: {type(failure).__name__}"
