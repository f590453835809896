"""One clock: pauses, new targets, results."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.workflow_service.calendars.domain.calendar import Calendar, RoundTheClock
from services.workflow_service.clocks.domain import clock as clocks
from services.workflow_service.clocks.domain.clock import Clock, Timing
from services.workflow_service.clocks.domain.target import Mark
from shared.events.words import ClockKind, ClockState
from shared.kernel.records import replace
from tests.unit.workflow.rules import BOOK, MONDAY_NOON

untimed = settings(deadline=None)

WORKING = BOOK.current("company")
calendars = st.sampled_from([RoundTheClock(), WORKING])
targets = st.integers(min_value=60, max_value=20 * 9 * 3600)
moments = st.lists(
    st.integers(min_value=0, max_value=30 * 86400), min_size=2, max_size=8, unique=True
)


def started(calendar: Calendar, target_seconds: int) -> Clock:
    return clocks.start(
        ClockKind.RESOLVE,
        at=MONDAY_NOON,
        timing=timing_of(calendar, target_seconds),
    )


def timing_of(calendar: Calendar, target_seconds: int) -> Timing:
    return Timing(
        seconds=target_seconds,
        calendar=calendar,
        policy="company@1",
        rule="p2/resolve",
        marks=(Mark(percent=50), Mark(percent=80)),
    )


@untimed
@given(calendars, targets, moments)
def test_a_pause_moves_due_by_exactly_the_counted_time_paused(
    calendar: Calendar, target_seconds: int, seconds: list[int]
) -> None:
    clock = started(calendar, target_seconds)
    paused_seconds = 0.0
    first_due = clock.due_at
    turns = [MONDAY_NOON + timedelta(seconds=part) for part in sorted(seconds)]

    for pause_at, resume_at in zip(turns[::2], turns[1::2], strict=False):
        if clock.due_at is not None and pause_at >= clock.due_at:
            break
        clock = clocks.pause(clock, at=pause_at, why="request-information", calendar=calendar)
        clock = clocks.resume(clock, at=resume_at, why="receive-information", calendar=calendar)
        paused_seconds += calendar.between(pause_at, resume_at)

    assert first_due is not None
    assert clock.due_at is not None
    assert clock.due_at >= first_due
    assert calendar.between(MONDAY_NOON, clock.due_at) == target_seconds + paused_seconds


@untimed
@given(calendars, targets, targets)
def test_a_new_target_counts_from_the_original_start(
    calendar: Calendar, old: int, new: int
) -> None:
    clock = clocks.retarget(
        started(calendar, old),
        timing_of(calendar, new),
        at=MONDAY_NOON + timedelta(seconds=30),
        why="regrade",
        by="system",
    )

    assert clock.due_at == started(calendar, new).due_at
    assert [point.at for point in clock.warnings] == [
        point.at for point in started(calendar, new).warnings
    ]


@untimed
@given(calendars, targets, moments)
def test_the_segments_of_a_clock_follow_each_other_without_holes(
    calendar: Calendar, target_seconds: int, seconds: list[int]
) -> None:
    clock = started(calendar, target_seconds)

    for place, part in enumerate(seconds):  # told in any order, as late entries are
        turn = clocks.pause if place % 2 == 0 else clocks.resume
        clock = turn(clock, at=MONDAY_NOON + timedelta(seconds=part), why="", calendar=calendar)

    ends = [segment.end for segment in clock.segments]
    assert [segment.start for segment in clock.segments[1:]] == ends[:-1]
    assert all(segment.end is None or segment.end >= segment.start for segment in clock.segments)


def test_a_due_time_is_unknown_while_paused() -> None:
    clock = clocks.pause(
        started(RoundTheClock(), 3600), at=MONDAY_NOON, why="", calendar=RoundTheClock()
    )

    assert clock.due_at is None
    assert clock.next_point() is None


def test_a_milestone_reached_after_a_breach_says_how_late_it_was() -> None:
    clock = clocks.breach(started(RoundTheClock(), 3600))

    late = clocks.meet(clock, at=MONDAY_NOON + timedelta(hours=2))

    assert late.state is ClockState.BREACHED
    assert late.met_at == MONDAY_NOON + timedelta(hours=2)


def test_a_share_is_told_to_the_last_digit() -> None:
    shares = [
        Mark(percent=percent).share(seconds) for percent in (50, 80) for seconds in (7, 12345)
    ]

    assert shares == [0.5, 0.5, 0.8, 0.8]
    assert Mark(before_seconds=900).share(3600) == 0.75


def test_warnings_come_before_due_in_order() -> None:
    clock = started(RoundTheClock(), 3600)
    seen: list[datetime | None] = []

    while any(point.fired_at is None for point in clock.warnings):
        seen.append(clock.next_point())
        at = clock.next_point()
        assert at is not None
        clock, _ = clocks.warn(clock, at=at, fired_at=MONDAY_NOON)

    assert [*seen, clock.next_point()] == [
        MONDAY_NOON + timedelta(minutes=minutes) for minutes in (30, 48, 60)
    ]


def test_more_time_is_recorded_with_what_the_target_was() -> None:
    at = MONDAY_NOON + timedelta(minutes=20)

    longer = clocks.extend(
        started(RoundTheClock(), 3600), 7200, at=at, why="", by="ada", calendar=RoundTheClock()
    )

    assert [(c.at, c.from_seconds, c.by) for c in longer.changes] == [(at, 3600, "ada")]
    assert longer.due_at == MONDAY_NOON + timedelta(hours=2)


def test_round_the_clock_every_hour_is_told_as_counted() -> None:
    end = MONDAY_NOON + timedelta(days=2)

    parts = RoundTheClock().segments(MONDAY_NOON, end)

    assert [(part.start, part.end, part.counted) for part in parts] == [(MONDAY_NOON, end, True)]


def test_a_point_that_was_fired_and_still_lies_behind_is_not_fired_again() -> None:
    fired_at = MONDAY_NOON + timedelta(minutes=30)
    warned, _ = clocks.warn(started(RoundTheClock(), 3600), at=fired_at, fired_at=fired_at)
    late = MONDAY_NOON + timedelta(minutes=55)

    longer = clocks.extend(warned, 6000, at=late, why="", by="ada", calendar=RoundTheClock())

    assert longer.warnings[0].fired_at == fired_at
    assert longer.next_point() == MONDAY_NOON + timedelta(minutes=80)


def test_a_point_that_more_time_puts_ahead_is_fired_again_also_where_the_clock_was_paused() -> None:
    calendar = RoundTheClock()
    fired_at = MONDAY_NOON + timedelta(minutes=30)
    warned, _ = clocks.warn(started(calendar, 3600), at=fired_at, fired_at=fired_at)
    at = MONDAY_NOON + timedelta(minutes=40)
    paused = clocks.pause(warned, at=at, why="", calendar=calendar)

    longer = clocks.extend(paused, 4 * 3600, at=at, why="", by="ada", calendar=calendar)
    resumed = clocks.resume(longer, at=at + timedelta(hours=1), why="", calendar=calendar)

    assert longer.next_point() is None
    assert resumed.next_point() == MONDAY_NOON + timedelta(hours=3)


def test_warnings_of_either_kind_stand_in_the_order_in_which_they_come() -> None:
    timing = replace(
        timing_of(RoundTheClock(), 3600),
        marks=(Mark(before_seconds=600), Mark(percent=80), Mark(before_seconds=3000)),
    )

    clock = clocks.start(ClockKind.RESOLVE, at=MONDAY_NOON, timing=timing)

    assert [str(point.mark) for point in clock.warnings] == [
        "3000 seconds before", "80%", "600 seconds before"
    ]  # fmt: skip
