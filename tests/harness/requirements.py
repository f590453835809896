"""Skips that are honest, and marks that set themselves."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

# Whoever asks for one of these fixtures, directly or through others, needs the thing.
_NEEDS = {
    "postgres_server": "postgres",
    "kafka_bootstrap": "kafka",
    "kafka_folder": "kafka",
    "chromium_path": "browser",
    "data_folder": "data",
}


def cannot_have(thing: str, reason: str) -> NoReturn:
    """Skip the test with the reason, or fail it where `REQUIRE_<THING>=1` forbids skipping."""
    if os.environ.get(f"REQUIRE_{thing}", "") not in {"", "0"}:
        pytest.fail(f"REQUIRE_{thing} is set, but {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server or a browser, so that `-m` can leave it out."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        for fixture, mark in _NEEDS.items():
            if fixture in names:
                item.add_marker(mark)
