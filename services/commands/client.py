"""The HTTP client of the commands: talks to the running product, says plainly what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import httpx
import typer

from shared.kernel.errors import RedressError, Unavailable
from shared.kernel.settings import CommonSettings, load

Url = Annotated[
    str | None,
    typer.Option(
        envvar="REDRESS_URL",
        help="Where the product answers; else as settings say, or http://127.0.0.1:8000.",
        show_default=False,
    ),
]
ApiKey = Annotated[
    str | None, typer.Option(envvar="REDRESS_API_KEY", help="A key, where one is needed.")
]


def address_of(service: str, url: str | None) -> str:
    """Return where a service answers: the address given, else where settings have it."""
    return url or load(CommonSettings).service_url(service)


def answers_at(url: str) -> bool:
    """Tell whether somebody is there, however well."""
    try:
        httpx.get(f"{url}/health/live", timeout=5)
    except httpx.ConnectError:
        return False
    except httpx.TransportError:
        return True  # the real question will say what is wrong
    return True


class Refused(RedressError):
    """The product answered with a problem."""

    code = "refused"
    title = "The product refused"


@contextmanager
def client_for(url: str, api_key: str | None) -> Iterator[httpx.Client]:
    """Open a client whose error answers raise Refused with the problem's own words.

    Raises Unavailable where a connection breaks; a refused connection passes as ConnectError.
    """
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    hooks = {"response": [_raise_problem]}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=30, event_hooks=hooks) as client:
            yield client
    except httpx.ConnectError:
        raise Unavailable(f"nothing answers at {url}: start it with `make run`") from None
    except httpx.TransportError as failure:
        raise Unavailable(f"{url}: {failure}") from None


def _raise_problem(response: httpx.Response) -> None:
    if response.status_code >= 400:
        response.read()
        raise_problem(response)


def raise_problem(response: httpx.Response) -> None:
    """Raise Refused with the problem's own words for an error answer that has been read."""
    if response.status_code < 400:
        return
    if response.status_code == 401:
        raise Refused("an API key that is valid is needed: --api-key or REDRESS_API_KEY")
    try:
        problem = response.json()
    except ValueError:
        raise Refused(f"answered {response.status_code}") from None
    errors: list[dict[str, str]] = problem.get("errors") or []
    first = errors[0] if errors else {}
    words = " ".join(filter(None, (first.get("pointer"), first.get("detail"))))
    raise Refused(words or problem.get("detail") or problem.get("title", "refused"))
