"""What another policy or calendar would mean for the cases that are open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from services.workflow_service.calendars.domain.book import CalendarBook, name_in
from services.workflow_service.cases.domain.calendars import by_law_now
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import hurried
from services.workflow_service.cases.domain.rules import Rules, begins_by_law
from services.workflow_service.cases.domain.what_if import (
    Alternative,
    Further,
    WhatIf,
    compare,
    nothing_further,
)
from services.workflow_service.cases.repository import reading
from services.workflow_service.cases.service.desk import Desk
from services.workflow_service.clocks.domain import clock as clocks
from services.workflow_service.clocks.domain.clock import Clock, Timing
from services.workflow_service.clocks.domain.pack import is_of_a_pack
from services.workflow_service.clocks.domain.policy import Policy
from shared.events.words import ClockKind

BATCH = 500
MOST_CASES = 100_000


async def under_policy(desk: Desk, policy: Policy) -> WhatIf:
    """Compare the due times of open cases with those that a policy would give them."""
    known: Mapping[str, Policy] = {**desk.rules.earlier, policy.label: policy}
    # What rules remember goes by the policy's label, which two drafts of one version share.
    rules = replace(
        desk.rules, policy=policy, earlier=known, _timings={}, _looks={}, _emergencies={}
    )

    laws = _Laws(rules, policy.label)

    def alternative(case: Case, clock: Clock) -> Clock | None:
        if is_of_a_pack(clock.kind):
            return clock if clock.kind in laws.of(case) else None
        if clock.kind == ClockKind.PROMISE:
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

    return await _compare(desk, alternative, laws.further)


async def under_calendars(desk: Desk, book: CalendarBook) -> WhatIf:
    """Compare the due times of open cases with those that other calendars would give them."""
    always, rules = desk.rules.always.name, replace(desk.rules, calendars=book, _timings={})

    def alternative(case: Case, clock: Clock) -> Clock | None:
        if (seconds := by_law_now(case, clock, rules)) is not None:
            timing = replace(rules.timing_by_law(case, clock), seconds=seconds)
            return clocks.retarget(clock, timing, at=desk.clock.now(), why="what-if", by="what-if")
        if clock.calendar == always:
            return clock
        calendar = book.current(name_in(clock.calendar))
        return clocks.recomputed(replace(clock, calendar=calendar.name), calendar)

    return await _compare(desk, alternative)


@dataclass(frozen=True, slots=True)
class _Laws:
    """The packs that another policy switches on."""

    rules: Rules
    label: str

    def of(self, case: Case) -> Mapping[str, Timing]:
        """Return the deadlines that would bind a case, by the kind of their clocks."""
        return dict(self.rules.by_law(replace(case, policy=self.label)))

    def further(self, case: Case) -> Iterable[Clock]:
        """Start those that the case does not have, where their milestone is still waited for."""
        has = {clock.kind for clock in case.clocks}
        waited_for = {clock.milestone for clock in case.clocks if clock.is_open}
        for kind, timing in self.of(case).items():
            if kind not in has and timing.reached_by in waited_for:
                yield clocks.start(kind, at=begins_by_law(case.opened_at), timing=timing)


def _same_target(one: Timing, other: Timing) -> bool:
    return (one.seconds, one.calendar.name) == (other.seconds, other.calendar.name)


async def _compare(
    desk: Desk, alternative: Alternative, further: Further = nothing_further
) -> WhatIf:
    found, after_id = WhatIf(), ""
    while found.looked_at < MOST_CASES:
        async with desk.database.read() as connection:
            batch = await reading.open_cases(connection, after_id=after_id, limit=BATCH)
        if not batch:
            return found
        await desk.ensure_loaded(batch)
        for case in batch:
            compare(found, case, alternative, further)
        after_id = batch[-1].id
        # Others want to be answered meanwhile.
        await asyncio.sleep(0)
    found.truncated = True
    return found
