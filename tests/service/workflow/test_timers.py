"""Warnings and breaches, fired once each whatever happens, on both databases."""

from __future__ import annotations

import asyncio
import json
import math
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import func, select, update
from structlog.testing import capture_logs

from services.workflow_service.cases.models import cases
from services.workflow_service.cases.repository.storage import lock_due
from services.workflow_service.cases.service.sweeping import sweep_once
from services.workflow_service.cases.service.timing import BATCH, fire_due_timers
from services.workflow_service.clocks.jobs import TimerLoop
from services.workflow_service.clocks.models import timers
from shared.events.cases import ClockBreached, ClockWarned, Escalated, WaitingEnded
from shared.kernel.clock import ManualClock
from tests.harness.databases import MakeMigratedUrl
from tests.service.workflow.conftest import START, Workflow, complaint, complaints, running
from tests.unit.workflow.rules import COMPANY


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


async def test_a_clock_that_was_set_back_fires_what_comes_due_by_it_and_nothing_early(
    workflow: Workflow,
) -> None:
    await workflow.open()
    await workflow.pass_time(timedelta(days=3))
    workflow.clock.advance(timedelta(hours=-1))
    case_id = await workflow.open()

    await workflow.pass_time(timedelta(seconds=59))
    early = await workflow.names(case_id)
    await workflow.pass_time(timedelta(seconds=1))

    assert early == ["CaseOpened"]
    assert await workflow.names(case_id) == ["CaseOpened", "ClockBreached"]


async def test_history_does_not_run_backwards_when_the_clock_is_set_back(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    await workflow.acknowledge(case_id)
    await workflow.pass_time(timedelta(hours=2))  # the first warning
    await workflow.act(case_id, "record-contact", text="已回电")

    await workflow.pass_time(timedelta(hours=-1))
    await workflow.act(case_id, "start-investigation")

    times = [entry["at"] for entry in (await workflow.case(case_id))["history"]]
    assert times == sorted(times)


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
            update(cases).where(cases.c.id == broken).values(policy="company@3", state="assigned")
        )
    await workflow.pass_time(timedelta(minutes=1))
    assert await workflow.names(broken) == ["CaseOpened", "ClockBreached"]


async def test_a_timer_that_stands_elsewhere_than_its_case_says_is_put_right_and_fires_nothing(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    async with workflow.desk.database.write() as connection:
        (right,) = await connection.scalars(select(timers.c.due_at))
        await connection.execute(update(timers).values(due_at=START - timedelta(days=1)))

    await workflow.pass_time(timedelta(0))

    assert await workflow.names(case_id) == ["CaseOpened"]
    async with workflow.desk.database.read() as connection:
        assert (await connection.execute(select(timers))).all() == [(case_id, right)]


async def test_metrics_tell_when_the_oldest_timer_is_due_and_how_late_each_was(
    workflow: Workflow,
) -> None:
    def measured(name: str) -> float:
        return REGISTRY.get_sample_value(name) or 0.0

    late, fired = measured("timer_lateness_seconds_sum"), measured("timer_lateness_seconds_count")
    await workflow.pass_time(timedelta(0))
    without = measured("timers_next_due_timestamp_seconds")
    await workflow.open()
    await workflow.pass_time(timedelta(0))
    waiting = measured("timers_next_due_timestamp_seconds")

    await workflow.pass_time(timedelta(minutes=1, seconds=3))

    assert without == math.inf
    assert waiting == (START + timedelta(minutes=1)).timestamp()
    assert measured("timer_lateness_seconds_count") - fired == 1
    assert measured("timer_lateness_seconds_sum") - late == pytest.approx(3)


async def test_the_loop_lets_timers_gather_after_a_batch_that_was_not_full() -> None:
    stopping = asyncio.Event()
    sizes = [2, 2, 1]

    async def fire() -> int:
        return sizes.pop(0)  # a further batch would raise

    async with asyncio.timeout(5):
        loop = asyncio.create_task(TimerLoop(fire, batch=2, sleep_seconds=1).run(stopping))
        while sizes:
            await asyncio.sleep(0)
        stopping.set()
        await loop


async def test_the_loop_ends_when_it_is_told_to() -> None:
    stopping = asyncio.Event()
    rounds: list[int] = []

    async def fire() -> int:
        rounds.append(1)
        if len(rounds) == 3:
            stopping.set()
        return 0

    async with asyncio.timeout(5):
        await TimerLoop(fire, batch=1, sleep_seconds=0.001).run(stopping)

    assert len(rounds) == 3


async def test_the_loop_fires_several_batches_at_once_while_they_are_full() -> None:
    stopping, met = asyncio.Event(), asyncio.Barrier(2)
    sizes = [2, 2, 2, 1, 0]

    async def fire() -> int:
        size = sizes.pop(0)
        if len(sizes) < 4:
            await met.wait()  # both lanes have to come here, or neither goes on
        if not sizes:
            stopping.set()
        return size

    async with asyncio.timeout(5):
        await TimerLoop(fire, batch=2, lanes=2, sleep_seconds=0.001).run(stopping)

    assert sizes == []


async def test_a_batch_that_fails_lets_the_one_beside_it_finish() -> None:
    finished: list[int] = []
    sizes = [1, 2, 3]

    async def fire() -> int:
        size = sizes.pop(0)
        if size == 2:
            raise LookupError("broken")
        await asyncio.sleep(0)
        finished.append(size)
        return 1 if size == 1 else 0

    async with asyncio.timeout(5):
        with pytest.raises(LookupError, match="broken"):
            await TimerLoop(fire, batch=1, lanes=2).run(asyncio.Event())

    assert finished == [1, 3]


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
    assert isinstance(last, WaitingEnded)
    assert (last.state, last.owner) == ("investigating", case["owner"])


@pytest.mark.postgres
async def test_replicas_on_one_database_fire_each_timer_once(
    tmp_path: Path, migrated_postgres_url: MakeMigratedUrl
) -> None:
    url, clock = migrated_postgres_url("workflow"), ManualClock(START)
    async with (
        running(tmp_path, url, clock) as one,
        running(tmp_path, url, clock) as two,
        running(tmp_path, url, clock) as three,
    ):
        batch = complaints(300, START)
        await one.hear(*batch)
        for _ in range(4):  # past the receipt, both warnings and the first reply
            clock.advance(timedelta(hours=1, minutes=2))
            await asyncio.gather(*(_fire_all(replica) for replica in (one, two, three)))

        told = [tuple(await one.names(received.complaint_id)) for received in batch]

    assert set(told) == {
        (
            "CaseOpened",
            "ClockBreached",  # acknowledge
            "ClockWarned",
            "ClockWarned",
            "ClockBreached",  # first reply
            "Escalated",
        )
    }


@pytest.mark.postgres
async def test_a_replica_passes_over_what_another_is_firing_and_takes_the_next_oldest(
    tmp_path: Path, migrated_postgres_url: MakeMigratedUrl
) -> None:
    url, clock = migrated_postgres_url("workflow"), ManualClock(START)
    async with running(tmp_path, url, clock) as busy, running(tmp_path, url, clock) as idle:
        by_age = [complaint(START + timedelta(milliseconds=n)) for n in range(3 * BATCH)]
        await busy.hear(*by_age)
        clock.advance(timedelta(minutes=2))
        async with busy.desk.database.write() as connection:
            held = await lock_due(connection, clock.now(), limit=BATCH)

            fired = await fire_due_timers(idle.desk)

        told = [tuple(await idle.names(one.complaint_id)) for one in by_age]

    assert [case.id for case in held] == [one.complaint_id for one in by_age[:BATCH]]
    assert fired == BATCH
    both = ("CaseOpened", "ClockBreached")
    assert told == [both[:1]] * BATCH + [both] * BATCH + [both[:1]] * BATCH


async def test_what_was_fired_before_a_restart_is_not_fired_again_and_the_rest_once(
    tmp_path: Path, migrated_sqlite_url: MakeMigratedUrl
) -> None:
    url, clock = migrated_sqlite_url("workflow"), ManualClock(START)
    async with running(tmp_path, url, clock) as before:
        case_id = await before.open()
        await before.acknowledge(case_id)
        await before.pass_time(timedelta(hours=2))  # 50 %
    clock.advance(timedelta(hours=1, minutes=30))  # nothing runs at 80 %

    async with running(tmp_path, url, clock) as after:
        for _ in range(3):
            await after.pass_time(timedelta(0))
        said = [event for _, event in await after.said(case_id)]

    warned = [event.share for event in said if isinstance(event, ClockWarned)]
    assert warned == [0.5, 0.8]
    assert len(said) == 3


async def test_an_action_and_a_timer_at_once_do_not_lose_each_other(workflow: Workflow) -> None:
    cases_at_work = [await workflow.open() for _ in range(10)]
    workflow.clock.advance(timedelta(minutes=2))

    await asyncio.gather(
        _fire_all(workflow),
        *(workflow.act(one, "record-contact", text="已回电") for one in cases_at_work),
        _fire_all(workflow),
    )
    await _fire_all(workflow)

    for one in cases_at_work:
        said = await workflow.said(one)
        assert sorted(type(event).__name__ for _, event in said) == [
            "CaseOpened",
            "ClockBreached",
            "CustomerContacted",
        ]
        assert [sequence for sequence, _ in said] == [1, 2, 3]


async def _fire_all(replica: Workflow) -> None:
    """Fire until nothing is due any more, also not what another replica holds just now."""
    async with asyncio.timeout(60):
        while await _due(replica):
            await fire_due_timers(replica.desk)


async def _due(replica: Workflow) -> int:
    statement = (
        select(func.count()).select_from(timers).where(timers.c.due_at <= replica.clock.now())
    )
    async with replica.desk.database.read() as connection:
        return await connection.scalar(statement) or 0


async def renamed(workflow: Workflow, case_id: str, calendar: str) -> None:
    """Let the clocks of a case name another calendar."""
    async with workflow.desk.database.write() as connection:
        statement = select(cases.c.clocks).where(cases.c.id == case_id)
        clocks = json.dumps(await connection.scalar(statement))
        other = json.loads(clocks.replace("company@1", calendar))
        await connection.execute(update(cases).where(cases.c.id == case_id).values(clocks=other))


async def test_a_case_whose_calendar_is_lost_holds_up_nobody_else(workflow: Workflow) -> None:
    lost, other = await workflow.open(), await workflow.open()
    for case_id in (lost, other):
        await workflow.act(case_id, "request-information", text="请提供照片")
    await renamed(workflow, lost, "nowhere@7")

    # The wait ends: whoever works out when to go on needs the calendar.
    with capture_logs() as logged:
        await workflow.pass_time(timedelta(days=8))

    assert {one["complaint_id"] for one in logged if one["event"] == "timer.failed"} == {lost}
    assert "WaitingEnded" not in await workflow.names(lost)
    assert "WaitingEnded" in await workflow.names(other)


async def test_clocks_of_the_time_before_calendars_had_versions_go_on(workflow: Workflow) -> None:
    case_id = await workflow.open()
    await renamed(workflow, case_id, "working-hours-cn")

    explained = await workflow.http.get(f"/v1/cases/{case_id}/clocks")
    await workflow.pass_time(timedelta(hours=5))
    case = await workflow.act(case_id, "escalate", reason="客户要求")
    await workflow.http.put(
        "/v1/calendars/company",
        content=COMPANY + "days: {2026-11-24: holiday}\n",
        headers={"Content-Type": "application/yaml"},
    )
    while await sweep_once(workflow.desk):
        pass
    after = await workflow.case(case_id)

    assert explained.status_code == 200
    assert case["escalation_level"] == 2
    assert after["history"][-1]["action"] == "calendar"
