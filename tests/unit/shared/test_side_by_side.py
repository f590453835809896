"""The two halves of the tests: nothing is left out, and a failure of either is one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.side_by_side import exit_code, halves

FAILED, OK, NOTHING = (
    int(pytest.ExitCode.TESTS_FAILED),
    int(pytest.ExitCode.OK),
    int(pytest.ExitCode.NO_TESTS_COLLECTED),
)


def collected(arguments: list[str]) -> set[str]:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return {line for line in answer.stdout.splitlines() if "::" in line}


def test_together_the_halves_are_every_test_and_none_twice() -> None:
    whole, rest = map(collected, halves())

    files = {name.partition("::")[0] for name in whole | rest}
    there = {str(path) for path in Path("tests").rglob("test_*.py")}
    assert files == there
    assert not whole & rest


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ([OK, OK], OK),
        ([OK, FAILED], FAILED),
        ([FAILED, OK], FAILED),
        ([FAILED, NOTHING], FAILED),
        ([OK, NOTHING], OK),
        ([NOTHING, NOTHING], NOTHING),
        ([-9, OK], -9),
    ],
)
def test_a_failure_of_either_half_is_one(codes: list[int], code: int) -> None:
    assert exit_code(codes) == code
