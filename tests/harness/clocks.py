"""The clock of a running process, moved from outside: libfaketime, which only tests need."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from tests.harness.product import eventually
from tests.harness.requirements import cannot_have


@dataclass(slots=True)
class MovableClock:
    """The wall clock of the processes that run with `settings`; their monotonic clock stays true.

    `offset` is by how much they are wrong.
    """

    library: str
    file: Path
    offset: timedelta = timedelta()

    @property
    def settings(self) -> dict[str, str]:
        """What a process needs in its environment."""
        return {
            "LD_PRELOAD": self.library,
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",
            # Both spellings: event loops stall where the monotonic clock jumps.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            # Else threads wait wrongly for Python's lock, and requests take five times as long on
            # busy processors. It mends waits under older glibc (libfaketime's issue 142).
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }

    def now(self) -> datetime:
        """Return what the processes take the present for."""
        return datetime.now(UTC) + self.offset

    def move(self, offset: timedelta, *, url: str) -> None:
        """Set the clock, and wait until the process that answers at `url` goes by it."""
        self.offset = offset
        written = self.file.with_suffix(".new")
        written.write_text(f"{offset.total_seconds():+.0f}\n")
        written.rename(self.file)
        eventually(lambda: abs(self.now() - _time_at(url)) < timedelta(seconds=5), what="the time")


SHARED_MEMORY = Path("/dev/shm")
OF_A_PROCESS = re.compile(r"(?:sem\.)?faketime_(?:sem|shm)_(\d+)")


@pytest.fixture
def movable_clock(tmp_path: Path) -> Iterator[MovableClock]:
    """A clock that tests move; it is right at first."""
    program = shutil.which("faketime")
    if program is None:
        cannot_have("FAKETIME", "clocks are moved with libfaketime: no faketime on this machine")
    forget_the_dead()
    # The program knows where its library lies; `-m` names the one for threads.
    ask = [program, "-m", "-f", "+0", "printenv", "LD_PRELOAD"]
    done = subprocess.run(ask, capture_output=True, text=True, check=True)
    clock = MovableClock(done.stdout.strip(), tmp_path / "clock")
    clock.file.write_text("+0\n")
    yield clock
    forget_the_dead()


def forget_the_dead() -> None:
    """Remove what processes that were killed shared by their number.

    libfaketime gives up where it finds something under the number of a process that it begins in,
    and the numbers come round again.
    """
    for left in SHARED_MEMORY.glob("*faketime_*"):
        of = OF_A_PROCESS.fullmatch(left.name)
        if of and not Path("/proc", of[1]).exists():
            left.unlink(missing_ok=True)


def _time_at(url: str) -> datetime:
    return parsedate_to_datetime(httpx.get(f"{url}/health/live", timeout=5).headers["date"])
