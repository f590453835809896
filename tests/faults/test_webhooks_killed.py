"""A CRM that is away for an hour, and a product that is killed meanwhile: all comes, in order."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.kafka import start_kafka
from tests.harness.crm import Crm
from tests.harness.databases import MakeUrl
from tests.harness.product import COMPLAINT, Product, eventually, somebody
from tests.harness.products import DATABASES

pytestmark = pytest.mark.faults

# An hour lasts as long as nine seconds do here: every time of webhooks is a 400th.
HOUR_SECONDS = 9.0
SETTINGS = {
    "REDRESS_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
    "REDRESS_WEBHOOK_TIMEOUT_SECONDS": "3",
    "REDRESS_WEBHOOK_FIRST_RETRY_SECONDS": "0.1",
    "REDRESS_WEBHOOK_LONGEST_RETRY_SECONDS": "2.25",
    "REDRESS_WEBHOOK_GIVE_UP_SECONDS": "216",
    "REDRESS_WEBHOOK_SUSPEND_AFTER_SECONDS": "4.5",
    "REDRESS_WEBHOOK_PROBE_SECONDS": "0.5",
}


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[Crm]:
    opened = Crm(tmp_path / "crm.db")
    yield opened
    opened.down()


@pytest.fixture
def lone_embedded(tmp_path: Path, policy: str) -> Iterator[Product]:
    product = Product.embedded(tmp_path / "home", SETTINGS | {"REDRESS_POLICY_FILE": policy})
    yield product
    product.stop()


@pytest.fixture
def lone_distributed(
    tmp_path: Path, kafka_folder: Path, postgres_urls: MakeUrl, policy: str
) -> Iterator[Product]:
    """Everything, and a second replica of notification, on servers of their own."""
    product = Product.distributed(
        tmp_path / "home",
        databases={name: postgres_urls() for name in DATABASES},
        kafka=start_kafka(kafka_folder, with_parent=True).bootstrap,
        settings=SETTINGS | {"REDRESS_POLICY_FILE": policy},
    )
    product.add_replica("notification", 2)
    yield product
    product.stop()


def test_everything_comes_in_order_after_an_hour_away(lone_embedded: Product, crm: Crm) -> None:
    check_an_hour_away(lone_embedded, crm, victims=["embedded"])


@pytest.mark.kafka
def test_everything_comes_in_order_after_an_hour_away_with_two_replicas(
    lone_distributed: Product, crm: Crm
) -> None:
    check_an_hour_away(lone_distributed, crm, victims=["notification", "notification#2"])


def check_an_hour_away(product: Product, crm: Crm, victims: list[str]) -> None:
    product.start()
    start = product.get("/v1/events", after="latest")["cursor"]
    made = product.post("/v1/webhooks", {"url": crm.url})
    crm.listen(made["secret"])
    complaints = [_complain(product) for _ in range(8)]
    crm.eventually_knows(16)

    crm.down()
    ends = time.monotonic() + HOUR_SECONDS
    victim = iter(victims * 2)
    _kill(product, next(victim))
    webhook = f"/v1/webhooks/{made['id']}"
    # On a busy machine the restart alone may take that long; then the hour lasts longer.
    while time.monotonic() < ends or product.get(webhook)["state"] != "suspended":
        complaints += [_complain(product) for _ in range(8)]
        _withdraw(product, complaints[-8])
    assert product.get(webhook)["pending"] > len(complaints)

    crm.listen(made["secret"])
    crm.eventually_knows(len(complaints))
    _kill(product, next(victim))
    complaints += [_complain(product) for _ in range(8)]
    eventually(lambda: _is_settled(product, webhook), seconds=90, what="nothing left to deliver")

    # A relay that was killed may have said something twice: the log has it twice, under one id.
    eventually(
        lambda: _ids(crm.events()) >= _ids(_feed(product, start)), seconds=60, what="all at the CRM"
    )
    said = _feed(product, start)
    assert {one["subject"] for one in said} >= set(complaints)
    check_nothing_lost_and_all_in_order(said, crm.events())
    shown = product.get(webhook)
    assert (shown["state"], shown["pending"], shown["parked"]) == ("active", 0, 0)


def check_nothing_lost_and_all_in_order(
    said: list[dict[str, Any]], taken: list[dict[str, Any]]
) -> None:
    """Compare what the log says with what the CRM verified and stored, each event once."""
    assert _ids(taken) == _ids(said)
    assert _numbered(taken) == _numbered(said)
    for key, sequences in _numbered(taken).items():
        assert sequences == list(range(1, len(sequences) + 1)), key
    assert _order(taken) == _order(said)


def _ids(events: list[dict[str, Any]]) -> set[str]:
    return {one["id"] for one in events}


def _numbered(events: list[dict[str, Any]]) -> dict[tuple[str, str], list[int]]:
    """Return each complaint's sequences by source, in the order in which they came first."""
    found: dict[tuple[str, str], dict[int, None]] = defaultdict(dict)
    for one in events:
        found[one["subject"], one["source"]].setdefault(int(one["sequence"]))
    return {key: list(sequences) for key, sequences in found.items()}


def _order(events: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the ids of each complaint's events in its topic, in the order they came first."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for one in events:
        if one["source"] != "/notification":
            found[one["subject"]].setdefault(one["id"])
    return {subject: list(ids) for subject, ids in found.items()}


def _complain(product: Product) -> str:
    complaint: str = product.post("/v1/complaints", COMPLAINT | {"customer": somebody()})["id"]
    return complaint


def _withdraw(product: Product, complaint: str) -> None:
    eventually(lambda: product.case(complaint), seconds=30, what="the case")
    product.act(complaint, "withdraw", reason="算了")


def _kill(product: Product, name: str) -> None:
    product.kill(name)
    product.spawn(name)
    product.wait_ready(name)


def _is_settled(product: Product, webhook: str) -> bool:
    return bool(product.get(webhook)["pending"] == 0)


def _feed(product: Product, cursor: str) -> list[dict[str, Any]]:
    """Read the feed from a cursor to its end."""
    found: list[dict[str, Any]] = []
    while True:
        page = product.get("/v1/events", after=cursor, limit=200)
        if not page["items"] and page["cursor"] == cursor:
            return found
        found += page["items"]
        cursor = page["cursor"]
