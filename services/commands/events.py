"""`events`: the log as a subscriber sees it."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import orjson
import typer

from shared.bus.port import Bus, LoggedRecord, TopicPartition
from shared.events import topics
from shared.kernel.settings import CommonSettings, load

app = typer.Typer(help="The event log.", no_args_is_help=True)


@app.callback()
def events() -> None:
    """Look into the event log."""


@app.command()
def tail(
    topic: Annotated[str, typer.Option(help="Which topic.")] = topics.COMPLAINTS,
    follow: Annotated[bool, typer.Option(help="Wait for more.")] = True,
    from_start: Annotated[bool, typer.Option(help="Begin with the oldest.")] = False,
) -> None:
    """Print events, one JSON object a line, as they come."""
    if topic not in topics.ALL:
        raise typer.BadParameter(f"{topic!r} is none of {', '.join(topics.ALL)}")
    asyncio.run(_tail(load(CommonSettings), topic, follow=follow, from_start=from_start))


async def _tail(settings: CommonSettings, topic: str, *, follow: bool, from_start: bool) -> None:
    bus = _open(settings)
    await bus.start()
    try:
        ends = await bus.end_positions(topic)
        start = dict.fromkeys(ends, 0) if from_start else dict(ends)
        await _print_from(bus, start, None if follow else dict(ends))
    finally:
        await bus.stop()


async def _print_from(
    bus: Bus,
    positions: dict[TopicPartition, int],
    until: dict[TopicPartition, int] | None,
) -> None:
    reader = await bus.reader(positions)
    while until is None or any(positions[part] < end for part, end in until.items()):
        for record in await reader.poll(max_records=500, timeout_seconds=1):
            positions[TopicPartition(record.topic, record.partition)] = record.offset + 1
            sys.stdout.buffer.write(_line(record))
        sys.stdout.flush()


def _line(record: LoggedRecord) -> bytes:
    try:
        data: object = orjson.loads(record.value)
    except orjson.JSONDecodeError:
        data = record.value.decode(errors="replace")
    event = {name: value.decode(errors="replace") for name, value in record.headers}
    place = {"partition": record.partition, "offset": record.offset}
    return orjson.dumps(event | place | {"data": data}) + b"\n"


def _open(settings: CommonSettings) -> Bus:
    if settings.kafka_bootstrap is not None:
        from shared.bus.kafka import KafkaBus

        return KafkaBus(settings.kafka_bootstrap)
    from shared.bus.local_log import LocalLog

    return LocalLog(settings.home / "log.db")
