"""Letting work gather without letting anybody wait after a lull."""

from __future__ import annotations

import asyncio

import pytest

from shared.messaging.pauses import Pace

FOREVER = 3600.0


async def rests(pace: Pace, stopping: asyncio.Event | None = None) -> None:
    async with asyncio.timeout(0.05):
        await pace.rest(stopping or asyncio.Event())


async def test_after_a_lull_nothing_waits() -> None:
    await rests(Pace(0))


async def test_the_next_batch_waits_for_its_turn() -> None:
    pace = Pace(FOREVER)
    pace.begin()

    with pytest.raises(TimeoutError):
        await rests(pace)


async def test_the_turn_is_counted_from_the_beginning_of_the_last_batch() -> None:
    pace = Pace(0.02, at_most=0.02)
    pace.begin()
    await asyncio.sleep(0.02)  # the batch itself took as long as the pause

    before = asyncio.get_running_loop().time()
    await pace.rest(asyncio.Event())

    assert asyncio.get_running_loop().time() - before < 0.01


async def test_where_batches_take_long_more_gathers_before_the_next() -> None:
    pace = Pace(0, at_most=FOREVER)
    pace.begin()
    await asyncio.sleep(0.1)

    before = asyncio.get_running_loop().time()
    await pace.rest(asyncio.Event())

    assert asyncio.get_running_loop().time() - before >= 0.04


async def test_what_a_loop_waits_for_after_a_batch_is_no_part_of_it() -> None:
    pace = Pace(0, at_most=FOREVER)
    pace.begin()
    pace.end()
    await asyncio.sleep(0.2)

    await rests(pace)


async def test_nothing_waits_longer_than_the_most_that_was_set() -> None:
    pace = Pace(0, at_most=0.05)
    pace.begin()
    await asyncio.sleep(0.1)

    await rests(pace)


async def test_a_rest_ends_when_the_loop_is_told_to_stop() -> None:
    pace, stopping = Pace(FOREVER), asyncio.Event()
    pace.begin()
    stopping.set()

    await rests(pace, stopping)


async def test_a_batch_that_takes_longer_than_any_gathering_is_overdue() -> None:
    pace = Pace(0, at_most=0.05)
    pace.begin()
    assert not pace.is_overdue()

    await asyncio.sleep(0.06)

    assert pace.is_overdue()
