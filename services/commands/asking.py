"""Asks a service's paths: of the running product, or of one opened for this command alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from services.commands.at_rest import log_at_rest, refuse_beside_distributed
from services.commands.client import answers_at, client_for, raise_problem
from shared.kernel import logging
from shared.kernel.settings import CommonSettings, load

_OPENING_SECONDS = 10.0
_PAUSE_SECONDS = 0.1

Ask = Callable[[str, str, str], Any]
"""Takes method, service and path; returns the JSON answer; raises Refused for an error."""


@contextmanager
def asking(api_key: str | None) -> Iterator[Ask]:
    """Ask the running product; where none runs in the embedded profile, open it without listening.

    Raises Unavailable where nothing answers, NotFound where there is no home to open, HomeInUse
    where a product holds the home but does not answer at the address set, ConfigurationError where
    the distributed profile runs beside it.
    """
    settings = load(CommonSettings)
    if settings.kafka_bootstrap is not None or answers_at(settings.service_url("intake")):
        yield _over_http(settings, api_key)
        return
    refuse_beside_distributed(settings)
    log_at_rest(settings)
    # Here and not on top: whoever asks a running product need not load four services.
    from services.embedded import at_rest

    logging.configure(level="critical", form=settings.log_format)
    with asyncio.Runner() as runner:
        opened = at_rest(settings)
        front = runner.run(opened.__aenter__())
        try:
            yield _of_front(runner, front, api_key)
        finally:
            runner.run(opened.__aexit__(None, None, None))


def _over_http(settings: CommonSettings, api_key: str | None) -> Ask:
    def ask(method: str, service: str, path: str) -> Any:
        with client_for(settings.service_url(service), api_key) as client:
            return client.request(method, path).json()

    return ask


def _of_front(runner: asyncio.Runner, front: Any, api_key: str | None) -> Ask:
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}

    async def send(method: str, path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=front)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", headers=headers
        ) as client:
            deadline = time.monotonic() + _OPENING_SECONDS
            # A part that is still opening answers 503.
            while (answer := await client.request(method, path)).status_code == 503:
                if time.monotonic() > deadline:
                    break
                await asyncio.sleep(_PAUSE_SECONDS)
            return answer

    def ask(method: str, _service: str, path: str) -> Any:
        answer = runner.run(send(method, path))
        raise_problem(answer)
        return answer.json()

    return ask
