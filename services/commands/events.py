"""`events`: the log as a subscriber sees it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

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
    # Loaded here: the bus knows every event, a seventh of the start of any other command.
    from services.commands.tailing import print_events

    asyncio.run(print_events(load(CommonSettings), topic, follow=follow, from_start=from_start))
