"""What reaches the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from shared.kernel.logging import HoldingBack, configure

UNABLE = "Unable to update metadata from %s"


@pytest.fixture
def _log_as_it_was() -> Iterator[None]:
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def said(held: HoldingBack, *arguments: object, by: str = "aiokafka", text: str = UNABLE) -> str:
    """Return what is written of a message, nothing where it is held back."""
    record = logging.LogRecord(by, logging.ERROR, __file__, 1, text, arguments, None)
    return record.getMessage() if held.filter(record) else ""


def test_a_flood_of_the_kafka_client_is_told_once_in_ten_seconds_with_its_count() -> None:
    watch = Watch()
    held = HoldingBack(monotonic=watch)

    first = said(held, [0, 1])
    flood = {said(held, [1, 0]) for _ in range(5000)}
    watch.now = 10.0
    next_one = said(held, [0, 1])
    watch.now = 20.0
    alone = said(held, [0, 1])

    assert first == alone == "Unable to update metadata from [0, 1]"
    assert flood == {""}
    assert next_one == f"{first} (5000 more like this were held back)"


def test_other_messages_and_other_libraries_pass_meanwhile() -> None:
    held = HoldingBack(monotonic=Watch())
    said(held, [0])

    assert said(held, 1, text="Unable connect to node with id %s")
    assert said(held, [0], by="aiokafka.conn")
    assert [said(held, [0], by="aiokafkaesque") for _ in range(2)] == [UNABLE % [0]] * 2
    assert [said(held, [0], by="sqlalchemy") for _ in range(2)] == [UNABLE % [0]] * 2


@pytest.mark.usefixtures("_log_as_it_was")
def test_what_loggers_below_the_client_say_is_held_back_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure(form="json")

    for _ in range(100):
        logging.getLogger("aiokafka.consumer.fetcher").error(UNABLE, [0])

    assert len(capsys.readouterr().err.splitlines()) == 1
