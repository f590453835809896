"""PostgreSQL and Kafka for development, each started where it does not run."""

from __future__ import annotations

from deploy.local.kafka import KafkaServer, start_kafka, stop_kafka
from deploy.local.layout import KAFKA_PORT, POSTGRES_PORT, STORES
from deploy.local.ports import free_port, is_free
from deploy.local.postgres import PostgresServer, start_postgres, stop_postgres


def start_stores() -> tuple[PostgresServer, KafkaServer]:
    """Start both, on their usual ports where these are free; raises CannotStart."""
    STORES.mkdir(parents=True, exist_ok=True)
    postgres = start_postgres(STORES / "postgres", port=_usual(POSTGRES_PORT))
    kafka = start_kafka(STORES / "kafka", port=_usual(KAFKA_PORT))
    return postgres, kafka


def stop_stores() -> list[str]:
    """Stop both and return the names of those that ran; their data stay."""
    stopped = []
    if stop_kafka(STORES / "kafka"):
        stopped.append("kafka")
    if stop_postgres(STORES / "postgres"):
        stopped.append("postgresql")
    return stopped


def _usual(port: int) -> int:
    return port if is_free(port) else free_port()
