"""POST /v1/complaints per second, beside a bare FastAPI route with one asyncpg INSERT.

Aim: at least 1.0 of the reference at 64 connections on PostgreSQL with the relay and Kafka running
and the other services paused; with all of them running is told beside it.
"""

from __future__ import annotations

import signal

from rich.console import Console
from rich.table import Table

from benchmarks.load import Job, Result
from benchmarks.machines import complaints, distributed, embedded, load, reference, servers
from tests.harness.product import Product

CONNECTIONS = (1, 16, 64)
SECONDS = 6.0
OTHERS = ("workflow", "notification", "analytics")


def main(console: Console, *, quick: bool = False) -> None:
    """Measure all of them in one run and print one table."""
    bodies = complaints(5000)
    seconds = SECONDS / 3 if quick else SECONDS
    columns = ("what", "connections", "a second", "× reference", "p50 ms", "p99 ms")
    table = Table(*columns, title="POST /v1/complaints")
    with servers() as (postgres, kafka):
        with reference(postgres) as port:
            base = {count: measure(port, count, bodies, seconds) for count in CONNECTIONS}
        add(table, "reference: FastAPI + asyncpg INSERT", base, base)
        with distributed(postgres, kafka) as product:
            port = product.ports["intake"]
            pause(product, signal.SIGSTOP)
            alone = {count: measure(port, count, bodies, seconds) for count in CONNECTIONS}
            add(table, "PostgreSQL + Kafka, intake and relay", alone, base)
            pause(product, signal.SIGCONT)
            together = {count: measure(port, count, bodies, seconds) for count in CONNECTIONS}
            add(table, "PostgreSQL + Kafka, all services", together, base)
    with embedded() as product:
        port = product.ports["embedded"]
        add(
            table,
            "embedded, SQLite",
            {c: measure(port, c, bodies, seconds) for c in CONNECTIONS},
            base,
        )
    console.print(table)


def measure(port: int, connections: int, bodies: list[str], seconds: float) -> Result:
    """Send one load; fails where an answer is not 2xx."""
    job = Job("127.0.0.1", port, "/v1/complaints", bodies, connections, seconds)
    result = load(job)
    if result.failures:
        raise RuntimeError(f"{result.failures} of {result.answers} answers failed")
    return result


def pause(product: Product, how: signal.Signals) -> None:
    """Stop or continue every service that is not intake."""
    for name in OTHERS:
        product.processes[name].send_signal(how)


def add(table: Table, what: str, results: dict[int, Result], base: dict[int, Result]) -> None:
    """Add the rows of one thing measured."""
    for count, result in results.items():
        ratio = result.per_second / base[count].per_second
        table.add_row(
            what if count == CONNECTIONS[0] else "",
            str(count),
            f"{result.per_second:,.0f}",
            f"{ratio:.2f}",
            f"{result.p50_ms:.1f}",
            f"{result.p99_ms:.1f}",
        )


if __name__ == "__main__":
    main(Console())
