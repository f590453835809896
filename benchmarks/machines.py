"""What the benchmarks run on: one PostgreSQL, one Kafka, and the product over them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.load import Job, Result
from deploy.local.kafka import start_kafka, stop_kafka
from deploy.local.postgres import PostgresServer, ensure_database, start_postgres, stop_postgres
from tests.harness.product import COMPLAINT, Product, free_port

DATABASES = ("intake", "workflow", "notification")


@contextmanager
def servers() -> Iterator[tuple[PostgresServer, str]]:
    """Run PostgreSQL (durable, as in production) and Kafka in a throw-away folder."""
    with TemporaryDirectory(prefix="redress-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        postgres = start_postgres(folder / "postgres", durable=True, with_parent=True)
        kafka = start_kafka(folder / "kafka", with_parent=True)
        try:
            yield postgres, kafka.bootstrap
        finally:
            stop_kafka(folder / "kafka")
            stop_postgres(folder / "postgres")


@contextmanager
def distributed(postgres: PostgresServer, kafka: str) -> Iterator[Product]:
    """Run the five processes on fresh databases."""
    with TemporaryDirectory(prefix="redress-bench-") as home:
        urls = {
            name: ensure_database(postgres, f"bench_{name}", role=f"bench_{name}", password="bench")  # noqa: S106
            for name in DATABASES
        }
        product = Product.distributed(Path(home), databases=urls, kafka=kafka)
        product.start()
        try:
            yield product
        finally:
            product.stop()


@contextmanager
def embedded(**settings: str) -> Iterator[Product]:
    """Run the embedded product in a throw-away home."""
    with TemporaryDirectory(prefix="redress-bench-") as home:
        product = Product.embedded(Path(home), settings)
        product.start()
        try:
            yield product
        finally:
            product.stop()


@contextmanager
def reference(postgres: PostgresServer) -> Iterator[int]:
    """Run the bare FastAPI + asyncpg reference; yields its port."""
    url = ensure_database(postgres, "bench_reference", role="bench_reference", password="bench")  # noqa: S106
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.reference", str(port)], stdin=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(url.encode())
    process.stdin.close()
    try:
        _wait_for(f"http://127.0.0.1:{port}/openapi.json")
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            httpx.get(url, timeout=1)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{url} does not answer")


def complaints(count: int) -> list[str]:
    """Return bodies of as many complaints, each by another customer."""
    bodies = []
    for number in range(count):
        customer = {
            "name": f"客户{number}",
            "phone": f"+86138{number:08d}",
            "email": f"customer{number}@example.com",
        }
        bodies.append(json.dumps(COMPLAINT | {"customer": customer}, ensure_ascii=False))
    return bodies


def load(job: Job) -> Result:
    """Send a load from a process of its own, so that it does not share the server's interpreter."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(asdict(job)),
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    return Result(**json.loads(done.stdout))


def resident_mib(pid: int) -> float:
    """Return a process's resident memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} is gone")
