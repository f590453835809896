"""Every analytics endpoint over ten million facts, while 500 events a second come in.

Aims: p95 over 90 days under 100 ms, over everything under 400 ms, `as_of` under 2 s old.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import h3
import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.events import received
from benchmarks.machines import resident_mib, servers
from services.analytics_service.projections.models import FACTS, LAYOUT, TABLES, create_table
from shared.bus.kafka import KafkaBus
from tests.harness.product import Product

FACT_COUNT = 10_000_000
PER_SECOND = 500
REPEATS = 20
YEARS = 3
SLICE = 500_000

Question = dict[str, str | list[str]]
QUESTIONS: Mapping[str, tuple[str, Question]] = {
    "heat map category × region": ("heatmap", {}),
    "heat map category × week": ("heatmap", {"columns": "week"}),
    "heat map, breached, P1": ("heatmap", {"measure": "breached", "priority": "P1"}),
    "geo, resolution 6": ("geo", {}),
    "geo, resolution 4": ("geo", {"resolution": "4"}),
    "resolution times": ("resolution-times", {}),
    "resolution times by category": ("resolution-times", {"group_by": "category"}),
    "resolution times, two stages": (
        "resolution-times",
        {"stage": ["to_first_reply", "to_resolve"]},
    ),
    "SLA": ("sla", {}),
    "SLA by department": ("sla", {"group_by": "department"}),
    "trend by day": ("trend", {}),
    "trend by week and category": ("trend", {"interval": "week", "group_by": "category"}),
}

# Columns that are not drawn below are empty.
_VALUES = {
    "complaint_id": "printf('%08x-%04x-7%03x-8%03x-%012x', "
    "ms >> 16, ms & 65535, i % 4096, i % 4095, i)::UUID",
    "number": "'C' || i",
    "received_at": "since",
    "category": "list_value({categories})[(1 + hash(i, 1) % 24)::INT]",
    "channel": "list_value('web','hotline','app','email','chat')[(1 + hash(i, 2) % 5)::INT]",
    "severity": "list_value('minor','moderate','major','critical')[(1 + hash(i, 3) % 4)::INT]",
    "urgency": "list_value('low','normal','high')[(1 + hash(i, 4) % 3)::INT]",
    "priority": "list_value('P1','P2','P3','P4')[(1 + hash(i, 5) % 4)::INT]",
    "tier": "list_value('standard','silver','gold')[(1 + hash(i, 6) % 3)::INT]",
    "language": "CASE WHEN hash(i, 7) % 3 = 0 THEN 'en' ELSE 'zh' END",
    "product": "'SKU-' || (hash(i, 8) % 200)",
    "region": "'CN-' || (11 + hash(i, 9) % 34)",
    "department": "list_value('product','logistics','billing')[(1 + hash(i, 10) % 3)::INT]",
    "h3": "list_value({cells})[(1 + hash(i, 11) % 2000)::INT]",
    "imported": "false",
    "state": "CASE WHEN done THEN 'closed' ELSE 'assigned' END",
    "outcome": "CASE WHEN done THEN 'solved' END",
    "escalation_level": "(hash(i, 12) % 8 = 0)::TINYINT",
    "reopened": "0",
    "handovers": "0",
    "breached": "hash(i, 13) % 6 = 0",
    "acknowledged_at": "since + INTERVAL 1 SECOND",
    "assigned_at": "since",
    "first_reply_at": "since + to_seconds((took * 0.2)::BIGINT)",
    "resolved_at": "CASE WHEN done THEN since + to_seconds(took::BIGINT) END",
    "closed_at": "CASE WHEN done THEN since + to_seconds(took::BIGINT + 86400) END",
    "to_acknowledge": "1.0",
    "to_assign": "0.0",
    "to_first_reply": "took * 0.2",
    "to_resolve": "CASE WHEN done THEN took * 0.8 END",
    "total": "CASE WHEN done THEN took END",
    "acknowledge_clock": "'met'",
    "acknowledge_due_at": "since + INTERVAL 1 HOUR",
    "first_reply_clock": "CASE WHEN hash(i, 13) % 6 = 0 THEN 'breached' ELSE 'met' END",
    "first_reply_due_at": "since + INTERVAL 1 DAY",
    "resolve_clock": "CASE WHEN done THEN 'met' ELSE 'running' END",
    "resolve_due_at": "since + INTERVAL 5 DAY",
    "intake_sequence": "1",
    "workflow_sequence": "1",
    "notification_sequence": "0",
}


def main(console: Console, *, quick: bool = False) -> None:
    """Make the facts, start analytics over them, let events flow, ask, print one table."""
    count = FACT_COUNT // 10 if quick else FACT_COUNT
    with servers() as (_postgres, kafka), analytics(kafka, count) as product:
        with flowing(kafka) as flow:
            ages: list[float] = []
            table = ask_everything(product, ages)
        console.print(table)
        size = (product.home / "analytics.duckdb").stat().st_size / 1e6
        resident = resident_mib(product.processes["analytics"].pid)
    console.print(
        f"{count:,} facts, {size:,.0f} MB on disk, {resident:,.0f} MiB resident; "
        f"{flow.sent / flow.seconds:,.0f} events/s came in; age of as_of: "
        f"p50 {at(ages, 0.5):.2f} s, p95 {at(ages, 0.95):.2f} s, longest {max(ages):.2f} s "
        "(aim < 2 s)"
    )


def ask_everything(product: Product, ages: list[float]) -> Table:
    """Ask each question over 90 days and over everything, and note how old `as_of` is."""
    columns = ("question", "90 days p50 ms", "p95", "everything p50 ms", "p95")
    table = Table(*columns, title="Analytics over HTTP (aims: p95 < 100 ms, < 400 ms)")
    since = (datetime.now(UTC) - timedelta(days=90)).date().isoformat()
    with httpx.Client(base_url=product.urls["analytics"], timeout=60) as client:
        for name, (path, question) in QUESTIONS.items():
            cells: list[str] = []
            for limits in ({"from": since}, {}):
                cells += figures_of(client, path, {**question, **limits}, ages)
            table.add_row(name, *cells)
    return table


def figures_of(
    client: httpx.Client, path: str, question: Question, ages: list[float]
) -> tuple[str, str]:
    """Return p50 and p95 of a question in milliseconds, or what it was refused with."""
    spans = []
    for _ in range(REPEATS):
        try:
            spans.append(ask(client, f"/v1/analytics/{path}", question, ages))
        except httpx.HTTPStatusError as refused:
            return str(refused.response.status_code), refused.response.json()["detail"][:40]
    return f"{at(spans, 0.5) * 1000:.0f}", f"{at(spans, 0.95) * 1000:.0f}"


def ask(client: httpx.Client, path: str, question: Question, ages: list[float]) -> float:
    """Return the seconds of one answer."""
    began = time.perf_counter()
    answer = client.get(path, params=question)
    took = time.perf_counter() - began
    answer.raise_for_status()
    as_of = datetime.fromisoformat(answer.headers["x-as-of"])
    ages.append((datetime.now(UTC) - as_of).total_seconds())
    return took


def at(values: list[float], share: float) -> float:
    """Return the value below which that share of the values lies."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


@contextmanager
def analytics(kafka: str, count: int) -> Iterator[Product]:
    """Run analytics alone over a file that is already full."""
    with TemporaryDirectory(prefix="redress-bench-") as home:
        make_facts(Path(home) / "analytics.duckdb", count)
        asyncio.run(make_topics(kafka))
        product = Product.distributed(Path(home), databases={}, kafka=kafka)
        product.spawn("analytics")
        try:
            product.wait_ready("analytics")
            yield product
        finally:
            product.stop()


def make_facts(path: Path, count: int) -> None:
    """Fill a file of facts inside DuckDB, in the order of their ids as a folding would."""
    centre = h3.latlng_to_cell(31.23, 121.47, 7)
    cells = ",".join(str(h3.str_to_int(cell)) for cell in sorted(h3.grid_disk(centre, 26))[:2000])
    tops = ("product", "logistics", "billing")
    categories = ",".join(f"'{top}.{number}'" for top in tops for number in range(8))
    values = [_value(column).format(categories=categories, cells=cells) for column in FACTS]
    span = YEARS * 365 * 86_400_000
    moments = f"(epoch_ms(now()) - {span} + i * ({span} / {count}))::BIGINT"
    with duckdb.connect(str(path), config={"preserve_insertion_order": False}) as connection:
        for name, columns in TABLES.items():
            connection.execute(create_table(name, columns))
        connection.execute(f"INSERT INTO meta VALUES ({LAYOUT}, now()::TIMESTAMP)")
        for first in range(0, count, SLICE):
            # In slices, each in the order of its ids as folding would leave them.
            connection.execute(
                f"INSERT INTO facts SELECT {', '.join(values)} FROM ("
                "SELECT i, ms, make_timestamp(ms * 1000) AS since, hash(i, 15) % 10 > 0 AS done, "
                "600 + pow(hash(i, 14) % 1000 / 1000.0, 4) * 2000000 AS took "
                f"FROM (SELECT i, {moments} AS ms FROM range({first}, {first + SLICE}) AS n(i)))"
            )


def _value(column: str) -> str:
    """Return the expression of a column; of a band as `bands.band_of` computes it."""
    stage = column.removesuffix("_band")
    if stage == column:
        return _VALUES.get(column, "NULL")
    microseconds = f"round(({_VALUES.get(stage, 'NULL')}) * 1000000)::BIGINT"
    shift = f"greatest(length(bin({microseconds})) - 7, 0)"
    return f"({shift} << 6) + ({microseconds} >> {shift})"


async def make_topics(kafka: str) -> None:
    """Make the topics, as `migrate` would."""
    bus = KafkaBus(kafka)
    await bus.start()
    await bus.ensure_topics()
    await bus.stop()


@dataclass
class Flow:
    """How many events came in, and in what time."""

    sent: int = 0
    seconds: float = 1.0
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def flowing(kafka: str) -> Iterator[Flow]:
    """Publish events at a steady rate from a thread."""
    flow = Flow()
    thread = threading.Thread(target=lambda: asyncio.run(_flow(kafka, flow)))
    thread.start()
    time.sleep(2)  # until the first are folded in: `as_of` is theirs from now on
    try:
        yield flow
    finally:
        flow.ended.set()
        thread.join()


async def _flow(kafka: str, flow: Flow) -> None:
    bus = KafkaBus(kafka)
    await bus.start()
    producer = await bus.producer()
    began = due = time.monotonic()
    while not flow.ended.is_set():
        await producer.publish(list(received(PER_SECOND // 10)))
        flow.sent += PER_SECOND // 10
        due += 0.1
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    flow.seconds = time.monotonic() - began
    await producer.close()
    await bus.stop()


if __name__ == "__main__":
    main(Console())
