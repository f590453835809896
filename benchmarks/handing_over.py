"""From the POST to the acknowledgement in the gateway's hands, at 100 complaints a second.

Aim: p99 under a second. Counted from when a request was due, so that queueing is not hidden.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.load import Job
from benchmarks.machines import complaints, distributed, embedded, load, servers, wait_until_open
from deploy.local.ports import free_port
from tests.harness.product import Product

RATE = 100
SECONDS = 15
WARM_UP_SECONDS = 2
LIMIT_SECONDS = 60
Arrivals = Callable[[], dict[str, float]]


def main(console: Console, *, quick: bool = False) -> None:
    """Measure both profiles and print one table."""
    seconds = SECONDS // 3 if quick else SECONDS
    columns = ("what", "messages", "p50 ms", "p99 ms", "longest ms", "POST p99 ms", "aim p99")
    table = Table(*columns, title=f"POST → message handed to the gateway, {RATE}/s")
    with embedded() as product:
        folder = product.home / "outbox"
        figures = measure(product, product.ports["embedded"], lambda: files_in(folder), seconds)
        table.add_row("embedded, files in outbox/", *figures, "1,000 ms")
    with servers() as (postgres, kafka), gateway() as (url, notes):
        with distributed(postgres, kafka, REDRESS_SMS_URL=url) as product:
            port = product.ports["intake"]
            figures = measure(product, port, lambda: noted_in(notes), seconds)
        table.add_row("PostgreSQL + Kafka, HTTP SMS gateway", *figures, "1,000 ms")
    console.print(table)


def measure(product: Product, port: int, arrivals: Arrivals, seconds: int) -> list[str]:
    """Post for some seconds, wait for every message, and return the cells of a row."""
    count = RATE * (seconds + WARM_UP_SECONDS)
    bodies = complaints(count)
    job = Job("127.0.0.1", port, "/v1/complaints", bodies, 32, seconds, WARM_UP_SECONDS, rate=RATE)
    result = load(job)
    if result.failures:
        raise RuntimeError(f"{result.failures} of {result.answers} answers failed")
    begun = {phone(number): at for number, at in enumerate(result.begun)}
    found = wait_for_all(product, arrivals, begun)
    skipped = {phone(number) for number in range(RATE * WARM_UP_SECONDS)}
    spans = sorted(found[to] - at for to, at in begun.items() if to not in skipped)
    shares = (spans[len(spans) // 2], spans[int(len(spans) * 0.99)], spans[-1])
    return [
        f"{len(spans):,}",
        *(f"{span * 1000:,.0f}" for span in shares),
        f"{result.p99_ms:.0f}",
    ]


def wait_for_all(product: Product, arrivals: Arrivals, begun: dict[str, float]) -> dict[str, float]:
    """Return when each message came; raises where one does not."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while begun.keys() - (found := arrivals()).keys():
        if time.monotonic() > deadline:
            missing = len(begun.keys() - found.keys())
            raise RuntimeError(f"{missing} messages are missing in {product.home}")
        time.sleep(0.5)
    return found


def phone(number: int) -> str:
    """Return the phone of the n-th complaint of `machines.complaints`."""
    return f"+86138{number:08d}"


def files_in(folder: Path) -> dict[str, float]:
    """Return when the first message to each address was written."""
    found: dict[str, float] = {}
    for path in folder.glob("*_sms_*.txt"):
        to = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("To: ")
        written = path.stat().st_mtime
        found[to] = min(written, found.get(to, written))
    return found


def noted_in(notes: Path) -> dict[str, float]:
    """Return when the first message to each address came to the gateway."""
    found: dict[str, float] = {}
    for line in notes.read_text(encoding="utf-8").splitlines():
        at, _, to = line.partition(" ")
        found.setdefault(to, float(at))
    return found


@contextmanager
def gateway() -> Iterator[tuple[str, Path]]:
    """Run the SMS gateway in a process of its own; yields its address and its notes."""
    with TemporaryDirectory(prefix="redress-bench-") as name:
        port, notes = free_port(), Path(name) / "notes"
        notes.touch()
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.gateway", str(port), str(notes)]
        )
        try:
            wait_until_open(f"http://127.0.0.1:{port}/")
            yield f"http://127.0.0.1:{port}/sms", notes
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main(Console())
