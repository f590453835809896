"""Read events from Kafka: store them, and only then commit the offsets."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message
from crm_store import CrmStore

FOR_GOOD = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
}
TOPICS = ["redress.complaints.v1", "redress.notifications.v1", "redress.signals.v1"]


def to_event(message: Message) -> dict[str, Any] | None:
    """Put an event together from headers (CloudEvents binary mode) and value."""
    headers = {name: value.decode() for name, value in message.headers() or () if value is not None}
    event: dict[str, Any] = {
        name.removeprefix("ce_"): value for name, value in headers.items() if name[:3] == "ce_"
    }
    try:
        event["data"] = json.loads(message.value() or b"")
    except ValueError:
        return None
    return (
        event if {"id", "source", "type", "subject", "sequence", "time"} <= event.keys() else None
    )


def complain(error: KafkaError) -> None:
    """Say what is wrong; raises only what waiting does not mend. A broker away comes back."""
    if error.fatal() or error.code() in FOR_GOOD:
        raise KafkaException(error)
    print(f"Kafka: {error.str()}", file=sys.stderr)


def follow(consumer: Consumer, store: CrmStore, idle_seconds: float | None) -> None:
    """Take batches in until nothing came for `idle_seconds`, or for ever."""
    idle = 0.0
    while idle_seconds is None or idle < idle_seconds:
        messages = consumer.consume(num_messages=500, timeout=1.0)
        events = []
        for message in messages:
            if (error := message.error()) is not None:
                complain(error)
                continue
            event = to_event(message)
            events += [event] if event else []
        if not messages:
            idle += 1.0
            continue
        idle = 0.0
        new = store.take(events)
        try:
            consumer.commit(asynchronous=False)
        except KafkaException as failure:
            # What is stored and not committed comes again, and its ids are known then.
            complain(failure.args[0])
        print(f"{len(events)} events, {new} of them new", flush=True)


def main() -> None:
    """Follow the topics."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--bootstrap", default="127.0.0.1:9092")
    arguments.add_argument("--group", default="my-crm")
    arguments.add_argument("--store", type=Path, default=Path("crm.db"))
    arguments.add_argument("--idle", type=float, help="end where nothing came for so many seconds")
    given = arguments.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    consumer = Consumer(
        {
            "bootstrap.servers": given.bootstrap,
            "group.id": given.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    store = CrmStore(given.store)
    try:
        consumer.subscribe(TOPICS)
        follow(consumer, store, given.idle)
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()
        store.close()


if __name__ == "__main__":
    main()
