"""HTTP to a gateway: what may be said of a message when no answer came back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import orjson

from services.notification_service.gateways.domain.port import NotAccepted, Uncertain
from shared.http.tls import trusted_tls

TIMEOUT = httpx.Timeout(15.0, connect=5.0)
# What httpx limits is each read: a gateway that sends a byte now and then would be heard for ever.
LONGEST_SECONDS = 30.0
_MOST_OF_ANSWER = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway answered; `said` is its JSON object, empty where it sent something else."""

    status: int
    said: Mapping[str, object]

    def text(self, *names: str) -> str | None:
        """Return the first of these fields that holds text or a number."""
        for name in names:
            value = self.said.get(name)
            if isinstance(value, str | int) and value != "":
                return str(value)
        return None


class Wire:
    """Posts to one gateway; `name` stands in the reasons that an operator reads."""

    def __init__(self, name: str, *, timeout: httpx.Timeout | None = None) -> None:
        self._name = name
        self._timeout = timeout
        self._idle: list[httpx.AsyncClient] = []

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post bytes; raises NotAccepted where they did not leave, Uncertain without an answer.

        Of an answer that does not end, or is longer than any, the status counts alone.
        """
        client = self._idle.pop() if self._idle else self._new_client()
        seen: list[int] = []
        try:
            async with (
                asyncio.timeout(LONGEST_SECONDS),
                client.stream("POST", url, content=body, headers=dict(headers)) as answer,
            ):
                seen.append(answer.status_code)
                return Answer(answer.status_code, _object(await _beginning(answer)))
        except TimeoutError as failure:
            if seen:
                return Answer(seen[0], {})
            said = f"{self._name} did not answer within {LONGEST_SECONDS:g} s"
            raise Uncertain(said) from failure
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as failure:
            said = f"{self._name} not reached: {type(failure).__name__}"
            raise NotAccepted(said) from failure
        except httpx.HTTPError as failure:
            said = f"{self._name} did not answer: {type(failure).__name__}"
            raise Uncertain(said) from failure
        finally:
            self._idle.append(client)

    async def close(self) -> None:
        """Close the connections that are not in use."""
        while self._idle:
            await self._idle.pop().aclose()

    def _new_client(self) -> httpx.AsyncClient:
        """Make a client of one connection; there come to be as many as were ever needed at once.

        One client for all walks through every connection and every waiting request at each
        message, and keeps 20 of them open: with 50 at once it took 2 to 4 ms of processor each,
        two thirds of this service, where one connection of its own takes under 1.
        """
        one = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        # Read here, so that a test can shorten it for every adapter.
        timeout = self._timeout or TIMEOUT
        return httpx.AsyncClient(timeout=timeout, limits=one, verify=trusted_tls())


async def _beginning(answer: httpx.Response) -> bytes:
    """Return the body; of a longer one than any gateway sends only what cannot be read."""
    found = bytearray()
    async for part in answer.aiter_bytes():
        found += part
        if len(found) > _MOST_OF_ANSWER:
            return b""
    return bytes(found)


def _object(content: bytes) -> Mapping[str, object]:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
