"""`import`, `demo`, `rebuild`: work given to the running product."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import httpx
import typer

from services.commands.at_rest import refuse_beside_distributed
from services.commands.client import ApiKey, Url, address_of, client_for
from shared.kernel.errors import Unavailable
from shared.kernel.settings import CommonSettings, load

DEMO = (
    {
        "channel": "web",
        "customer": {
            "name": "王芳",
            "phone": "+86 138 0013 8000",
            "email": "wang@example.com",
            "tier": "gold",
        },
        "description": "周三收到的订单少了两件，客服一直推诿，再不处理我就打12315。",
        "references": {"order": "20261118-443"},
        "place": {"region": "CN-31", "latitude": 31.23, "longitude": 121.47},
        "demands": ["re_send", "apology"],
    },
    {
        "channel": "email",
        "customer": {"name": "Sam Carter", "email": "sam.carter@example.com", "locale": "en"},
        "description": "I was charged twice for the same order and nobody answers my e-mails.",
        "references": {"order": "A-1029"},
        "place": {"region": "GB-LND", "latitude": 51.51, "longitude": -0.12},
        "demands": ["refund"],
    },
    {
        "channel": "hotline",
        "customer": {"name": "李雷", "phone": "13900139000"},
        "description": "吃了你们的牛奶以后孩子上吐下泻，现在在医院，包装显示已经过期。",
        "references": {"product": "SKU-88"},
        "place": {"region": "CN-11", "latitude": 39.9, "longitude": 116.4},
        "demands": ["explanation", "compensation"],
    },
    {
        "channel": "chat",
        "customer": {"name": "Ana Lopez", "phone": "+34 612 34 56 78", "locale": "en"},
        "description": "The courier was rude, threw the parcel over the fence and the lamp is "
        "broken.",
        "references": {"order": "A-1044", "product": "LAMP-7"},
        "place": {"region": "ES-M", "latitude": 40.42, "longitude": -3.7},
        "demands": ["replacement", "apology"],
    },
)


class Projection(StrEnum):
    """What can be rebuilt from the log."""

    ANALYTICS = "analytics"


def import_file(
    file: Annotated[Path, typer.Argument(help="CSV or NDJSON, also as .gz, or .xlsx.")],
    mapping: Annotated[
        str, typer.Option(help="cfpb, chicago-311, nyc-311, zh-messages, or a file: ./my.yaml")
    ],
    *,
    encoding: Annotated[
        str | None, typer.Option(help="The file's, such as gb18030; else as the mapping says.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Of a workbook; else its first.")] = None,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Import complaints from a file into the running product; sending it again resumes."""
    from services.intake_service.channels.client.sending import import_file as send

    send(
        url=address_of("intake", url),
        path=file,
        mapping=mapping,
        encoding=encoding,
        sheet=sheet,
        api_key=api_key,
    )


def demo(url: Url = None, api_key: ApiKey = None) -> None:
    """Post a handful of complaints, in Chinese and English, to the running product."""
    with client_for(address_of("intake", url), api_key) as client:
        for complaint in DEMO:
            answer = client.post("/v1/complaints", json=complaint).json()
            typer.echo(f"{answer['number']}  {answer['tracking_url']}")


def rebuild(
    projection: Annotated[Projection, typer.Argument(help="What to rebuild.")],
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Replay the log into empty tables; the running service swaps them in when they are whole."""
    address = address_of(projection.value, url)
    with client_for(address, api_key) as client:
        try:
            answer = client.post(f"/v1/internal/{projection.value}/rebuild", timeout=None)
        except httpx.ConnectError:
            _rebuild_at_rest(load(CommonSettings), address)
            return
    typer.echo(f"Rebuilt: {answer.json()}")


def _rebuild_at_rest(settings: CommonSettings, address: str) -> None:
    """Throw the projection away under the home's lock: the next start replays the log.

    Only in the embedded profile is everybody who may have the file open kept out by the lock.
    Raises Unavailable in the other, HomeInUse where a product runs after all, ConfigurationError
    where the other profile runs here.
    """
    if settings.kafka_bootstrap is not None:
        raise Unavailable(f"nothing answers at {address}")
    refuse_beside_distributed(settings)
    from services.analytics_service.projections.repository.files import throw_away
    from services.home import locked

    with locked(settings.home):
        throw_away(settings.analytics_file or settings.home / "analytics.duckdb")
    typer.echo("Nothing runs here: the next start replays the log into empty tables.")
