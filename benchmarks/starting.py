"""How soon the embedded product answers, and how much memory it takes.

Aims: first answer within 3 s, and under 250 MB resident after 1,000 complaints.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.load import Job
from benchmarks.machines import complaints, load, resident_mib
from tests.harness.product import Product, eventually

COMPLAINTS = 1000


def main(console: Console, *, quick: bool = False) -> None:
    """Start twice in one home, post complaints in between, print one table."""
    del quick
    table = Table("what", "measured", "aim", title="Embedded: start and memory")
    with TemporaryDirectory(prefix="redress-bench-") as home:
        product = Product.embedded(Path(home))
        table.add_row("first start, empty home", f"{start(product):.2f} s", "< 3 s")
        pid = product.processes["embedded"].pid
        table.add_row("resident after the start", f"{resident_mib(pid):.0f} MiB", "")
        post(product)
        eventually(lambda: counted(product) >= COMPLAINTS, seconds=60, what="all counted")
        eventually(lambda: not queued(product), seconds=60, what="all messages handed over")
        megabytes = resident_mib(pid) * 1.048576
        table.add_row(f"resident after {COMPLAINTS:,} complaints", f"{megabytes:.0f} MB", "< 250")
        product.stop()
        table.add_row("second start", f"{start(product):.2f} s", "< 3 s")
        product.stop()
    console.print(table)


def start(product: Product) -> float:
    """Start the product and return the seconds until its first answer."""
    began = time.perf_counter()
    product.spawn("embedded")
    url = f"{product.urls['intake']}/health/ready"
    while True:
        if product.processes["embedded"].poll() is not None:
            raise RuntimeError(product.log_tail("embedded"))
        try:
            # The socket listens early, so the answer waits for the start and not for a retry.
            if httpx.get(url, timeout=30).status_code == httpx.codes.OK:
                return time.perf_counter() - began
        except httpx.TransportError:
            pass
        time.sleep(0.01)


def post(product: Product) -> None:
    """Post the complaints, 100 a second."""
    bodies = complaints(COMPLAINTS)
    job = Job(
        "127.0.0.1", product.ports["embedded"], "/v1/complaints", bodies, 8, COMPLAINTS / 100, 0,
        rate=100,
    )  # fmt: skip
    load(job)


def counted(product: Product) -> int:
    """Return how many complaints the heat map has."""
    total: int = product.get("/v1/analytics/heatmap")["total"]
    return total


def queued(product: Product) -> int:
    """Return how many messages wait; at most one page of them."""
    return len(product.get("/v1/notifications", state="queued")["items"])


if __name__ == "__main__":
    main(Console())
