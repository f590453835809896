"""A process beside this one: it answers orders, and where it is lost the work is done here."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable

import psutil
import pytest

from shared.kernel.beside import Beside

Made = Beside[str, tuple[str, int]]


def echo(greeting: str) -> Callable[[str], tuple[str, int]]:
    """Return what answers an order with a greeting and the process's id."""

    def answer(order: str) -> tuple[str, int]:
        if order == "die":
            os._exit(3)
        if order == "slowly":
            time.sleep(0.2)
        return f"{greeting}, {order}", os.getpid()

    return answer


@pytest.fixture
async def beside() -> AsyncIterator[Made]:
    made: Made = Beside(echo, "你好", name="tests")
    yield made
    await made.close()


async def _ready(beside: Made) -> None:
    async with asyncio.timeout(30):
        while not beside.is_ready():
            await asyncio.sleep(0.01)


async def test_orders_are_answered_by_another_process_each_its_own_answer(beside: Made) -> None:
    assert await beside.answer("too early") is None
    await _ready(beside)

    orders = [f"{n}" * 100_000 for n in range(8)]
    answers = await asyncio.gather(*map(beside.answer, orders))

    assert [text for text, _ in filter(None, answers)] == [f"你好, {order}" for order in orders]
    assert {pid for _, pid in filter(None, answers)} != {os.getpid()}


async def test_a_process_that_dies_over_an_order_is_given_up_for_good(
    beside: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    await _ready(beside)

    answers = await asyncio.gather(*map(beside.answer, ("die", "me too", "die")))
    assert answers == [None, None, None]
    assert await beside.answer("go on") is None

    assert not beside.is_ready()
    assert capsys.readouterr().out.count("beside.process_lost") == 1


async def test_a_process_that_is_ended_over_an_order_is_no_loss(
    beside: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    await _ready(beside)
    slow = asyncio.create_task(beside.answer("slowly"))
    await asyncio.sleep(0.05)

    await beside.close()

    assert await slow is None
    assert "process_lost" not in capsys.readouterr().out


async def test_an_answer_that_nobody_waited_for_is_never_taken_for_another(beside: Made) -> None:
    await _ready(beside)
    slow = asyncio.create_task(beside.answer("slowly"))
    await asyncio.sleep(0.05)
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)

    assert await beside.answer("quickly") is None
    assert not beside.is_ready()


async def test_closing_ends_the_process_even_while_it_loads() -> None:
    before = set(psutil.Process().children())
    beside: Made = Beside(echo, "hello", name="tests")
    beside.is_ready()
    async with asyncio.timeout(10):
        while set(psutil.Process().children()) == before:
            await asyncio.sleep(0.001)

    await beside.close()

    assert set(psutil.Process().children()) <= before
    assert not beside.is_ready()
    assert await beside.answer("still there?") is None
