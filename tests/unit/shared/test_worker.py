"""Supervised loops."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from shared.kernel.errors import Unavailable
from shared.worker import Supervisor


async def test_a_loop_that_fails_is_started_again() -> None:
    runs = 0
    done = asyncio.Event()

    async def loop(stopping: asyncio.Event) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise OSError("once")
        done.set()
        await stopping.wait()

    supervisor = Supervisor()
    supervisor.add("once-failing", loop)
    await supervisor.start()
    await asyncio.wait_for(done.wait(), 5)
    await supervisor.stop()

    assert runs == 2
    assert supervisor.failing == {}


async def test_a_loop_whose_work_was_cancelled_elsewhere_is_started_again() -> None:
    runs = 0
    done = asyncio.Event()

    async def loop(stopping: asyncio.Event) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            lost = asyncio.get_running_loop().create_future()
            lost.cancel()
            await lost
        done.set()
        await stopping.wait()

    supervisor = Supervisor()
    supervisor.add("left-alone", loop)
    await supervisor.start()
    await asyncio.wait_for(done.wait(), 5)
    await supervisor.stop()

    assert runs == 2


async def test_a_failing_loop_is_named_while_it_is_down() -> None:
    failed = asyncio.Event()

    async def loop(_stopping: asyncio.Event) -> None:
        failed.set()
        raise OSError("no disk")

    supervisor = Supervisor()
    supervisor.add("broken", loop)
    await supervisor.start()
    await asyncio.wait_for(failed.wait(), 5)
    await asyncio.sleep(0)
    failing = supervisor.failing
    await supervisor.stop()

    assert failing == {"broken": "OSError: no disk"}


async def test_a_loop_that_fails_whenever_it_is_started_is_not_well_in_between() -> None:
    runs: list[dict[str, str]] = []

    async def loop(_stopping: asyncio.Event) -> None:
        await asyncio.sleep(0.01)
        runs.append(supervisor.failing)
        raise OSError("no disk")

    supervisor = Supervisor()
    supervisor.add("broken", loop)
    await supervisor.start()
    async with asyncio.timeout(10):
        while len(runs) < 3:
            await asyncio.sleep(0.01)
    await supervisor.stop()

    assert runs[1:] == [{"broken": "OSError: no disk"}] * (len(runs) - 1)


async def test_a_loop_that_runs_again_for_a_while_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.worker._STEADY_SECONDS", 0.05)
    runs = 0

    async def loop(stopping: asyncio.Event) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise OSError("once")
        await stopping.wait()

    supervisor = Supervisor()
    supervisor.add("once-failing", loop)
    await supervisor.start()
    async with asyncio.timeout(10):
        while runs < 2:
            await asyncio.sleep(0.01)
    assert supervisor.failing == {"once-failing": "OSError: once"}

    async with asyncio.timeout(10):
        while supervisor.failing:
            await asyncio.sleep(0.01)

    await supervisor.stop()


@pytest.mark.parametrize(
    ("failure", "has_traceback"), [(Unavailable("nobody answers"), False), (OSError("x"), True)]
)
async def test_only_an_unexpected_failure_is_logged_with_its_traceback(
    failure: Exception, has_traceback: bool
) -> None:
    failed = asyncio.Event()

    async def loop(_stopping: asyncio.Event) -> None:
        failed.set()
        raise failure

    supervisor = Supervisor()
    supervisor.add("broken", loop)
    with capture_logs() as lines:
        await supervisor.start()
        await asyncio.wait_for(failed.wait(), 5)
        await supervisor.stop()

    assert lines[0]["event"] == "worker.failed"
    assert ("exc_info" in lines[0]) is has_traceback
    assert (lines[0].get("reason") == "Unavailable: nobody answers") is not has_traceback


async def test_a_loop_that_does_not_end_is_cancelled_after_its_grace() -> None:
    cancelled = False

    async def loop(_stopping: asyncio.Event) -> None:
        nonlocal cancelled
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled = True
            raise

    supervisor = Supervisor()
    supervisor.add("stubborn", loop)
    await supervisor.start()
    await asyncio.sleep(0)
    await supervisor.stop(grace_seconds=0.01)

    assert cancelled


async def test_stopping_waits_for_work_under_way() -> None:
    finished = False

    async def loop(stopping: asyncio.Event) -> None:
        nonlocal finished
        await stopping.wait()
        await asyncio.sleep(0.01)
        finished = True

    supervisor = Supervisor()
    supervisor.add("tidy", loop)
    await supervisor.start()
    await asyncio.sleep(0)
    await supervisor.stop()

    assert finished
