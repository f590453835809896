"""What another policy or calendar would mean for the cases that are open."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from services.workflow_service.calendars.domain.book import CalendarBook
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import hurried
from services.workflow_service.cases.domain.what_if import Alternative, WhatIf, compare
from services.workflow_service.cases.repository import reading
from services.workflow_service.cases.service.desk import Desk
from services.workflow_service.clocks.domain import clock as clocks
from services.workflow_service.clocks.domain.clock import Clock, Timing
from services.workflow_service.clocks.domain.policy import Policy
from shared.events.words import ClockKind

BATCH = 500
MOST_CASES = 100_000


async def under_policy(desk: Desk, policy: Policy) -> WhatIf:
    """Compare the due times of open cases with those that a policy would give them."""
    known: Mapping[str, Policy] = {**desk.rules.earlier, policy.label: policy}
    rules = replace(desk.rules, policy=policy, earlier=known, _timings={})

    def alternative(case: Case, clock: Clock) -> Clock | None:
        if clock.kind not in _COMPANYS:
            return clock
        kind = ClockKind(clock.kind)
        timing = rules.timing(replace(case, policy=policy.label), kind)
        if timing is None:
            return None
        present = rules.timing(case, kind)
        if present is not None and _same_target(present, timing):
            # Whatever else an escalation or an extension gave the clock, it keeps.
            return clock
        if not timing.urgent:
            timing = timing.at_share(clock.share)
        other = clocks.retarget(clock, timing, at=desk.clock.now(), why="what-if", by="what-if")
        return clocks.sooner(clock, other) if hurried(clock) else other

    return await _compare(desk, alternative)


async def under_calendars(desk: Desk, book: CalendarBook) -> WhatIf:
    """Compare the due times of open cases with those that other calendars would give them."""
    always = desk.rules.always.name

    def alternative(_case: Case, clock: Clock) -> Clock | None:
        if clock.calendar == always:
            return clock
        calendar = book.current(clock.calendar.partition("@")[0])
        return clocks.recomputed(replace(clock, calendar=calendar.name), calendar)

    return await _compare(desk, alternative)


def _same_target(one: Timing, other: Timing) -> bool:
    return (one.seconds, one.calendar.name) == (other.seconds, other.calendar.name)


_COMPANYS = frozenset(ClockKind) - {ClockKind.PROMISE}


async def _compare(desk: Desk, alternative: Alternative) -> WhatIf:
    found, after_id = WhatIf(), ""
    while found.looked_at < MOST_CASES:
        async with desk.database.read() as connection:
            batch = await reading.open_cases(connection, after_id=after_id, limit=BATCH)
        if not batch:
            return found
        await desk.ensure_loaded(batch)
        for case in batch:
            compare(found, case, alternative)
        after_id = batch[-1].id
        # Others want to be answered meanwhile.
        await asyncio.sleep(0)
    found.truncated = True
    return found
