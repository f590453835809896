"""What the customer's page is told of a case at the moment it is opened."""

from __future__ import annotations

from datetime import timedelta

from shared.kernel.clock import to_rfc3339
from tests.service.workflow.conftest import Workflow


async def telling(workflow: Workflow, case_id: str) -> dict[str, object]:
    answer = await workflow.internal.get(f"/v1/internal/workflow/telling/{case_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


async def test_the_customers_page_is_told_what_we_wait_for_and_no_longer(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    nothing: dict[str, object] = {
        "question": None,
        "rejection": None,
        "merged_into": None,
        "promises": [],
        "steps": [],
    }

    assert await telling(workflow, case_id) == nothing
    for question in ("请提供照片", "请提供快递单号"):
        await workflow.act(case_id, "request-information", text=question)
        assert await telling(workflow, case_id) == nothing | {"question": question}
        await workflow.act(case_id, "receive-information", text="好的")
        assert await telling(workflow, case_id) == nothing

    path = f"/v1/internal/workflow/telling/{case_id}"
    assert (await workflow.http.get(path)).status_code == 403
    assert (await workflow.internal.get(f"{path[:-1]}x")).status_code == 404


async def test_the_customers_page_is_told_why_a_complaint_was_rejected_until_it_is_open_again(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()

    await workflow.act(case_id, "reject", reason="监控显示两件都在包裹里")
    rejected = await telling(workflow, case_id)
    await workflow.act(case_id, "close")
    closed = await telling(workflow, case_id)
    await workflow.act(case_id, "reopen", reason="又查到一段监控")

    assert rejected["rejection"] == closed["rejection"] == "监控显示两件都在包裹里"
    assert (await telling(workflow, case_id))["rejection"] is None


async def test_the_customers_page_is_told_what_we_promised_and_what_was_carried_out(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    due = workflow.clock.now() + timedelta(hours=48)
    promises = f"/v1/cases/{case_id}/promises"
    made = {"text": "48 小时内补发两件", "due_at": to_rfc3339(due)}
    promise = (await workflow.http.post(promises, json=made)).json()
    await workflow.act(case_id, "propose", options=[{"kind": "re_send", "text": "补发两件"}])
    await workflow.act(case_id, "accept", option="A")
    await workflow.act(case_id, "carry-out", text="今天已寄出。", reference="SF123")

    told = await telling(workflow, case_id)
    await workflow.http.post(f"{promises}/{promise['id']}/kept", json={})
    kept = await telling(workflow, case_id)

    assert told["promises"] == [{**made, "state": "open"}]
    assert told["steps"] == [
        {"text": "今天已寄出。", "reference": "SF123", "at": to_rfc3339(workflow.clock.now())}
    ]
    assert kept["promises"] == [{**made, "state": "kept"}]
