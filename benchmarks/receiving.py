"""POST /v1/complaints per second, beside a bare FastAPI route with one asyncpg INSERT.

Aim: at least 1.0 of the reference at 64 connections on PostgreSQL with the relay and Kafka running
and the other services paused; with all of them running is told beside it. "CPU ms" is what one
request took of the processors in the server, its relay and PostgreSQL together: where other work
shares the machine it says more than requests a second.
"""

from __future__ import annotations

import signal
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from benchmarks.load import Job, Result
from benchmarks.machines import (
    complaints,
    distributed,
    embedded,
    family_cpu_seconds,
    load,
    reference,
    servers,
)
from tests.harness.product import Product

CONNECTIONS = (1, 16, 64)
SECONDS = 6.0
OTHERS = ("workflow", "notification", "analytics")

Measured = dict[int, tuple[Result, float]]
"""By connections: what the load saw, and processor milliseconds for each answer."""


def main(console: Console, *, quick: bool = False) -> None:
    """Measure all of them in one run and print one table."""
    bodies = complaints(5000)
    seconds = SECONDS / 3 if quick else SECONDS
    columns = ("what", "connections", "a second", "× reference", "p50 ms", "p99 ms", "CPU ms")
    table = Table(*columns, title="POST /v1/complaints")
    with servers() as (postgres, kafka):
        with reference(postgres) as (port, pid):
            base = measure(port, [pid, postgres.pid], bodies, seconds)
        add(table, "reference: FastAPI + asyncpg INSERT", base, base)
        with distributed(postgres, kafka) as product:
            port = product.ports["intake"]
            pids = [product.processes[name].pid for name in ("intake", "intake-relay")]
            pause(product, signal.SIGSTOP)
            alone = measure(port, [*pids, postgres.pid], bodies, seconds)
            add(table, "PostgreSQL + Kafka, intake and relay", alone, base)
            pause(product, signal.SIGCONT)
            together = measure(port, [*pids, postgres.pid], bodies, seconds)
            add(table, "PostgreSQL + Kafka, all services", together, base)
    with embedded() as product:
        pids = [product.processes["embedded"].pid]
        own = measure(product.ports["embedded"], pids, bodies, seconds)
        add(table, "embedded, SQLite, all services", own, base)
    console.print(table)


def measure(port: int, pids: list[int], bodies: list[str], seconds: float) -> Measured:
    """Send a load for each number of connections; fails where an answer is not 2xx."""
    return {count: one_load(port, pids, bodies, seconds, count) for count in CONNECTIONS}


def one_load(
    port: int, pids: list[int], bodies: list[str], seconds: float, connections: int
) -> tuple[Result, float]:
    """Return what one load measured, and the milliseconds of processor time for each answer."""
    job = Job("127.0.0.1", port, "/v1/complaints", bodies, connections, seconds, warm_up_seconds=0)
    load(replace(job, seconds=1.0))
    before = sum(map(family_cpu_seconds, pids))
    result = load(job)
    if result.failures:
        raise RuntimeError(f"{result.failures} of {result.answers} answers failed")
    taken = sum(map(family_cpu_seconds, pids)) - before
    return result, taken / result.answers * 1000


def pause(product: Product, how: signal.Signals) -> None:
    """Stop or continue every service that is not intake."""
    for name in OTHERS:
        product.processes[name].send_signal(how)


def add(table: Table, what: str, results: Measured, base: Measured) -> None:
    """Add the rows of one thing measured."""
    for count, (result, cpu_ms) in results.items():
        ratio = result.per_second / base[count][0].per_second
        table.add_row(
            what if count == CONNECTIONS[0] else "",
            str(count),
            f"{result.per_second:,.0f}",
            f"{ratio:.2f}",
            f"{result.p50_ms:.1f}",
            f"{result.p99_ms:.1f}",
            f"{cpu_ms:.2f}",
        )


if __name__ == "__main__":
    main(Console())
