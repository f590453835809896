"""The command line as a program: what every command pays before it begins."""

from __future__ import annotations

import subprocess
import sys

_HEAVY = {"duckdb", "fastapi", "sqlalchemy", "uvicorn"}


def test_a_command_does_not_load_the_services() -> None:
    question = f"import sys, services.__main__; print({_HEAVY} & sys.modules.keys())"

    answer = subprocess.run(
        [sys.executable, "-c", question], capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "set()"
