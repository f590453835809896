"""Intake without Kafka: it starts, takes complaints, and says what it waits for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.ports import free_port
from shared.kernel.vault import new_master_key
from tests.harness.product import COMPLAINT, Product, eventually, somebody


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[Product]:
    """Intake as a process of its own, on SQLite, and a Kafka that nobody has started."""
    port = free_port()
    environment = {
        "REDRESS_HOME": str(tmp_path),
        "REDRESS_INTAKE_MASTER_KEY": new_master_key(),
        "REDRESS_PUBLIC_URL": "https://complaints.example.com",
        "REDRESS_LOG_FORMAT": "json",
    }
    url = f"http://127.0.0.1:{port}"
    product = Product(tmp_path, environment, {"intake": port}, {"intake": url})
    subprocess.run(
        [sys.executable, "-m", "services", "migrate"], env=os.environ | environment, check=True
    )
    environment["REDRESS_KAFKA_BOOTSTRAP"] = f"127.0.0.1:{free_port()}"
    product.spawn("intake")
    yield product
    product.stop()


def logged(product: Product, event: str) -> list[dict[str, Any]]:
    text = (product.home / "intake.log").read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def test_intake_takes_complaints_and_says_that_it_waits_for_the_log(intake: Product) -> None:
    intake.wait_ready("intake")
    complaint = intake.post("/v1/complaints", COMPLAINT | {"customer": somebody()})
    failed = eventually(lambda: logged(intake, "worker.failed"))
    ready = intake.request("GET", "/health/ready")

    assert complaint["number"]
    assert ready.status_code == 200
    assert ready.json()["parts"]["database"]["state"] == "ok"
    assert ready.json()["parts"]["log"]["state"] == "waiting"
    assert "Kafka" in ready.json()["parts"]["log"]["detail"]
    assert len(eventually(lambda: logged(intake, "kafka.away"))) == 1
    assert not [line for line in failed if "exception" in line]
    assert logged(intake, "service.ready")[0]["url"] == intake.urls["intake"]
