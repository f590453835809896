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

# The company's policy but for P1, whose first reply is due within seconds: the breach story's.
POLICY = """
name: stories
version: 1
warnings: [50%, 80%]
halved_for: {tiers: [vip]}
paused_while_awaiting_customer: [propose, resolve]
clocks:
  acknowledge: {target: 1 minute, warnings: []}
  assign: {target: 1 hour}
  first_reply: {targets: {P1: 4 seconds, P2: 4 hours, P3: 24 hours, P4: 24 hours}}
  propose: {target: 3 working days}
  resolve: {target: 7 working days}
  follow_up: {target: 48 hours}
"""


@pytest.fixture(scope="session")
def policy(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The policy file of the stories."""
    path = tmp_path_factory.mktemp("policy") / "policy.yaml"
    path.write_text(POLICY)
    return str(path)


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory, policy: str) -> Iterator[Product]:
    """Everything in one process."""
    settings = {"REDRESS_POLICY_FILE": policy}
    product = Product.embedded(tmp_path_factory.mktemp("embedded"), settings)
    with product:
        yield product


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
    policy: str,
) -> Iterator[Product]:
    """Five processes on PostgreSQL and Kafka."""
    databases = {name: postgres_server.create() for name in DATABASES}
    postgres_server.made.clear()  # these live as long as the session
    home: Path = tmp_path_factory.mktemp("distributed")
    product = Product.distributed(
        home,
        databases=databases,
        kafka=kafka_of_product,
        settings={"REDRESS_POLICY_FILE": policy},
    )
    with product:
        yield product
    postgres_server.drop(list(databases.values()))


@pytest.fixture(params=["embedded", pytest.param("distributed", marks=pytest.mark.kafka)])
def product(request: pytest.FixtureRequest) -> Product:
    """The product, once in each profile."""
    found: Product = request.getfixturevalue(request.param)
    return found
