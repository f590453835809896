"""Where a webhook goes: its URL, and the addresses behind its name that may be called.

A name is resolved before it is called, and the connection goes to the very address that was judged:
between a look and a second one a name may change its meaning (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address

import httpx

from services.notification_service.webhooks.domain.addresses import Network, may_be_called
from shared.kernel.errors import FieldError, InvalidInput

_RESOLVERS = 16
"""Threads of their own: names that hang must not hold up what else this process does."""

_KEPT_SECONDS = 5.0
"""Looking up takes a thread, and one name is asked for with every delivery."""

MAX_URL = 2000
_PORTS = {"http": 80, "https": 443}
_LAST_PORT = 65_535
_HOST = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")


class Unresolvable(Exception):
    """The name means no address now."""


class NotAllowed(Exception):
    """Every address behind the name is one that we do not call."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart."""

    url: httpx.URL
    host: str
    port: int

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return self.url.scheme == "https"


def parse_target(text: str) -> Target:
    """Take a URL apart; raises InvalidInput naming what is wrong with it."""
    if len(text) > MAX_URL:
        raise refused("too_long", f"A URL has at most {MAX_URL} characters.")
    try:
        url = httpx.URL(text)
        host = url.raw_host.decode("ascii")
        _ = url.host  # reads what an xn-- name means, and raises where it means nothing
    except (httpx.InvalidURL, ValueError):
        raise refused(
            "invalid_url", "This is no URL, such as https://crm.example.com/hook."
        ) from None
    if url.scheme not in _PORTS or not host:
        raise refused(
            "invalid_url", "Give a URL with https://, such as https://crm.example.com/hook."
        )
    if url.userinfo or url.fragment:
        detail = "A URL with a user name, a password or a #fragment is not taken."
        raise refused("invalid_url", detail)
    port = _PORTS[url.scheme] if url.port is None else url.port
    if not (_HOST.fullmatch(host) or _is_address(host)) or not 0 < port <= _LAST_PORT:
        raise refused("invalid_url", "The URL's host or port is none that can be called.")
    return Target(url, host, port)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def refused(code: str, detail: str) -> InvalidInput:
    """Make the error about the field `url`."""
    return InvalidInput(detail, (FieldError("/url", code, detail),))


class Resolver:
    """Finds the addresses of a target that may be called."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self._threads = ThreadPoolExecutor(_RESOLVERS, "webhook-names")
        self._found: dict[tuple[str, int], tuple[list[str], float]] = {}
        self._asking: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    def close(self) -> None:
        """Let go of the threads; names that hang are left to themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def addresses(self, target: Target) -> list[str]:
        """Return the addresses that may be called; raises Unresolvable or NotAllowed."""
        found = await self._look_up(target)
        allowed, encrypted = self._allowed, target.is_encrypted
        kept = [one for one in found if may_be_called(one, allowed=allowed, encrypted=encrypted)]
        if not kept:
            raise NotAllowed
        return kept

    async def check(self, target: Target) -> None:
        """Refuse a target that must not be called; one whose name means nothing yet may come to.

        Raises InvalidInput. It is a courtesy: what protects is the look before each connection.
        """
        try:
            async with asyncio.timeout(5):
                await self.addresses(target)
        except (Unresolvable, TimeoutError):
            return
        except NotAllowed:
            raise refused(
                "forbidden_address",
                "This address is not public, or is called without https. Networks of one's own "
                "are opened by REDRESS_WEBHOOK_ALLOWED_NETWORKS.",
            ) from None

    async def _look_up(self, target: Target) -> list[str]:
        """Look a name up; whoever asks for it meanwhile waits for the same answer.

        So one name that hangs takes one thread, however often it is asked for.
        """
        if _is_address(target.host):
            return [target.host]
        key = (target.host, target.port)
        now = asyncio.get_running_loop().time()
        found, until = self._found.get(key, ([], 0.0))
        if now < until:
            return found
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.ensure_future(self._ask(*key))
            self._asking[key] = asking
            asking.add_done_callback(lambda _done: self._asking.pop(key, None))
        found = await asyncio.shield(asking)
        if not found:
            raise Unresolvable
        self._found = {k: v for k, v in self._found.items() if v[1] > now}
        self._found[key] = (found, now + _KEPT_SECONDS)
        return found

    async def _ask(self, host: str, port: int) -> list[str]:
        def ask() -> list[str]:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            return list(dict.fromkeys(str(entry[4][0]) for entry in found))

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        except (OSError, UnicodeError):
            return []
