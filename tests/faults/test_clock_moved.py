"""The wall clock jumps under a running process: nothing fires twice, early or never."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.faults.timers_kit import (
    FIRST_REPLY,
    check_effects,
    effects,
    is_breached,
    received,
    say,
    stories,
    wait_for_each,
)
from tests.harness.clocks import SHARED_MEMORY, MovableClock, forget_the_dead
from tests.harness.product import COMPLAINT, Product, eventually, somebody

pytestmark = pytest.mark.faults

THREE_DAYS = timedelta(days=3)
AN_HOUR_BACK = THREE_DAYS - timedelta(hours=1)
RIGHT = timedelta()
POISONING = "吃了你们的牛奶以后孩子上吐下泻,现在在医院抢救。"

SLEEP = ("sleep", "60")

Open = Callable[[int, str], list[str]]
"""Opens so many cases of a priority, as of the processes' present."""


def test_what_a_killed_process_leaves_is_removed_and_nothing_of_those_that_run(
    movable_clock: MovableClock,
) -> None:
    environment = os.environ | movable_clock.settings
    killed, running = (subprocess.Popen(SLEEP, env=environment) for _ in range(2))
    try:
        eventually(lambda: _shared_by(killed) and _shared_by(running), what="what they share")
        killed.kill()
        killed.wait()
        assert _shared_by(killed)
        forget_the_dead()
        assert not _shared_by(killed)
        assert _shared_by(running)
    finally:
        for each in (killed, running):
            each.kill()
            each.wait()


def test_moving_the_clock_of_workflow_fires_nothing_twice_early_or_never(
    lone_workflow: Product, movable_clock: MovableClock
) -> None:
    lone_workflow.environment |= movable_clock.settings
    lone_workflow.spawn("workflow")
    lone_workflow.wait_ready("workflow")

    def open_cases(count: int, priority: str) -> list[str]:
        complaints = [received(movable_clock.now(), priority) for _ in range(count)]
        say(lone_workflow.environment["REDRESS_KAFKA_BOOTSTRAP"], complaints)
        return [complaint.complaint_id for complaint in complaints]

    move_and_look(lone_workflow, movable_clock, open_cases)


def test_moving_the_clock_of_the_embedded_product_fires_nothing_twice_early_or_never(
    lone_product: Product, movable_clock: MovableClock
) -> None:
    lone_product.environment |= movable_clock.settings
    lone_product.start()

    def open_cases(count: int, priority: str) -> list[str]:
        urgent = {"category": "safety.injury", "description": POISONING}
        body = COMPLAINT | (urgent if priority == "P1" else {})
        bodies = [body | {"customer": somebody()} for _ in range(count)]
        opened = [lone_product.post("/v1/complaints", body)["id"] for body in bodies]
        # On a busy machine messages are sent later than the clock is moved, and a case notes that
        # its customer has been told: that is no work of time's, but would look as if.
        wait_for_each(opened, partial(is_acknowledged, lone_product), what="the customer is told")
        return opened

    move_and_look(lone_product, movable_clock, open_cases)


def move_and_look(product: Product, clock: MovableClock, open_cases: Open) -> None:
    """Move the clock three days on, an hour back, and right again."""
    url = product.urls["workflow"]
    early = open_cases(8, "P3")
    wait_for_each(early, product.case, what="the case is open")
    clock.move(THREE_DAYS, url=url)
    wait_for_breach(product, early)
    eventually(lambda: nothing_is_due(url, clock), seconds=60, what="all that was due has fired")
    before = [product.case(complaint)["history"] for complaint in early]

    clock.move(AN_HOUR_BACK, url=url)
    urgent = open_cases(3, "P1")
    waiting = open_cases(3, "P3")
    wait_for_breach(product, urgent)  # by its own clock, so the loop has gone round meanwhile
    clock.move(RIGHT, url=url)
    last = open_cases(3, "P1")
    wait_for_breach(product, last)

    assert [product.case(complaint)["history"] for complaint in early] == before
    eventually(lambda: is_published(url), seconds=30, what="the log has all that was said")
    product.stop()
    told = stories(product)
    check_effects(told, early + urgent + last, FIRST_REPLY)
    assert [effects(told[complaint]) for complaint in waiting] == [Counter()] * len(waiting)


def wait_for_breach(product: Product, complaints: Iterable[str]) -> None:
    """Wait until nobody's first reply was given in time."""

    wait_for_each(complaints, partial(is_breached, product), what="the first reply is breached")


def is_acknowledged(product: Product, complaint: str) -> bool:
    """Tell whether a case knows that its customer was told of it."""
    case = product.case(complaint) or {"history": []}
    return any(line["action"] == "acknowledge" for line in case["history"])


def nothing_is_due(url: str, clock: MovableClock) -> bool:
    """Tell whether the next timer lies ahead, by what workflow last saw."""
    metrics = httpx.get(f"{url}/metrics", timeout=5).text
    found = re.search(r"^timers_next_due_timestamp_seconds (\S+)$", metrics, re.MULTILINE)
    return found is not None and float(found[1]) > clock.now().timestamp()


def is_published(url: str) -> bool:
    """Tell whether workflow's outbox is empty."""
    metrics = httpx.get(f"{url}/metrics", timeout=5).text
    return 'redress_outbox_oldest_age_seconds{service="workflow"} 0.0' in metrics


def _shared_by(process: subprocess.Popen[bytes]) -> list[Path]:
    return list(SHARED_MEMORY.glob(f"*faketime_*_{process.pid}"))
