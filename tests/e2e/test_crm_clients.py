"""The example CRM of the docs against the running product, by each of the three ways."""

from __future__ import annotations

import importlib
import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from services.notification_service.feed.domain.cursor import PLACES, encode, mark_of
from tests.harness.crm import FOLDER, Crm
from tests.harness.product import COMPLAINT, Product, eventually, somebody


@pytest.fixture(scope="module")
def open_product(tmp_path_factory: pytest.TempPathFactory, policy: str) -> Iterator[Product]:
    """Everything in one process, with webhooks allowed to this machine."""
    settings = {
        "REDRESS_POLICY_FILE": policy,
        "REDRESS_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "REDRESS_WEBHOOK_FIRST_RETRY_SECONDS": "0.2",
        "REDRESS_WEBHOOK_LONGEST_RETRY_SECONDS": "0.5",
    }
    with Product.embedded(tmp_path_factory.mktemp("open"), settings) as product:
        yield product


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[Crm]:
    opened = Crm(tmp_path / "crm.db")
    yield opened
    opened.down()


def a_story(product: Product) -> str:
    """Have a complaint handled to its end; returns its id."""
    # Without words that point outside, which would escalate it at once.
    body = COMPLAINT | {"customer": somebody(), "description": "周三收到的订单少了两件。"}
    complaint: str = product.post("/v1/complaints", body)["id"]
    eventually(lambda: product.case(complaint), what="the case")
    product.act(complaint, "propose", options=[{"kind": "re_send", "text": "明天补发两件"}])
    product.act(complaint, "accept", option="A")
    product.act(complaint, "carry-out", text="已补发")
    product.act(complaint, "resolve", summary="两件已补发")
    product.act(complaint, "close")
    return complaint


def of(complaint: str, events: list[dict[str, Any]]) -> list[str]:
    """Return the types of a complaint's own events, without those of messages."""
    return [
        event["type"]
        for event in events
        if event["subject"] == complaint and event["source"] != "/notification"
    ]


STORY = [
    "ComplaintReceived",
    "CaseOpened",
    "SolutionProposed",
    "SolutionAccepted",
    "StepCarriedOut",
    "Resolved",
    "Closed",
]


def test_the_feed_client_knows_every_complaint_in_order(open_product: Product, crm: Crm) -> None:
    complaint = a_story(open_product)
    url = open_product.urls["notification"]

    def has_closed() -> bool:
        done = crm.run("feed_client.py", "--url", url, "--once")
        assert done.returncode == 0, done.stderr
        return "Closed" in of(complaint, crm.events())

    eventually(has_closed, what="Closed in the feed")

    assert of(complaint, crm.events()) == STORY
    assert crm.states()[complaint] == "closed"


def test_a_feed_client_with_a_cursor_of_another_log_is_told_so(
    open_product: Product, crm: Crm
) -> None:
    url = open_product.urls["notification"]
    assert crm.run("feed_client.py", "--url", url, "--once").returncode == 0
    foreign = encode([0] * len(PLACES), mark_of("another log"))
    with closing(sqlite3.connect(crm.store)) as db, db:
        db.execute("UPDATE positions SET position = ?", (foreign,))

    done = crm.run("feed_client.py", "--url", url, "--once")

    assert done.returncode == 1
    assert "invalid_cursor" in done.stderr


def test_the_webhook_client_takes_what_is_signed_for_it_and_nothing_else(
    open_product: Product, crm: Crm
) -> None:
    made = open_product.post("/v1/webhooks", {"url": crm.url})
    path = f"/v1/webhooks/{made['id']}"
    crm.listen("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")  # another one's
    complaint = a_story(open_product)

    def refused() -> Any:
        rows = open_product.get(path + "/deliveries", complaint_id=complaint)["items"]
        return [row for row in rows if row["last_status"] == 401]

    eventually(refused, what="a refusal of the wrong signature")
    assert crm.events() == []
    crm.down()
    crm.listen(made["secret"])
    eventually(lambda: "Closed" in of(complaint, crm.events()), seconds=30, what="Closed")

    assert of(complaint, crm.events()) == STORY
    assert crm.states()[complaint] == "closed"
    open_product.request("DELETE", path)


def test_a_feed_that_is_cut_or_asks_to_wait_until_a_date_is_asked_again(
    crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    client: Any = importlib.import_module("feed_client")
    monkeypatch.setattr(client, "PAUSE_SECONDS", 0)
    page = json.dumps({"items": [heard("CaseOpened", "08:00:00")], "cursor": "a"})
    end = json.dumps({"items": [], "cursor": "a"})
    answers = [
        "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + page,
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + page[:9],
        "HTTP/1.1 503 No\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n",
        *(f"HTTP/1.1 200 OK\r\nContent-Length: {len(one)}\r\n\r\n{one}" for one in (page, end)),
    ]
    store = client.CrmStore(crm.store)

    with answering(answers) as url:
        client.follow(store, url, None, once=True)
    store.close()

    assert [one["type"] for one in crm.events()] == ["CaseOpened"]


def test_a_kafka_client_outlives_a_broker_that_is_away(
    crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    client: Any = importlib.import_module("kafka_client")
    away, no_coordinator = KafkaError._TRANSPORT, KafkaError._WAIT_COORD
    first, second = recorded("CaseOpened"), recorded("Closed")
    consumer = Reading(
        [[failed(away)], [first], [first, second], []], refused=[KafkaError(no_coordinator)]
    )
    store = client.CrmStore(crm.store)

    client.follow(consumer, store, 1.0)
    store.close()

    assert [one["type"] for one in crm.events()] == ["CaseOpened", "Closed"]
    assert consumer.commits == 2


def test_a_kafka_client_ends_where_it_may_not_read(
    crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    client: Any = importlib.import_module("kafka_client")
    store = client.CrmStore(crm.store)

    with pytest.raises(KafkaException):
        client.follow(
            Reading([[failed(KafkaError.TOPIC_AUTHORIZATION_FAILED)]], refused=[]), store, 1.0
        )
    store.close()


class Reading:
    """A consumer that reads these batches, and whose first commits are refused."""

    def __init__(self, batches: list[list[Any]], *, refused: list[KafkaError]) -> None:
        self._batches = batches
        self._refused = refused
        self.commits = 0

    def consume(self, *, num_messages: int, timeout: float) -> list[Any]:
        return self._batches.pop(0)

    def commit(self, *, asynchronous: bool) -> None:
        if self._refused:
            raise KafkaException(self._refused.pop())
        self.commits += 1


def failed(code: int) -> Any:
    """Return what a consumer gives in a message's place."""
    return SimpleNamespace(error=lambda: KafkaError(code))


def recorded(type_: str) -> Any:
    """Return an event as it lies in Kafka."""
    event = heard(type_, "08:00:00")
    data = json.dumps(event.pop("data")).encode()
    headers = [(f"ce_{name}", value.encode()) for name, value in event.items()]
    return SimpleNamespace(error=lambda: None, headers=lambda: headers, value=lambda: data)


def test_the_last_event_of_a_complaint_is_the_latest_whichever_topic_came_first(
    crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    store: Any = importlib.import_module("crm_store").CrmStore(crm.store)

    store.take([heard("NotificationSent", "08:00:02"), heard("CaseOpened", "08:00:01")])
    store.close()

    with closing(sqlite3.connect(crm.store)) as db:
        assert db.execute("SELECT last_event FROM complaints").fetchall() == [("NotificationSent",)]


def heard(type_: str, at: str) -> dict[str, Any]:
    """Return an event of the one complaint there is."""
    said = {"id": type_, "source": "/workflow", "type": type_, "subject": "c", "sequence": "1"}
    return said | {"time": f"2026-11-22T{at}.000000Z", "data": {"complaint_id": "c"}}


@contextmanager
def answering(answers: list[str]) -> Iterator[str]:
    """Give one answer to each connection, and close it; yields the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answer in answers:
                connection, _peer = listener.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(answer.encode())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(timeout=10)


@pytest.mark.kafka
def test_the_kafka_client_knows_what_the_feed_knows(
    distributed: Product, kafka_of_product: str, crm: Crm, tmp_path: Path
) -> None:
    complaint = a_story(distributed)
    by_feed = Crm(tmp_path / "feed.db")
    url = distributed.urls["notification"]
    arguments = ("--bootstrap", kafka_of_product, "--group", f"crm-{complaint}", "--idle", "3")

    def both_know() -> bool:
        done = crm.run("kafka_client.py", *arguments)
        assert done.returncode == 0, done.stderr
        assert by_feed.run("feed_client.py", "--url", url, "--once").returncode == 0
        return all("Closed" in of(complaint, one.events()) for one in (crm, by_feed))

    eventually(both_know, seconds=60, what="Closed by both ways")

    assert of(complaint, crm.events()) == of(complaint, by_feed.events()) == STORY
    same = {event["id"]: event["data"] for event in by_feed.events()}
    assert {e["id"]: e["data"] for e in crm.events() if e["subject"] == complaint}.items() <= (
        same.items()
    )
