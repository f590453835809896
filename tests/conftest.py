"""Every test's fixtures: servers and databases come from `tests.harness`."""

from __future__ import annotations

import structlog

pytest_plugins = [
    "tests.harness.requirements",
    "tests.harness.databases",
    "tests.harness.machines",
    "tests.harness.clocks",
    "tests.harness.products",
]


def pytest_configure() -> None:
    """Write tracebacks plainly: drawn with all variables, as is the default, one takes a minute."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.StackInfoRenderer(),
            structlog.dev.set_exc_info,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(
                colors=False, exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    )
