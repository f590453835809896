"""Fire what is due (rule 7): up to 200 cases in one transaction, oldest first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from prometheus_client import Counter, Gauge, Histogram

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.reactions import fire_due
from services.workflow_service.cases.repository.storage import lock_due, store
from services.workflow_service.cases.service.desk import Desk, publish
from services.workflow_service.clocks.repository import (
    due_timers,
    next_due,
    postpone_timer,
    set_timers,
)
from shared.kernel import logging
from shared.kernel.errors import Unavailable

log = logging.get(__name__)

BATCH = 200
LANES = 2
"""Batches at once in one process: one can be decided on while PostgreSQL works on the other."""
RETRY_AFTER = timedelta(minutes=1)
"""When a timer that failed is tried again: without it the oldest failures would fill each batch."""

_LATENESS = Histogram(
    "timer_lateness_seconds",
    "How late warnings and breaches were fired",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600),
)
# An instant and not an age: it stays behind the present also where the loop stands still.
_NEXT_DUE = Gauge(
    "timers_next_due_timestamp_seconds", "When the oldest timer is or was due, +Inf without any"
)
_FAILED = Counter(
    "timer_failures_total", "Timers that could not be fired and wait to be tried again"
)


async def fire_due_timers(desk: Desk) -> int:
    """Fire one batch of due timers; return how many cases were done."""
    async with desk.database.read() as connection:
        first = await next_due(connection)
    _NEXT_DUE.set(math.inf if first is None else first.timestamp())
    if first is None or first > desk.clock.now():
        return 0
    try:
        return await _fire(desk)
    except Unavailable:
        raise
    except Exception:  # the outermost edge: one bad case must not hold up the others
        log.exception("timers.batch-failed")
        return await _fire_one_by_one(desk)


async def _fire_one_by_one(desk: Desk) -> int:
    async with desk.database.read() as connection:
        due = await due_timers(connection, desk.clock.now(), limit=BATCH)
    done = 0
    for complaint_id, due_at in due:
        try:
            done += await _fire(desk, only=complaint_id)
        except Unavailable:
            raise
        except Exception:  # the outermost edge: logged, counted, and tried again later
            _FAILED.inc()
            log.exception("timer.failed", complaint_id=complaint_id)
            until = desk.clock.now() + RETRY_AFTER
            async with desk.database.write() as connection:
                await postpone_timer(connection, complaint_id, seen=due_at, until=until)
    return done


async def _fire(desk: Desk, *, only: str | None = None) -> int:
    async with desk.messaging.unit_of_work() as uow:
        found = await lock_due(uow.connection, uow.now, limit=BATCH, only=only)
        await desk.ensure_known(uow.connection, found)
        changes, moved = [], []
        for case in found:
            change = fire_due(case, now=uow.now, rules=desk.rules)
            if change is None:
                moved.append((case.id, case.next_point()))
            else:
                changes.append(change)
        await store(uow.connection, changes, now=uow.now)
        # The case changed between being seen and being locked, or its timer was tried again too
        # early or too late: the timer belongs where the locked case says.
        await set_timers(uow.connection, moved)
        publish(uow, changes)
        uow.after_commit(lambda: _observe(found, desk.clock.now()))
    return len(found)


def _observe(fired: Sequence[Case], now: datetime) -> None:
    for case in fired:
        due_at = case.next_point()
        if due_at is not None and due_at <= now:
            _LATENESS.observe((now - due_at).total_seconds())
