"""Commands where no product answers them: what they refuse, and what they leave unmade."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.ports import free_port

HINT = "set -a; . deploy/local.env; set +a"
WOULD_OPEN = [
    ("dead-letters", "list"),
    ("events", "tail", "--no-follow"),
    ("rebuild", "analytics"),
    ("migrate",),
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A repository's folder that has nothing yet."""
    return tmp_path


@pytest.fixture
def up(place: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process as `make up` leaves it behind, with its pid file and settings."""
    program = "import time; time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", program, "services", "serve", "intake"])
    (place / "var" / "up").mkdir(parents=True)
    (place / "var" / "up" / "intake.pid").write_text(f"{process.pid}\n")
    (place / "deploy").mkdir()
    (place / "deploy" / "local.env").write_text("REDRESS_KAFKA_BOOTSTRAP=127.0.0.1:1\n")
    yield process
    process.kill()
    process.wait()


def run(place: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    repository = str(Path(__file__).parents[3])
    own = {"PYTHONPATH": repository, "REDRESS_PORT": str(free_port())}
    return subprocess.run(
        [sys.executable, "-m", "services", *arguments],
        cwd=place,
        env=os.environ | own | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def made(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*")}


@pytest.mark.usefixtures("up")
@pytest.mark.parametrize("arguments", WOULD_OPEN, ids=" ".join)
def test_beside_make_up_a_command_without_its_settings_is_refused(
    place: Path, arguments: tuple[str, ...]
) -> None:
    before = made(place)

    result = run(place, *arguments)

    assert result.returncode == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert HINT in result.stderr
    assert made(place) == before


@pytest.mark.usefixtures("up")
def test_doctor_says_that_the_settings_of_make_up_are_not_read(place: Path) -> None:
    before = made(place)

    result = run(place, "doctor")

    assert result.returncode == 1
    assert "MEND  settings" in result.stdout
    assert HINT in result.stdout
    assert made(place) == before


@pytest.mark.usefixtures("up")
def test_another_home_is_another_installation(place: Path) -> None:
    result = run(place, "migrate", REDRESS_HOME=str(place / "another"))

    assert result.returncode == 0, result.stderr


def test_pid_files_that_were_left_behind_refuse_nothing(
    place: Path, up: subprocess.Popen[bytes]
) -> None:
    up.kill()
    up.wait()
    # The number has gone to a stranger since.
    (place / "var" / "up" / "workflow.pid").write_text(f"{os.getpid()}\n")

    assert run(place, "migrate").returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [("doctor",), ("dead-letters", "list"), ("events", "tail", "--no-follow")],
    ids=" ".join,
)
def test_what_only_reads_makes_no_home(place: Path, arguments: tuple[str, ...]) -> None:
    run(place, *arguments)

    assert made(place) == set()


def test_that_nothing_is_there_to_have_dead_letters_is_said(place: Path) -> None:
    result = run(place, "dead-letters", "list")

    assert result.returncode == 1
    assert "there is no log at var/log.db" in result.stderr
