"""Up and down the ladder over HTTP and with time, on both databases."""

from __future__ import annotations

from datetime import timedelta

from shared.events.cases import DeEscalated, Escalated, SolutionProposed
from shared.events.complaints import ComplaintAmended
from tests.service.workflow.conftest import Workflow

OFFER = {"options": [{"kind": "refund", "text": "退款"}]}


async def test_a_refused_final_offer_is_watched_and_found_by_the_filter(
    workflow: Workflow,
) -> None:
    watched, other = await workflow.open(), await workflow.open()
    await workflow.act(watched, "propose", **OFFER, final=True)

    case = await workflow.act(watched, "decline", text="不接受")

    assert (case["watched"], case["watched_because"]) == (True, "final_refused")
    assert (case["escalation_level"], case["escalated_because"]) == (1, "final_refused")
    (proposed,) = [e for _, e in await workflow.said(watched) if isinstance(e, SolutionProposed)]
    assert proposed.final
    for query, expected in (("true", [watched]), ("false", [other]), ("", [other, watched])):
        found = await workflow.http.get("/v1/cases", params={"watched": query})
        assert [item["id"] for item in found.json()["items"]] == expected


async def test_the_customers_wish_goes_up_and_a_lead_hands_it_down(workflow: Workflow) -> None:
    case_id = await workflow.open()

    up = await workflow.act(case_id, "escalate", reason="客户要求找主管", by_customer=True)
    down = await workflow.act(case_id, "de-escalate", reason="已谈妥", owner="wang.min")

    assert "de-escalate" in up["allowed_actions"]
    assert (up["owner"], up["escalated_because"]) == ("zheng.hao", "customer")
    assert (down["escalation_level"], down["owner"]) == (0, "wang.min")
    assert "de-escalate" not in down["allowed_actions"]
    said = [event for _, event in await workflow.said(case_id)]
    assert [e.asked_by_customer for e in said if isinstance(e, Escalated)] == [True]
    assert [e.previous_owner for e in said if isinstance(e, DeEscalated)] == ["zheng.hao"]
    history = (await workflow.case(case_id))["history"]
    assert [line["why"] for line in history[1:]] == ["客户要求找主管", "已谈妥"]


async def test_a_case_left_alone_climbs_and_its_clocks_come_back_from_the_database(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    await workflow.acknowledge(case_id)

    for _ in range(40):
        await workflow.pass_time(timedelta(minutes=30))

    case = await workflow.case(case_id)
    replies = [clock for clock in case["clocks"] if clock["kind"] == "first_reply"]
    assert case["escalation_level"] == 4
    assert [clock["state"] for clock in replies] == [*["breached"] * 4, "running"]
    levels = [e.level for _, e in await workflow.said(case_id) if isinstance(e, Escalated)]
    assert levels == [1, 2, 3, 4]


async def test_asking_for_a_supervisor_leads_to_supervision(workflow: Workflow) -> None:
    case_id = await workflow.open()
    await workflow.act(case_id, "reject", reason="不属实")

    await workflow.hear(
        ComplaintAmended(
            complaint_id=case_id, number="7K3F-9Q2M-X", kind="supervision", by="customer"
        ),
        sequence=2,
    )

    case = await workflow.case(case_id)
    assert (case["state"], case["round"], case["escalation_level"]) == ("assigned", 2, 3)
    assert (await workflow.names(case_id))[-2:] == ["Reopened", "Escalated"]


async def test_only_who_went_over_our_head_counts_as_escalated_the_next_time(
    workflow: Workflow,
) -> None:
    alone, asking, outside = "customer-1", "customer-2", "customer-3"
    left = await workflow.open(customer_id=alone)
    asked = await workflow.open(customer_id=asking)
    await workflow.open(customer_id=outside, channel="media")
    await workflow.hear(
        ComplaintAmended(
            complaint_id=asked, number="7K3F-9Q2M-X", kind="supervision", by="customer"
        ),
        sequence=2,
    )
    for _ in range(24):
        await workflow.pass_time(timedelta(hours=1))

    segments = [
        (await workflow.case(await workflow.open(customer_id=customer)))["segment"]
        for customer in (alone, asking, outside)
    ]

    assert (await workflow.case(left))["escalation_level"] == 4
    assert segments == ["ordinary", "previously_escalated", "previously_escalated"]


async def test_an_emergency_is_owned_before_anybody_at_the_front_line_hears_of_it(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open(severity="critical", priority="P1")

    case = await workflow.case(case_id)
    assert (case["owner"], case["escalation_level"]) == ("tang.wei", 2)
    assert case["next_due_at"] == "2026-11-23T04:15:00Z"
    await workflow.act(case_id, "propose", **OFFER)
    (escalated,) = [e for _, e in await workflow.said(case_id) if isinstance(e, Escalated)]
    assert escalated.emergency
