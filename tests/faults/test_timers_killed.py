"""kill -9 while timers fire: every timer has exactly one effect."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.timers_kit import FIRST_REPLY, Told, check_effects, received, say, stories
from tests.harness.product import COMPLAINT, Product, eventually

pytestmark = pytest.mark.faults

CASES = 2000
SPREAD_SECONDS = 12
EMBEDDED_CASES = 150
POISONING = "吃了你们的牛奶以后孩子上吐下泻,现在在医院抢救。"
ONE_LEVEL = FIRST_REPLY + {("escalated", 1): 1}


def test_killing_either_of_two_processes_while_they_fire_leaves_each_timer_one_effect(
    lone_workflow: Product,
) -> None:
    both = ("workflow", lone_workflow.add_replica("workflow", 2))
    for name in both:
        lone_workflow.spawn(name)
    for name in both:
        lone_workflow.wait_ready(name)
    now = datetime.now(UTC)
    spread = [now + timedelta(seconds=SPREAD_SECONDS * n / CASES) for n in range(CASES)]
    complaints = [received(at, "P1") for at in spread]

    say(lone_workflow.environment["REDRESS_KAFKA_BOOTSTRAP"], complaints)
    killed = kill_in_turn(lone_workflow, both * 3)

    ids = [complaint.complaint_id for complaint in complaints]
    eventually(
        lambda: is_over(lone_workflow, ids), seconds=60, what="every first reply is breached"
    )
    told = stories(lone_workflow)
    check_effects(told, ids, ONE_LEVEL)
    fired = [one.at for story in told.values() for one in story if one.sequence > 1]
    assert min(fired) < killed[1] < killed[-1] < max(fired), "nothing fired while they were killed"


def test_killing_the_embedded_process_while_it_fires_leaves_each_timer_one_effect(
    lone_product: Product,
) -> None:
    lone_product.start()
    ids = [
        lone_product.post(
            "/v1/complaints", COMPLAINT | {"category": "safety.injury", "description": POISONING}
        )["id"]
        for _ in range(EMBEDDED_CASES)
    ]

    kill_in_turn(lone_product, ["embedded"] * 2)

    for identifier in ids:
        eventually(
            lambda identifier=identifier: is_breached(lone_product, identifier),
            what="the first reply is breached",
        )
    lone_product.stop()
    check_effects(stories(lone_product), ids, ONE_LEVEL)


def kill_in_turn(product: Product, names: Iterable[str]) -> list[datetime]:
    """Kill processes one after the other, each as soon as the one before is back; returns when."""
    killed = []
    for name in names:
        time.sleep(0.5)
        product.kill(name)
        killed.append(datetime.now(UTC))
        product.spawn(name)
        product.wait_ready(name)
    return killed


def is_over(product: Product, ids: Iterable[str]) -> bool:
    """Tell whether the log has the last effect of each."""
    told = stories(product)
    return all(has_escalated(told.get(complaint, [])) for complaint in ids)


def has_escalated(story: Iterable[Told]) -> bool:
    """Tell whether a story has come to its escalation."""
    return any(type(one.data).__name__ == "Escalated" for one in story)


def is_breached(product: Product, complaint: str) -> bool:
    """Tell whether a case's first reply is overdue and escalated."""
    case = product.case(complaint)
    return case is not None and case["escalation_level"] == 1
