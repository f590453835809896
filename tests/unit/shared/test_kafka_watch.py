"""What is said of a Kafka that goes away."""

from __future__ import annotations

import pytest
from aiokafka.errors import KafkaConnectionError
from structlog.testing import capture_logs

from deploy.local.ports import free_port
from shared.bus.kafka_watch import KafkaWatch


@pytest.mark.parametrize("failure", [KafkaConnectionError("refused"), OSError("no route")])
async def test_an_outage_of_kafka_is_told_once_and_so_is_its_end(failure: Exception) -> None:
    broker: list[Exception] = []

    async def ask() -> None:
        if broker:
            raise broker[0]

    watch = KafkaWatch("kafka:9092", ask)
    with capture_logs() as lines:
        await watch.look()
        broker.append(failure)
        for _ in range(3):
            await watch.look()
        broker.clear()
        for _ in range(3):
            await watch.look()

    assert [line["event"] for line in lines] == ["kafka.away", "kafka.back"]
    assert lines[0]["address"] == "kafka:9092"
    assert str(failure) in lines[0]["reason"]


async def test_where_no_broker_listens_kafka_is_away() -> None:
    watch = KafkaWatch(f"127.0.0.1:{free_port()}")

    with capture_logs() as lines:
        await watch.look()

    assert [line["event"] for line in lines] == ["kafka.away"]


@pytest.mark.kafka
async def test_where_a_broker_answers_nothing_is_said(kafka_bootstrap: str) -> None:
    watch = KafkaWatch(kafka_bootstrap)

    with capture_logs() as lines:
        await watch.look()

    assert lines == []
