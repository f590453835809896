"""What the benchmarks run on: one PostgreSQL, one Kafka, and the product over them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil

from benchmarks.load import Job, Result
from deploy.local.kafka import start_kafka, stop_kafka
from deploy.local.ports import free_port
from deploy.local.postgres import PostgresServer, ensure_database, start_postgres, stop_postgres
from tests.harness.product import COMPLAINT, Product

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
def distributed(
    postgres: PostgresServer, kafka: str, *, started: bool = True, **settings: str
) -> Iterator[Product]:
    """Run the five processes; `started=False` only brings their databases up to date."""
    with TemporaryDirectory(prefix="redress-bench-") as home:
        urls = {
            name: ensure_database(postgres, f"bench_{name}", role=f"bench_{name}", password="bench")
            for name in DATABASES
        }
        product = Product.distributed(Path(home), databases=urls, kafka=kafka, settings=settings)
        try:
            if started:
                product.start()
            else:
                command = [sys.executable, "-m", "services", "migrate"]
                subprocess.run(command, env=os.environ | product.environment, check=True)
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
def reference(postgres: PostgresServer) -> Iterator[tuple[int, int]]:
    """Run the bare FastAPI + asyncpg reference; yields its port and process id."""
    url = ensure_database(postgres, "bench_reference", role="bench_reference", password="bench")
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.reference", str(port)], stdin=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(url.encode())
    process.stdin.close()
    try:
        wait_until_open(f"http://127.0.0.1:{port}/openapi.json")
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def wait_until_open(url: str) -> None:
    """Wait until a server answers anything; raises RuntimeError after ten seconds."""
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


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process has taken: what other load cannot falsify."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def whole_cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and of those it started that have ended."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def family_cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and of those it started, ended ones too."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    taken = times.user + times.system + times.children_user + times.children_system
    for member in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has just ended
            taken += cpu_seconds(member.pid)
    return float(taken)


def wait_rate(done: Callable[[], bool], count: int, *, seconds: float = 300) -> float:
    """Return how many of `count` a second were done when `done` came true, counted from now."""
    began = time.perf_counter()
    while not done():
        if time.perf_counter() - began > seconds:
            raise RuntimeError(f"not done in {seconds} s")
        # Asking is work too, and often for the very process that is measured.
        time.sleep(0.1)
    return count / (time.perf_counter() - began)
