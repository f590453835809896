"""Warnings and breaches, fired once each whatever happens, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from services.workflow_service.cases.models import cases
from services.workflow_service.cases.service.timing import fire_due_timers
from services.workflow_service.clocks.jobs import TimerLoop
from services.workflow_service.clocks.models import timers
from shared.events.cases import ClockBreached, ClockWarned, Escalated
from tests.service.workflow.conftest import START, Workflow, complaints


async def test_a_first_reply_that_does_not_come_warns_twice_then_escalates(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    await workflow.acknowledge(case_id)

    for _ in range(5):
        await workflow.pass_time(timedelta(hours=1))

    said = [event for _, event in await workflow.said(case_id)]
    warned = [event for event in said if isinstance(event, ClockWarned)]
    breached = [event for event in said if isinstance(event, ClockBreached)]
    escalated = [event for event in said if isinstance(event, Escalated)]
    assert [(w.clock, w.share) for w in warned] == [("first_reply", 0.5), ("first_reply", 0.8)]
    assert [(b.clock, b.owner) for b in breached] == [("first_reply", "li.na")]
    assert [(e.level, e.cause, e.owner) for e in escalated] == [(1, "breach", "zheng.hao")]
    case = await workflow.case(case_id)
    assert (case["escalation_level"], case["owner"]) == (1, "zheng.hao")


async def test_a_receipt_that_does_not_come_breaches_but_escalates_nobody(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()

    await workflow.pass_time(timedelta(minutes=2))

    assert await workflow.names(case_id) == ["CaseOpened", "ClockBreached"]
    assert (await workflow.case(case_id))["escalation_level"] == 0


async def test_firing_at_once_from_several_sides_has_one_effect_each(workflow: Workflow) -> None:
    batch = complaints(450, START)
    await workflow.hear(*batch)
    workflow.clock.advance(timedelta(minutes=2))

    while sum(await asyncio.gather(*(fire_due_timers(workflow.desk) for _ in range(3)))):
        pass

    for one in (batch[0], batch[200], batch[449]):
        assert await workflow.names(one.complaint_id) == ["CaseOpened", "ClockBreached"]
    async with workflow.desk.database.read() as connection:
        versions = (await connection.execute(select(cases.c.version))).scalars().all()
    assert set(versions) == {2}


async def test_nothing_fires_twice_when_the_clock_is_set_back(workflow: Workflow) -> None:
    case_id = await workflow.open()
    await workflow.pass_time(timedelta(days=3))
    before = await workflow.names(case_id)

    await workflow.pass_time(timedelta(hours=-1))
    await workflow.pass_time(timedelta(hours=1))

    assert await workflow.names(case_id) == before


async def test_a_closed_case_has_no_timer(workflow: Workflow) -> None:
    case_id = await workflow.open()
    await workflow.act(case_id, "withdraw", reason="客户撤回")

    await workflow.pass_time(timedelta(days=30))

    assert await workflow.names(case_id) == ["CaseOpened", "Withdrawn"]
    async with workflow.desk.database.read() as connection:
        assert (await connection.execute(select(timers))).all() == []


async def test_a_case_that_cannot_be_fired_holds_up_no_other_and_is_tried_again(
    workflow: Workflow,
) -> None:
    broken, sound = await workflow.open(), await workflow.open()
    async with workflow.desk.database.write() as connection:
        await connection.execute(
            update(cases).where(cases.c.id == broken).values(policy="lost@1", state="nonsense")
        )

    workflow.clock.advance(timedelta(minutes=2))
    await fire_due_timers(workflow.desk)

    assert await workflow.names(sound) == ["CaseOpened", "ClockBreached"]
    assert await workflow.names(broken) == ["CaseOpened"]
    async with workflow.desk.database.write() as connection:
        await connection.execute(
            update(cases).where(cases.c.id == broken).values(policy="company@1", state="assigned")
        )
    await workflow.pass_time(timedelta(minutes=1))
    assert await workflow.names(broken) == ["CaseOpened", "ClockBreached"]


async def test_the_loop_ends_when_it_is_told_to() -> None:
    stopping = asyncio.Event()
    rounds: list[int] = []

    async def fire() -> int:
        rounds.append(1)
        if len(rounds) == 3:
            stopping.set()
        return 0

    async with asyncio.timeout(5):
        await TimerLoop(fire, sleep_seconds=0.001).run(stopping)

    assert len(rounds) == 3


@pytest.mark.parametrize("hours", [4, 72])
async def test_lateness_is_told(workflow: Workflow, hours: int) -> None:
    case_id = await workflow.open()
    await workflow.acknowledge(case_id)

    await workflow.pass_time(timedelta(hours=hours, seconds=3))

    late = [e.late_seconds for _, e in await workflow.said(case_id) if isinstance(e, ClockBreached)]
    assert late[0] == (hours - 4) * 3600 + 3


async def test_a_wait_for_the_customer_ends_by_itself_and_says_so(workflow: Workflow) -> None:
    case_id = await workflow.open()
    await workflow.acknowledge(case_id)
    await workflow.act(case_id, "start-investigation")
    waiting = await workflow.act(case_id, "request-information", text="请提供照片")

    await workflow.pass_time(timedelta(days=7))

    case = await workflow.case(case_id)
    assert (waiting["state"], waiting["next_due_at"]) == (
        "awaiting_customer",
        "2026-11-30T04:00:00Z",
    )
    assert case["state"] == "investigating"
    assert (case["history"][-1]["action"], case["history"][-1]["why"]) == (
        "stop-waiting",
        "no-answer",
    )
    last = (await workflow.said(case_id))[-1][1]
    assert isinstance(last, ClockBreached)
    assert (last.clock, last.state, last.owner) == (
        "receive-information",
        "investigating",
        case["owner"],
    )
