"""What cases make of events, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from services.workflow_service.cases.models import case_history, cases
from services.workflow_service.cases.service.listening import CaseMissing
from services.workflow_service.clocks.models import timers
from shared.events.cases import CaseImported, ClocksMoved
from shared.events.complaints import ComplaintAmended, ComplaintRegraded
from shared.events.deliveries import NotificationSkipped
from shared.kernel.clock import from_rfc3339
from shared.kernel.ids import new_id
from tests.service.workflow.conftest import START, Workflow, complaints


def clock_of(case: dict[str, object], kind: str) -> dict[str, object]:
    clocks = case["clocks"]
    assert isinstance(clocks, list)
    found: dict[str, object] = next(clock for clock in clocks if clock["kind"] == kind)
    return found


async def test_the_receipt_meets_the_acknowledge_clock(workflow: Workflow) -> None:
    case_id = await workflow.open()

    await workflow.acknowledge(case_id)

    assert clock_of(await workflow.case(case_id), "acknowledge")["state"] == "met"
    assert await workflow.names(case_id) == ["CaseOpened"]


async def test_a_skipped_receipt_cancels_the_acknowledge_clock(workflow: Workflow) -> None:
    case_id = await workflow.open()

    await workflow.hear(
        NotificationSkipped(
            complaint_id=case_id,
            number="7K3F-9Q2M-X",
            notification_id=new_id(),
            kind="acknowledgement",
            occurrence=1,
            audience="customer",
            channel="none",
            reason="no-contact",
        )
    )

    assert clock_of(await workflow.case(case_id), "acknowledge")["state"] == "cancelled"


async def test_words_of_the_customer_end_our_waiting_for_them(workflow: Workflow) -> None:
    case_id = await workflow.open()
    await workflow.act(case_id, "request-information", text="请提供照片")
    workflow.clock.advance(timedelta(hours=1))

    await workflow.hear(
        ComplaintAmended(
            complaint_id=case_id, number="7K3F-9Q2M-X", kind="addition", by="customer"
        ),
        sequence=2,
    )

    case = await workflow.case(case_id)
    assert case["state"] == "assigned"
    assert clock_of(case, "propose")["due_at"] == "2026-11-24T05:00:00Z"
    assert (await workflow.names(case_id))[-2:] == ["InformationReceived", "CustomerWrote"]


async def test_another_grade_changes_targets_and_department(workflow: Workflow) -> None:
    case_id = await workflow.open()

    await workflow.hear(
        ComplaintRegraded(
            complaint_id=case_id,
            number="7K3F-9Q2M-X",
            old_category="logistics.short",
            category="product.quality",
            old_severity="moderate",
            severity="major",
            old_urgency="high",
            urgency="high",
            old_priority="P2",
            priority="P1",
            decided_by="staff",
        ),
        sequence=2,
    )

    case = await workflow.case(case_id)
    assert (case["priority"], case["department"], case["owner"]) == ("P1", "product", "sun.yue")
    assert clock_of(case, "first_reply")["due_at"] == "2026-11-23T05:00:00Z"
    assert (await workflow.names(case_id))[-2:] == ["CaseTransferred", "ClocksMoved"]
    _sequence, moved = (await workflow.said(case_id))[-1]
    assert isinstance(moved, ClocksMoved)
    assert (moved.cause, moved.priority) == ("regrade", "P1")
    assert (moved.next_step, moved.next_due_at) == (
        case["next_step"],
        from_rfc3339(case["next_due_at"]),
    )
    told = {clock.kind: clock.due_at for clock in moved.clocks}
    assert told["first_reply"] == from_rfc3339("2026-11-23T05:00:00Z")
    assert "acknowledge" not in told


async def test_an_event_without_a_case_is_refused_for_parking(workflow: Workflow) -> None:
    with pytest.raises(CaseMissing):
        await workflow.acknowledge(new_id())


async def test_a_batch_of_imports_is_taken_in_with_one_event_each(workflow: Workflow) -> None:
    batch = complaints(
        500,
        START - timedelta(days=3000),
        imported=True,
        recorded={"closed_at": START - timedelta(days=2999), "outcome": "answered"},
    )

    await workflow.hear(*batch)

    async with workflow.desk.database.read() as connection:
        stored = await connection.scalar(select(func.count()).select_from(cases))
        lines = await connection.scalar(select(func.count()).select_from(case_history))
        waiting = await connection.scalar(select(func.count()).select_from(timers))
    said = await workflow.said(batch[17].complaint_id)
    assert (stored, lines, waiting) == (500, 500, 0)
    assert [type(event) for _, event in said] == [CaseImported]
    case = await workflow.case(batch[17].complaint_id)
    assert (case["state"], case["outcome"]) == ("closed", "answered")
    assert case["opened_at"] == "2018-09-06T04:00:00Z"
