"""Messages a second with a fast gateway: a backlog of facts, told to customers and staff.

Aim: 300 a second on PostgreSQL and Kafka, with intake and workflow answering who is told and what
was said. The facts gather while notification is away; then it takes them in, plans, writes and
hands over.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.handing_over import gateway
from benchmarks.load import Job
from benchmarks.machines import complaints, cpu_seconds, distributed, load, servers
from deploy.local.postgres import PostgresServer
from tests.harness.product import Product

POST_SECONDS, RATE = 25, 200
LIMIT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Figures:
    """What was sent, how fast, and the processor time that notification took for each."""

    customers: int
    staff: int
    seconds: float
    cpu_ms_each: float

    @property
    def per_second(self) -> float:
        """Messages a second, of both kinds."""
        return (self.customers + self.staff) / self.seconds


def main(console: Console, *, quick: bool = False) -> None:
    """Measure and print one table."""
    seconds = POST_SECONDS // (5 if quick else 1)
    columns = ("to customers", "to staff", "in s", "a second", "CPU ms each", "aim")
    title = "Messages sent from a backlog, PostgreSQL + Kafka, HTTP SMS gateway"
    table = Table(*columns, title=title)
    with (
        servers() as (postgres, kafka),
        gateway() as (url, _notes),
        distributed(postgres, kafka, REDRESS_SMS_URL=url) as product,
    ):
        found = measure(product, postgres, seconds)
    table.add_row(
        f"{found.customers:,}",
        f"{found.staff:,}",
        f"{found.seconds:.1f}",
        f"{found.per_second:,.0f}",
        f"{found.cpu_ms_each:.2f}",
        "300",
    )
    console.print(table)


def measure(product: Product, postgres: PostgresServer, seconds: int) -> Figures:
    """Let facts gather while notification is away, then bring it back and time its messages."""
    away = product.processes.pop("notification")
    away.terminate()
    away.wait()
    count = post(product, seconds)
    wait_for(postgres, "workflow", "SELECT count(*) FROM cases", count)
    began = time.monotonic()
    product.spawn("notification")
    told = "SELECT count(*) FROM notifications WHERE audience = 'customer' AND state = 'sent'"
    wait_for(postgres, "notification", told, count)
    waited = time.monotonic() - began
    spent = cpu_seconds(product.processes["notification"].pid)
    return figures(postgres, spent, waited)


def wait_for(postgres: PostgresServer, service: str, counting: str, count: int) -> None:
    """Wait until a service's database counts that many; each look costs PostgreSQL a connection."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while (found := int(postgres.run(counting, database=f"bench_{service}"))) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{service} has {found} of {count} after {LIMIT_SECONDS} s")
        time.sleep(1)


def post(product: Product, seconds: int) -> int:
    """Post complaints, each of another customer; return how many."""
    count = RATE * seconds
    bodies = complaints(count)
    job = Job(
        "127.0.0.1", product.ports["intake"], "/v1/complaints", bodies, 32, seconds, 0, rate=RATE
    )
    result = load(job)
    if result.failures:
        raise RuntimeError(f"{result.failures} of {result.answers} answers failed")
    return result.answers


def figures(postgres: PostgresServer, spent: float, waited: float) -> Figures:
    """Read what was sent between the first and the last message."""
    found = postgres.run(
        """
        SELECT count(*) FILTER (WHERE audience = 'customer'),
            count(*) FILTER (WHERE audience = 'staff'),
            extract(epoch FROM max(sent_at) - min(sent_at))
        FROM notifications WHERE state = 'sent'
        """,
        database="bench_notification",
    )
    customers, staff, seconds = found.strip().split("|")
    sent = int(customers) + int(staff)
    return Figures(int(customers), int(staff), float(seconds) or waited, spent / sent * 1000)


if __name__ == "__main__":
    main(Console())
