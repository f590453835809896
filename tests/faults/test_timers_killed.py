"""kill -9 while timers fire: every timer has exactly one effect."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.faults.timers_kit import (
    FIRST_REPLY,
    check_effects,
    is_breached,
    received,
    say,
    stories,
    wait_for_each,
)
from tests.harness.product import COMPLAINT, Product, eventually, somebody

pytestmark = pytest.mark.faults

CASES = 125
EMBEDDED_CASES = 60
POISONING = "吃了你们的牛奶以后孩子上吐下泻,现在在医院抢救。"
ONE_LEVEL = FIRST_REPLY | {("escalated", 1)}


def test_killing_either_of_two_processes_while_they_fire_leaves_each_timer_one_effect(
    lone_workflow: Product,
) -> None:
    both = ("workflow", lone_workflow.add_replica("workflow", 2))
    for name in both:
        lone_workflow.spawn(name)
    for name in both:
        lone_workflow.wait_ready(name)
    ids: list[str] = []

    for victim in both * 2:
        # Their first replies are due over the next eight seconds, the warnings before.
        now = datetime.now(UTC)
        batch = [received(now + timedelta(seconds=4 * n / CASES), "P1") for n in range(CASES)]
        say(lone_workflow.environment["REDRESS_KAFKA_BOOTSTRAP"], batch)
        ids += [complaint.complaint_id for complaint in batch]
        kill_once_firing(lone_workflow, victim, first=batch[0].complaint_id)

    eventually(lambda: are_over(lone_workflow, ids), seconds=90, what="the log has every effect")
    check_effects(stories(lone_workflow), ids, ONE_LEVEL)


def test_killing_the_embedded_process_while_it_fires_leaves_each_timer_one_effect(
    lone_product: Product,
) -> None:
    lone_product.start()
    body = COMPLAINT | {"category": "safety.injury", "description": POISONING}
    ids: list[str] = []

    for _ in range(2):
        bodies = [body | {"customer": somebody()} for _ in range(EMBEDDED_CASES)]
        batch = [lone_product.post("/v1/complaints", body)["id"] for body in bodies]
        ids += batch
        kill_once_firing(lone_product, "embedded", first=batch[0])

    wait_for_each(ids, partial(is_breached, lone_product), what="the first reply is breached")
    lone_product.stop()
    # What the customer says made each an emergency, which starts above the first level.
    check_effects(stories(lone_product), ids, FIRST_REPLY)


def kill_once_firing(product: Product, victim: str, *, first: str) -> None:
    """Kill a process when the first clock was breached and others are about to be."""
    eventually(lambda: is_breached(product, first), seconds=60, what="the first breach")
    product.kill(victim)
    product.spawn(victim)
    product.wait_ready(victim)


def are_over(product: Product, complaints: Iterable[str]) -> bool:
    """Tell whether the log has the last effect of each."""
    told = stories(product)
    return all(
        any(type(one.data).__name__ == "Escalated" for one in told.get(complaint, ()))
        for complaint in complaints
    )
