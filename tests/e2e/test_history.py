"""The history as a CRM reads it: an independent Kafka client that knows nothing of our code."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import partial
from typing import Any

import confluent_kafka
import pytest

from tests.harness.product import COMPLAINT, Product, eventually, somebody

pytestmark = pytest.mark.kafka

NEVER_IN_AN_EVENT = (
    "王芳",
    "13800138000",
    "138 0013 8000",
    "wang@example.com",
    "少了两件",
    "明天补发",
    "20261118-443",
)
REQUIRED = {
    "ce_specversion",
    "ce_id",
    "ce_source",
    "ce_type",
    "ce_time",
    "ce_subject",
    "ce_partitionkey",
    "ce_sequence",
    "ce_dataschema",
    "content-type",
}


def read_all(bootstrap: str, *topics: str) -> list[confluent_kafka.Message]:
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "a-crm",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.partition.eof": False,
        }
    )
    partitions = [
        confluent_kafka.TopicPartition(topic, number, 0)
        for topic in topics
        for number in consumer.list_topics(topic, timeout=10).topics[topic].partitions
    ]
    ends = {
        (p.topic, p.partition): consumer.get_watermark_offsets(p, timeout=10)[1] for p in partitions
    }
    consumer.assign(partitions)
    found: list[confluent_kafka.Message] = []
    while len(found) < sum(ends.values()):
        batch = consumer.consume(500, timeout=10)
        assert batch, "the log ended early"
        found += batch
    consumer.close()
    return found


def headers_of(message: confluent_kafka.Message) -> dict[str, str]:
    found: Any = message.headers() or []
    return {name: value.decode() for name, value in found}


def test_a_plain_kafka_client_reads_one_dense_ordered_history(
    distributed: Product, kafka_of_product: str
) -> None:
    bodies = [COMPLAINT, *(COMPLAINT | {"customer": somebody()} for _ in range(19))]
    complaints = [distributed.post("/v1/complaints", body)["id"] for body in bodies]
    for identifier in complaints:
        eventually(partial(distributed.case, identifier))
        distributed.act(
            identifier, "propose", options=[{"kind": "re_send", "text": "明天补发两件"}]
        )
    eventually(
        lambda: all(
            [m["kind"] for m in distributed.messages(c) if m["state"] == "sent"].count("proposal")
            for c in complaints
        )
    )

    messages = read_all(kafka_of_product, "redress.complaints.v1", "redress.notifications.v1")

    places: dict[str, set[int]] = defaultdict(set)
    sequences: dict[tuple[str, str], list[int]] = defaultdict(list)
    for message in messages:
        headers = headers_of(message)
        assert headers.keys() >= REQUIRED
        assert headers["ce_specversion"] == "1.0"
        key = (message.key() or b"").decode()
        assert headers["ce_subject"] == headers["ce_partitionkey"] == key
        body: Any = json.loads(message.value() or b"")
        assert body["complaint_id"] == key
        text = (message.value() or b"").decode() + str(headers)
        for words in NEVER_IN_AN_EVENT:
            assert words not in text
        if message.topic() == "redress.complaints.v1":
            places[key].add(message.partition() or 0)
        sequences[key, headers["ce_source"]].append(int(headers["ce_sequence"]))
    assert set(complaints) <= places.keys()
    assert all(len(partitions) == 1 for partitions in places.values())
    for said in sequences.values():
        seen = list(dict.fromkeys(said))
        assert seen == list(range(1, len(seen) + 1))
