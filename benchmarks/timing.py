"""Timers of a million open cases: a rush, a steady flow, and what a minute costs in which none is.

Aims: 100,000 due within one minute all fired in it; p99 under 2 s late at 500 due a second; a
million open cases cost no more than ten thousand while nothing is due. The rush is fired by one
process and by two: one interpreter is full with it in a machine's slower hours.

The product opens some cases; SQL copies them, whole: clocks, history and timer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.table import Table
from sqlalchemy import Table as SqlTable

from benchmarks.events import as_record, publish
from benchmarks.machines import cpu_seconds, distributed, family_cpu_seconds, servers
from deploy.local.postgres import PostgresServer
from services.workflow_service.cases.models import case_history, cases
from services.workflow_service.clocks.models import timers
from shared.events.complaints import ComplaintReceived
from shared.events.deliveries import NotificationSent
from shared.kernel.ids import new_id, new_number
from tests.harness.product import Product, eventually

OPEN = (10_000, 1_000_000)
IDLE_SECONDS = 60
RUSH_PER_SECOND, RUSH_SECONDS = 1_670, 60
STEADY_PER_SECOND, STEADY_SECONDS = 500, 40
TEMPLATES_PER_SECOND = 10
LEAD_SECONDS = 30
"""Until the first timer is due: the cases are opened and copied meanwhile."""

SETTLING_SECONDS = 5
LIMIT = timedelta(minutes=5)
DATABASE = "bench_workflow"
FIRST_WARNING, BREACH = timedelta(hours=2), timedelta(hours=4)
"""Of the first reply of a P2 case, by the policy that comes with the product."""


@dataclass(frozen=True, slots=True)
class Bench:
    """The workflow service alone, on a database that grows."""

    product: Product
    postgres: PostgresServer
    kafka: str

    def ask(self, sql: str) -> str:
        """Run statements on workflow's database."""
        return self.postgres.run(sql, database=DATABASE)

    def start(self) -> None:
        """Start workflow."""
        self._start("workflow")

    def start_second(self) -> None:
        """Start a second process of workflow beside the first."""
        self._start(self.product.add_replica("workflow", 2))

    def _start(self, name: str) -> None:
        self.product.spawn(name)
        self.product.wait_ready(name)

    def stop(self) -> None:
        """Stop workflow."""
        self.product.stop()

    @property
    def processes(self) -> int:
        """How many processes of workflow run."""
        return len(self.product.processes)

    def cpu(self) -> tuple[float, float]:
        """Return the processor seconds that workflow and PostgreSQL have taken."""
        pids = [process.pid for process in self.product.processes.values()]
        return sum(map(cpu_seconds, pids)), family_cpu_seconds(self.postgres.pid)

    def pages(self) -> int:
        """Return how many pages of the database have been looked at: no slow hour changes it."""
        database = f"FROM pg_stat_database WHERE datname = '{DATABASE}'"
        return int(self.ask(f"SELECT blks_hit + blks_read {database}"))


def main(console: Console, *, quick: bool = False) -> None:
    """Grow the database, measure idling at each size, then the steady flow and the rush."""
    few, many = OPEN[0], OPEN[1] // (10 if quick else 1)
    shorter = 4 if quick else 1
    columns = (
        "due", "within", "processes", "all in the log after", "late p50 s", "p99 s", "longest",
        "CPU ms each", "of PostgreSQL", "aim",
    )  # fmt: skip
    table = Table(*columns, title=f"Timers fired, {many:,} cases open, relay to Kafka")
    with servers() as (postgres, kafka), distributed(postgres, kafka, started=False) as product:
        bench = Bench(product, postgres, kafka)
        console.print(idling(bench, [few, many], IDLE_SECONDS // shorter))
        bench.start()
        table.add_row(*flow(bench, STEADY_PER_SECOND, STEADY_SECONDS // shorter), "p99 < 2 s")
        seconds = RUSH_SECONDS // shorter
        table.add_row(*flow(bench, RUSH_PER_SECOND, seconds), f"all after {seconds} s")
        bench.start_second()
        table.add_row(*flow(bench, RUSH_PER_SECOND, seconds), f"all after {seconds} s")
        bench.stop()
    console.print(table)


def idling(bench: Bench, sizes: Sequence[int], seconds: int) -> Table:
    """Return what a while costs at each size, with nothing due in it."""
    columns = (
        "open cases", "copied in s", "bytes a case", "CPU s of workflow", "of PostgreSQL",
        "its pages looked at",
    )  # fmt: skip
    table = Table(*columns, title=f"{seconds} s with nothing due (aim: the same at each size)")
    now = datetime.now(UTC)
    bench.start()
    templates = open_cases(bench, "P4", [now - timedelta(minutes=n) for n in range(1, 501)])
    bench.stop()
    there = len(templates)
    for size in sizes:
        began = time.perf_counter()
        copy(bench, templates, (size - there) // len(templates))
        there, took = size, time.perf_counter() - began
        disk = int(bench.ask(f"SELECT pg_database_size('{DATABASE}')")) // size
        spent = idle(bench, seconds)
        table.add_row(f"{size:,}", f"{took:.0f}", f"{disk:,}", *spent)
    return table


def idle(bench: Bench, seconds: int) -> list[str]:
    """Return the processor seconds of workflow and PostgreSQL while nothing is due, and pages."""
    bench.ask("VACUUM ANALYZE; CHECKPOINT;")
    bench.start()
    time.sleep(SETTLING_SECONDS)
    before, pages = bench.cpu(), bench.pages()
    time.sleep(seconds)
    after, pages_after = bench.cpu(), bench.pages()
    bench.stop()
    spent = (now - then for then, now in zip(before, after, strict=True))
    return [*(f"{seconds:.2f}" for seconds in spent), f"{pages_after - pages:,}"]


def flow(bench: Bench, per_second: int, seconds: int) -> list[str]:
    """Let timers come due evenly; return the cells of a row when all is in the log."""
    first = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS)
    last = first + timedelta(seconds=seconds)
    count = make_due(bench, first, per_second, seconds)
    if datetime.now(UTC) > first or abs(count - per_second * seconds) > per_second:
        raise RuntimeError(f"{count} timers were made by {datetime.now(UTC)} for {first}")
    time.sleep((first - datetime.now(UTC)).total_seconds())
    before = bench.cpu()
    time.sleep((last - datetime.now(UTC)).total_seconds())
    while not is_over(bench, last):
        if datetime.now(UTC) > last + LIMIT:
            raise RuntimeError(f"timers are still due {LIMIT} after the last of them was")
        time.sleep(1)  # each look costs PostgreSQL a connection
    spent = [after - then for then, after in zip(before, bench.cpu(), strict=True)]
    late = figures(bench, first, count)
    return [
        f"{count:,}",
        f"{seconds} s",
        str(bench.processes),
        *late,
        *(f"{s / count * 1000:.2f}" for s in spent),
    ]


def make_due(bench: Bench, first: datetime, per_second: int, seconds: int) -> int:
    """Make cases whose first reply is warned of or breached from `first` on; return how many."""
    points = [
        first + timedelta(seconds=n / TEMPLATES_PER_SECOND)
        for n in range(seconds * TEMPLATES_PER_SECOND)
    ]
    waits = (FIRST_WARNING, BREACH)
    templates = open_cases(bench, "P2", [at - waits[n % 2] for n, at in enumerate(points)])
    copy(bench, templates, per_second // TEMPLATES_PER_SECOND - 1)
    bench.ask(f"""
        DROP TABLE IF EXISTS bench_due;
        CREATE TABLE bench_due AS SELECT complaint_id, due_at FROM timers
        WHERE due_at BETWEEN '{first}' AND '{points[-1]}'
    """)
    return int(bench.ask("SELECT count(*) FROM bench_due"))


def is_over(bench: Bench, last: datetime) -> bool:
    """Tell whether nothing is due any more and nothing waits for the relay."""
    due = f"SELECT 1 FROM timers WHERE due_at <= '{last}'"
    waiting = "SELECT 1 FROM outbox WHERE published_at IS NULL"
    return bench.ask(f"SELECT NOT EXISTS({due}) AND NOT EXISTS({waiting})") == "t"


def figures(bench: Bench, first: datetime, count: int) -> Iterator[str]:
    """Yield when the log had everything, and how late it had each."""
    found = bench.ask(f"""
        WITH told AS (
            SELECT min(published_at) AS at, min(due_at) AS due_at
            FROM bench_due JOIN outbox USING (complaint_id)
            WHERE outbox.created_at >= '{first}' GROUP BY complaint_id
        )
        SELECT count(*), extract(epoch FROM max(at) - '{first}'),
            percentile_cont(ARRAY[0.5, 0.99, 1]) WITHIN GROUP (
                ORDER BY extract(epoch FROM at - due_at)
            )
        FROM told
    """)
    told, took, late = found.split("|")
    if int(told) != count:
        raise RuntimeError(f"{count} timers were due, {told} were fired")
    yield f"{float(took):.1f} s"
    for span in late.strip("{}").split(","):
        yield f"{float(span):.2f}"


def open_cases(bench: Bench, priority: str, received_at: Sequence[datetime]) -> list[str]:
    """Have workflow, which runs, open cases of complaints that came at given times; return ids."""
    received = [complaint(priority, at) for at in received_at]
    ids = [data.complaint_id for data in received]
    wanted = f"= ANY('{{{','.join(ids)}}}')"
    told = zip(received, received_at, strict=True)
    asyncio.run(publish(bench.kafka, [as_record(data, at=at) for data, at in told]))
    standing = f"SELECT count(*) FROM cases WHERE id {wanted}"
    eventually(lambda: int(bench.ask(standing)) == len(ids), what="the cases stand")
    sent = [as_record(receipt(d), at=d.received_at + timedelta(seconds=1)) for d in received]
    asyncio.run(publish(bench.kafka, sent))
    settled = f"SELECT count(*) FROM timers WHERE complaint_id {wanted} AND due_at > now()"
    eventually(lambda: int(bench.ask(settled)) == len(ids), what="the receipts are noted")
    return ids


def complaint(priority: str, at: datetime) -> ComplaintReceived:
    """Return a complaint that came in at `at`."""
    return ComplaintReceived(
        complaint_id=new_id(),
        number=new_number(),
        received_at=at,
        channel="web",
        category="logistics.short",
        suggested_category="logistics.short",
        severity="moderate",
        urgency="normal",
        priority=priority,
        language="zh",
        region="CN-31",
        product="SKU-88",
        customer_id=new_id(),
    )


def receipt(received: ComplaintReceived) -> NotificationSent:
    """Return what notification says of a complaint's message of receipt."""
    return NotificationSent(
        complaint_id=received.complaint_id,
        number=received.number,
        notification_id=new_id(),
        kind="acknowledgement",
        occurrence=1,
        audience="customer",
        channel="sms",
    )


def copy(bench: Bench, templates: Sequence[str], times: int) -> None:
    """Copy cases with history and timer, each under an id of its own."""
    ids = ",".join(templates)
    bench.ask(f"""
        CREATE SEQUENCE IF NOT EXISTS bench_numbers;
        WITH copies AS MATERIALIZED (
            SELECT cases.id AS template, 'B' || nextval('bench_numbers') AS number,
                uuidv7(cases.opened_at - now())::text AS id
            FROM generate_series(1, {times}), cases WHERE cases.id = ANY('{{{ids}}}')
        ),
        copied AS ({copied(cases, "id", number="copies.number")}),
        timed AS ({copied(timers, "complaint_id")})
        {copied(case_history, "complaint_id")}
    """)


def copied(table: SqlTable, key: str, **others: str) -> str:
    """Return the statement that copies the templates' rows of one table."""
    changed = {key: "copies.id", **others}
    names = [column.name for column in table.columns]
    values = ", ".join(changed.get(name, f'"{table.name}"."{name}"') for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    return (
        f"INSERT INTO {table.name} ({columns}) SELECT {values} "
        f"FROM copies JOIN {table.name} ON {table.name}.{key} = copies.template"
    )


if __name__ == "__main__":
    main(Console())
