"""Structured logging: one JSON object a line, with complaint id and trace where they are known."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import Literal

import structlog

Logger = structlog.stdlib.BoundLogger

_FLOODING = "aiokafka"
_HELD_SECONDS = 10.0


class HoldingBack(logging.Filter):
    """Lets a message of the Kafka client through once in ten seconds, with how many were held.

    While no broker answers it says the same thing thousands of times a second. What counts as the
    same is its wording without what is filled in: node lists come in every order.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(_FLOODING)
        self._monotonic = monotonic
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is to be written."""
        if not super().filter(record):
            return True
        wording = (record.name, str(record.msg))
        now = self._monotonic()
        said_at, held = self._said.get(wording, (now - _HELD_SECONDS, 0))
        if now - said_at < _HELD_SECONDS:
            self._said[wording] = (said_at, held + 1)
            return False
        self._said[wording] = (now, 0)
        if held:
            record.msg = f"{record.getMessage()} ({held} more like this were held back)"
            record.args = ()
        return True


def configure(*, level: str = "info", form: Literal["auto", "json", "console"] = "auto") -> None:
    """Send every log line, ours and the libraries', to standard error in one form.

    `auto` writes for the eye where standard error is a terminal, and JSON elsewhere.
    """
    for_the_eye = form == "console" or (form == "auto" and sys.stderr.isatty())
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if for_the_eye
        else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(sys.stderr)
    # On the handler: a filter on a logger does not see what the loggers below it say.
    handler.addFilter(HoldingBack())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "aiokafka", "uvicorn.access", "aiosqlite", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=True,
    )


def get(name: str) -> Logger:
    """Return the logger of a module."""
    logger: Logger = structlog.stdlib.get_logger(name)
    return logger
