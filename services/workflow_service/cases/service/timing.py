"""Fire what is due (rule 7): candidates without locks, then up to 200 cases in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from prometheus_client import Counter, Histogram
from sqlalchemy.ext.asyncio import AsyncConnection

from services.workflow_service.cases.domain.reactions import fire_due
from services.workflow_service.cases.repository.storage import lock_cases, store
from services.workflow_service.cases.service.desk import Desk, publish
from services.workflow_service.clocks.repository import (
    DueTimer,
    due_timers,
    postpone_timer,
    set_timers,
)
from shared.kernel import logging
from shared.kernel.errors import Unavailable
from shared.messaging import UnitOfWork

log = logging.get(__name__)

BATCH = 200
RETRY_AFTER = timedelta(minutes=1)
"""When a timer that failed is tried again: without it the oldest failures would fill each batch."""

_LATENESS = Histogram(
    "timer_lateness_seconds",
    "How late warnings and breaches were fired",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600),
)
_FAILED = Counter(
    "timer_failures_total", "Timers that could not be fired and wait to be tried again"
)


async def fire_due_timers(desk: Desk) -> int:
    """Fire one batch of due timers; return how many cases were done."""
    now = desk.clock.now()
    async with desk.database.read() as connection:
        due = await due_timers(connection, now, limit=BATCH)
    if not due:
        return 0
    try:
        return await _fire(desk, due)
    except Unavailable:
        raise
    except Exception:  # the outermost edge: one bad case must not hold up the others
        log.exception("timers.batch-failed", size=len(due))
        return await _fire_one_by_one(desk, due)


async def _fire_one_by_one(desk: Desk, due: Sequence[DueTimer]) -> int:
    done = 0
    for timer in due:
        try:
            done += await _fire(desk, [timer])
        except Unavailable:
            raise
        except Exception:  # the outermost edge: logged, counted, and tried again later
            _FAILED.inc()
            log.exception("timer.failed", complaint_id=timer.complaint_id)
            async with desk.database.write() as connection:
                await postpone_timer(connection, timer, until=desk.clock.now() + RETRY_AFTER)
    return done


async def _fire(desk: Desk, due: Sequence[DueTimer]) -> int:
    expected = {timer.complaint_id: timer for timer in due}
    async with desk.messaging.unit_of_work() as uow:
        found = await lock_cases(uow.connection, sorted(expected), skip_locked=True)
        await desk.ensure_known(uow.connection, found.values())
        changes, stale = [], []
        for case in found.values():
            timer = expected[case.id]
            if case.version != timer.generation:
                stale.append((case.id, case.next_point(), case.version))
                continue
            change = fire_due(case, now=uow.now, rules=desk.rules)
            if change is None:
                stale.append((case.id, case.next_point(), case.version))
                continue
            changes.append(change)
        await store(uow.connection, changes, now=uow.now)
        await _put_right(uow.connection, stale)
        publish(uow, changes)
        _observe(expected, [change.case.id for change in changes], uow)
    return len(found)


async def _put_right(
    connection: AsyncConnection, stale: Sequence[tuple[str, datetime | None, int]]
) -> None:
    # The case changed since the timer was seen; its timer was moved with it. Writing it again
    # from the locked case costs nothing and heals a clock that was set back.
    await set_timers(connection, stale)


def _observe(expected: dict[str, DueTimer], fired: Sequence[str], uow: UnitOfWork) -> None:
    for case_id in fired:
        _LATENESS.observe((uow.now - expected[case_id].due_at).total_seconds())
