"""A large import's cases are decided in a process beside workflow, which may die without harm."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from importlib.resources import files

import pytest
from sqlalchemy import func, select

from services.workflow_service.cases.models import case_history, cases
from services.workflow_service.cases.service import listening, taking_over
from services.workflow_service.cases.service.taking_over import (
    ROWS_BEFORE_A_PROCESS,
    Order,
    TakenOver,
)
from services.workflow_service.clocks.models import timers
from shared.bus.port import LoggedRecord
from shared.events.cases import CaseImported
from shared.events.complaints import ComplaintReceived
from shared.events.deliveries import NotificationSent
from shared.kernel.beside import Beside
from tests.harness.processes_beside import processes, started
from tests.service.workflow.conftest import START, Workflow, complaints

BATCH = 500
POLICY = (files("services.workflow_service.clocks") / "policy.yaml").read_text(encoding="utf-8")


@pytest.fixture
async def importing(workflow: Workflow) -> AsyncIterator[Workflow]:
    """Workflow with a process beside it: so much was imported that one was begun."""
    for _ in range(ROWS_BEFORE_A_PROCESS // BATCH + 1):
        await workflow.hear(*_settled(BATCH))
    await started()
    yield workflow
    stopping = asyncio.Event()
    stopping.set()
    await workflow.desk.importer.run(stopping)
    assert processes() == []


@pytest.fixture
async def only_beside(importing: Workflow, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """The same, and nothing can be decided in this process any more."""
    monkeypatch.setattr(taking_over, "taken_over", _not_here)
    return importing


def _not_here(*_: object, **__: object) -> None:
    raise AssertionError("decided here")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many complaints the process beside was asked to decide, order by order."""
    asked: list[int] = []
    own = Beside.answer

    async def answer(self: Beside[Order, TakenOver], order: Order) -> TakenOver | None:
        asked.append(len(order.arrived))
        return await own(self, order)

    monkeypatch.setattr(Beside, "answer", answer)
    return asked


async def test_no_process_is_begun_for_a_small_import(workflow: Workflow) -> None:
    await workflow.hear(*_settled(BATCH))

    assert processes() == []


async def test_the_process_ends_when_nothing_more_comes(
    importing: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking_over, "_IDLE_SECONDS", 0.1)
    stopping = asyncio.Event()
    running = asyncio.create_task(importing.desk.importer.run(stopping))

    async with asyncio.timeout(10):
        while processes():
            await asyncio.sleep(0.05)
    await importing.hear(*_settled(BATCH))

    assert processes() == []
    stopping.set()
    await running


async def test_what_is_decided_beside_is_as_it_would_have_been_here(
    importing: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, beside = _open(1)[0], _open(60)
    await importing.hear(here)
    monkeypatch.setattr(taking_over, "taken_over", _not_here)
    await importing.hear(*beside)

    mine, theirs = here.complaint_id, beside[7].complaint_id
    one, other = await importing.case(mine), await importing.case(theirs)
    own = {"id", "number", "owner", "links", "facts"}
    assert _without(one, own) == _without(other, own)
    for case_id in (mine, theirs):
        [(sequence, event)] = await importing.said(case_id)
        assert (sequence, type(event)) == (1, CaseImported)
    assert await _stored(importing) == (len(beside) + 1 + _before(), len(beside) + 1)


async def test_open_ones_are_shared_out_among_those_who_have_least(only_beside: Workflow) -> None:
    first, second = _open(60), _open(60)

    await only_beside.hear(*first)
    await only_beside.hear(*second)

    counts = await _owners(only_beside)
    assert counts.total() == 120
    assert max(counts.values()) - min(counts.values()) <= 1


async def test_what_was_foreseen_is_taken_over_once_and_what_was_not_is_asked_for(
    only_beside: Workflow, asked: list[int]
) -> None:
    first, second, third = _settled(60), _settled(70), _settled(80)

    only_beside.foresee(*first)
    only_beside.foresee(*second[:69])
    for batch in (first, second, third):
        await only_beside.hear(*batch)

    assert asked == [60, 69, 70, 80]
    assert (await _stored(only_beside))[0] == _before() + 60 + 70 + 80


async def test_what_was_foreseen_is_decided_here_where_the_process_dies_over_it(
    importing: Workflow,
) -> None:
    batch = _settled(BATCH)
    [process] = processes()
    process.suspend()
    importing.foresee(*batch)
    hearing = asyncio.create_task(importing.hear(*batch))
    await asyncio.sleep(0.2)
    assert not hearing.done()

    process.kill()
    await hearing

    assert (await _stored(importing))[0] == _before() + BATCH


async def test_foreseeing_passes_over_what_is_no_import_and_what_cannot_be_read(
    only_beside: Workflow, asked: list[int]
) -> None:
    broken = LoggedRecord("t", 0, 0, 0, "k", b"{", ())
    listening.foresee(only_beside.desk, [broken])
    only_beside.foresee(*complaints(60, START), *[resolved_elsewhere()] * 60)
    await asyncio.sleep(0.05)

    assert asked == []


async def test_what_was_foreseen_by_rules_that_have_changed_since_is_decided_anew(
    only_beside: Workflow,
) -> None:
    batch = _settled(60)
    only_beside.foresee(*batch)
    await asyncio.sleep(0.2)
    newer = POLICY.replace("version: 3", "version: 4")
    loaded = await only_beside.http.put(
        "/v1/policies", content=newer, headers={"Content-Type": "application/yaml"}
    )
    assert loaded.json()["policy"] == "company@4"

    await only_beside.hear(*batch)

    assert (await only_beside.case(batch[3].complaint_id))["policy"] == "company@4"


async def test_two_foreseen_batches_are_shared_out_nearly_evenly(only_beside: Workflow) -> None:
    await only_beside.hear(*_open(60))
    first, second = _open(60), _open(60)
    only_beside.foresee(*first)
    only_beside.foresee(*second)

    await only_beside.hear(*first)
    await only_beside.hear(*second)
    await only_beside.hear(*_open(60))

    counts = await _owners(only_beside)
    assert counts.total() == 240
    assert max(counts.values()) - min(counts.values()) <= 1


async def test_a_batch_is_decided_here_where_the_process_dies(importing: Workflow) -> None:
    for process in processes():
        process.kill()

    await importing.hear(*_settled(BATCH))
    await importing.hear(*_settled(BATCH))

    assert (await _stored(importing))[0] == _before() + 2 * BATCH
    assert processes() == []


async def test_a_policy_that_is_new_counts_at_once_beside_too(only_beside: Workflow) -> None:
    await only_beside.hear(*_settled(60))
    newer = POLICY.replace("version: 3", "version: 4")
    loaded = await only_beside.http.put(
        "/v1/policies", content=newer, headers={"Content-Type": "application/yaml"}
    )
    assert loaded.json()["policy"] == "company@4"
    batch = _settled(60)

    await only_beside.hear(*batch)

    case = await only_beside.case(batch[3].complaint_id)
    assert case["policy"] == "company@4"


def resolved_elsewhere() -> NotificationSent:
    """Return an event of another type."""
    return NotificationSent(
        complaint_id="c",
        number="n",
        notification_id="i",
        kind="resolved",
        occurrence=1,
        audience="customer",
        channel="sms",
    )


def _settled(count: int) -> Sequence[ComplaintReceived]:
    return complaints(
        count,
        START - timedelta(days=3000),
        imported=True,
        recorded={"closed_at": START - timedelta(days=2999), "outcome": "answered"},
    )


def _open(count: int) -> Sequence[ComplaintReceived]:
    return complaints(count, START - timedelta(minutes=5), imported=True)


async def _owners(workflow: Workflow) -> Counter[str | None]:
    """Return how many open cases each owner has."""
    async with workflow.desk.database.read() as connection:
        chosen = select(cases.c.owner).where(cases.c.state == "assigned")
        return Counter((await connection.scalars(chosen)).all())


def _before() -> int:
    """Return how many were imported before the test began."""
    return ROWS_BEFORE_A_PROCESS + BATCH


async def _stored(workflow: Workflow) -> tuple[int, int]:
    """Return how many cases there are, each with its line of history, and how many timers."""
    async with workflow.desk.database.read() as connection:
        stored = await connection.scalar(select(func.count()).select_from(cases))
        lines = await connection.scalar(select(func.count()).select_from(case_history))
        waiting = await connection.scalar(select(func.count()).select_from(timers))
    assert stored == lines
    return stored or 0, waiting or 0


def _without(document: dict[str, object], names: set[str]) -> dict[str, object]:
    return {name: value for name, value in document.items() if name not in names}
