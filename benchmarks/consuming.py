"""Events a second that workflow and analytics take in, beside raw aiokafka reading the same.

Aims: 2,000/s in workflow (a case, its clocks, timers and event for each), 20,000/s in analytics.
"""

from __future__ import annotations

import asyncio

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table

from benchmarks.events import publish, received
from benchmarks.machines import distributed, servers, wait_rate
from deploy.local.postgres import PostgresServer
from shared.events.topics import COMPLAINTS, PARTITIONS
from tests.harness.product import Product

FOR_WORKFLOW = 20_000
FOR_ANALYTICS = 120_000


def main(console: Console, *, quick: bool = False) -> None:
    """Fill the log with nobody listening, then start one listener after the other."""
    share = 10 if quick else 1
    first, second = FOR_WORKFLOW // share, FOR_ANALYTICS // share
    table = Table("who", "events", "events/s", "× raw aiokafka", "aim", title="Taking in a backlog")
    with servers() as (postgres, kafka), distributed(postgres, kafka, started=False) as product:
        asyncio.run(publish(kafka, list(received(first))))
        raw = asyncio.run(read_raw(kafka, first))
        table.add_row("raw aiokafka", f"{first:,}", f"{raw:,.0f}", "1.00", "")
        rate = through_workflow(product, postgres, first)
        table.add_row("workflow", f"{first:,}", f"{rate:,.0f}", f"{rate / raw:.3f}", "2,000")
        asyncio.run(publish(kafka, list(received(second - 2 * first))))
        raw = asyncio.run(read_raw(kafka, second))
        table.add_row("raw aiokafka", f"{second:,}", f"{raw:,.0f}", "1.00", "")
        rate = through_analytics(product, second)
        table.add_row("analytics", f"{second:,}", f"{rate:,.0f}", f"{rate / raw:.3f}", "20,000")
    console.print(table)


def through_workflow(product: Product, postgres: PostgresServer, count: int) -> float:
    """Return events/s from the start until every case stands and its event is in the log."""
    product.spawn("workflow")
    product.wait_ready("workflow")
    unpublished = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
    question = f"SELECT (SELECT count(*) FROM cases) = {count} AND ({unpublished}) = 0"
    before = int(postgres.run("SELECT count(*) FROM cases", database="bench_workflow"))
    rate = wait_rate(
        lambda: postgres.run(question, database="bench_workflow") == "t", count - before
    )
    product.processes.pop("workflow").terminate()
    return rate


def through_analytics(product: Product, count: int) -> float:
    """Return events/s from being ready until the last event is folded in."""
    product.spawn("analytics")
    product.wait_ready("analytics")
    before = folded(product)
    return wait_rate(lambda: folded(product) >= count, round(count - before))


def folded(product: Product) -> float:
    """Return how many events analytics has folded since it was started."""
    text = httpx.get(product.urls["analytics"] + "/metrics", timeout=30).text
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "redress_analytics_folded_total":
                return float(sample.value)
    return 0.0


async def read_raw(kafka: str, count: int) -> float:
    """Return events/s of a bare consumer that reads and forgets."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        parts = [TopicPartition(COMPLAINTS, number) for number in range(PARTITIONS)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        loop, read = asyncio.get_running_loop(), 0
        began = loop.time()
        while read < count:
            found = await consumer.getmany(timeout_ms=1000, max_records=5000)
            read += sum(map(len, found.values()))
        return read / (loop.time() - began)
    finally:
        await consumer.stop()


if __name__ == "__main__":
    main(Console())
