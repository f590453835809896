"""`python -m tests.side_by_side [pytest's arguments]`: all tests, in two processes.

Most of a test is waiting. What runs the whole product, kills it or looks at it in a browser is one
half and has Kafka and the processes to itself; everything else is the other. Each half is an
ordinary run of pytest and ends with its own closing lines.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

_TESTS = Path(__file__).parent
_WHOLE = ("browser", "e2e", "faults")


def halves() -> tuple[list[str], list[str]]:
    """Return the arguments that name each half; together they name every test there is."""
    whole = [str(_TESTS / name) for name in _WHOLE]
    return whole, [str(_TESTS), *(f"--ignore={folder}" for folder in whole)]


def exit_code(codes: Sequence[int]) -> int:
    """Return the first failure; a half in which nothing was chosen is none, if the other ran."""
    nothing = pytest.ExitCode.NO_TESTS_COLLECTED
    bad = [code for code in codes if code not in {pytest.ExitCode.OK, nothing}]
    return bad[0] if bad else int(min(codes))


def main(arguments: Sequence[str]) -> int:
    """Run both halves, print one as it goes and the other at its end; return the exit code."""
    whole, rest = halves()
    pytest_ = [sys.executable, "-m", "pytest", *arguments]
    with tempfile.TemporaryFile("w+") as printed:
        # A cache of its own: both write theirs when they end.
        own = ["-o", "cache_dir=.pytest_cache/whole"]
        beside = subprocess.Popen([*pytest_, *own, *whole], stdout=printed, stderr=printed)
        try:
            code = subprocess.run([*pytest_, *rest], check=False).returncode
            other = beside.wait()
        finally:
            beside.terminate()
        printed.seek(0)
        sys.stdout.write(printed.read())
    return exit_code([code, other])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
