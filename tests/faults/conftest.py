"""What the tests of timers run on: workflow alone, on servers of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.kafka import start_kafka
from tests.harness.databases import MakeUrl
from tests.harness.product import Product
from tests.harness.products import DATABASES


@pytest.fixture
def lone_workflow(
    tmp_path: Path, kafka_folder: Path, postgres_urls: MakeUrl, policy: str
) -> Iterator[Product]:
    """Workflow, not started yet, with a broker that no other service uses."""
    product = Product.distributed(
        tmp_path / "home",
        databases={name: postgres_urls() for name in DATABASES},
        kafka=start_kafka(kafka_folder, with_parent=True).bootstrap,
        settings={"REDRESS_POLICY_FILE": policy},
    )
    product.migrate()
    yield product
    product.stop()


@pytest.fixture
def lone_product(tmp_path: Path, policy: str) -> Iterator[Product]:
    """The embedded product, not started yet."""
    product = Product.embedded(tmp_path / "home", {"REDRESS_POLICY_FILE": policy})
    yield product
    product.stop()
