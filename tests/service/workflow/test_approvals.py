"""Offers over somebody's authority, over HTTP and on both databases."""

from __future__ import annotations

from typing import Any

from httpx import Response

from shared.events.cases import ApprovalGranted, ApprovalRefused, ApprovalRequested
from shared.http.auth import Role
from tests.service.workflow.conftest import Workflow

OFFER = {"kind": "refund", "text": "全额退款并补偿", "amount": {"amount": "900", "currency": "CNY"}}


def bearer(workflow: Workflow, role: Role) -> dict[str, str]:
    return {"Authorization": f"Bearer {workflow.keys.create(role=role, name=role.value)}"}


async def act_as(
    workflow: Workflow, role: Role, case_id: str, action: str, **body: Any
) -> Response:
    headers = bearer(workflow, role)
    return await workflow.http.post(f"/v1/cases/{case_id}/{action}", json=body, headers=headers)


async def read(workflow: Workflow, path: str) -> Any:
    return (await workflow.http.get(path, headers=bearer(workflow, Role.LEAD))).json()


async def test_an_offer_over_authority_waits_for_who_may_make_it(workflow: Workflow) -> None:
    case_id = await workflow.open()

    asked = (await act_as(workflow, Role.AGENT, case_id, "propose", options=[OFFER])).json()
    own = await act_as(workflow, Role.AGENT, case_id, "approve")
    approver = asked["approval"]["approver"]
    listed = (await read(workflow, f"/v1/cases?approver={approver}"))["items"]
    others = (await read(workflow, "/v1/cases?approver=nobody"))["items"]
    granted = (await act_as(workflow, Role.LEAD, case_id, "approve", note="同意")).json()

    assert (asked["state"], asked["options"]) == ("assigned", [])
    assert asked["approval"]["amount"] == {"amount": "900.00", "currency": "CNY"}
    assert asked["approval"]["role"] == "lead"
    assert {"approve", "refuse"} <= set(asked["allowed_actions"])
    assert (own.status_code, own.headers["content-type"]) == (403, "application/problem+json")
    assert ([one["id"] for one in listed], others) == ([case_id], [])
    assert (granted["state"], granted["approval"]) == ("proposed", None)
    assert [option["key"] for option in granted["options"]] == ["A"]
    said = [event for _, event in await workflow.said(case_id)]
    assert [type(event).__name__ for event in said[1:]] == [
        "ApprovalRequested",
        "ApprovalGranted",
        "SolutionProposed",
    ]
    requested, decided = said[1], said[2]
    assert isinstance(requested, ApprovalRequested)
    assert isinstance(decided, ApprovalGranted)
    assert (requested.approver, requested.state) == (approver, "assigned")
    history = (await read(workflow, f"/v1/cases/{case_id}"))["history"]
    assert [(line["action"], line["why"], line["note"]) for line in history[-2:]] == [
        ("request-approval", "A: 全额退款并补偿", None),
        ("approve", None, "同意"),
    ]


async def test_a_refusal_needs_its_reason_and_leaves_the_case_as_it_was(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    await act_as(workflow, Role.AGENT, case_id, "propose", options=[OFFER])

    bare = await act_as(workflow, Role.LEAD, case_id, "refuse")
    refused = await act_as(workflow, Role.LEAD, case_id, "refuse", reason="先核实金额")
    again = await act_as(workflow, Role.LEAD, case_id, "refuse", reason="先核实金额")

    assert (bare.status_code, bare.json()["errors"][0]["pointer"]) == (422, "/reason")
    assert (refused.json()["state"], refused.json()["approval"]) == ("assigned", None)
    assert (again.status_code, "approve" in again.json()["allowed_actions"]) == (409, False)
    said = [event for _, event in await workflow.said(case_id)]
    assert [type(event) for event in said].count(ApprovalRefused) == 1
    history = (await read(workflow, f"/v1/cases/{case_id}"))["history"]
    assert (history[-1]["action"], history[-1]["why"]) == ("refuse", "先核实金额")
