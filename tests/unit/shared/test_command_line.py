"""The command line as a program: what every command and every start pays before it begins."""

from __future__ import annotations

import subprocess
import sys

import pytest

_HEAVY = {"duckdb", "fastapi", "sqlalchemy", "uvicorn"}
_NOT_FOR_SQLITE = {"aiokafka", "alembic", "asyncpg"}
_SELDOM = {"apprise", "icalendar"}
_FOR_TERMINALS = {"pygments", "rich"}


def said(program: str) -> str:
    """Return what a program prints that runs in a process of its own."""
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


def test_a_command_does_not_load_the_services() -> None:
    question = f"import sys, services.commands.line; print({_HEAVY} & sys.modules.keys())"

    assert said(question) == "set()"


def test_the_embedded_product_starts_without_what_it_does_not_need() -> None:
    spared = _NOT_FOR_SQLITE | _SELDOM | _FOR_TERMINALS
    question = f"""
import sys
from services import SERVICES, footprint
with footprint.beginning():
    from services.commands import line
from services import embedded
from services.composition import load_code
load_code(SERVICES)
print({{name for name in {spared} if sys.modules.get(name) is not None}})
"""

    assert said(question) == "set()"


@pytest.mark.parametrize("command", ["run", "serve"])
def test_what_serves_tells_how_it_is_called(command: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "services", command, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    assert f"services {command} [OPTIONS]" in answer.stdout


def test_knowing_a_country_loads_no_others() -> None:
    question = """
import sys
from services.workflow_service.calendars.repository.public_days import is_known
assert is_known("CN") and is_known("DE-BY") and not is_known("XX") and not is_known("CN-XX")
print(sum(name.startswith("holidays.countries.") for name in sys.modules))
"""

    assert int(said(question)) < 10
