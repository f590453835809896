"""The product in both profiles, one of each a session: stories share it as customers would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.kafka import start_kafka, stop_kafka
from deploy.local.processes import CannotStart
from tests.harness.databases import PostgresServerForTests
from tests.harness.product import Product
from tests.harness.requirements import cannot_have

DATABASES = ("intake", "workflow", "notification")


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Everything in one process."""
    product = Product.embedded(tmp_path_factory.mktemp("embedded"))
    product.start()
    yield product
    product.stop()


@pytest.fixture(scope="session")
def kafka_of_product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of the product's own: the topics have fixed names, and other tests spoil theirs."""
    folder = tmp_path_factory.mktemp("kafka-of-product")
    try:
        broker = start_kafka(folder, with_parent=True)
    except CannotStart as failure:
        cannot_have("KAFKA", str(failure))
    yield broker.bootstrap
    stop_kafka(folder)


@pytest.fixture(scope="session")
def distributed(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: PostgresServerForTests,
    kafka_of_product: str,
) -> Iterator[Product]:
    """Five processes on PostgreSQL and Kafka."""
    databases = {name: postgres_server.create() for name in DATABASES}
    postgres_server.made.clear()  # these live as long as the session
    home: Path = tmp_path_factory.mktemp("distributed")
    product = Product.distributed(home, databases=databases, kafka=kafka_of_product)
    product.start()
    yield product
    product.stop()
    postgres_server.drop(list(databases.values()))


@pytest.fixture(params=["embedded", pytest.param("distributed", marks=pytest.mark.kafka)])
def product(request: pytest.FixtureRequest) -> Product:
    """The product, once in each profile."""
    found: Product = request.getfixturevalue(request.param)
    return found
