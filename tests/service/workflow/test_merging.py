"""Complaints about one matter, on both databases: one case goes on, whoever comes first."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.workflow_service.cases.repository import merging
from shared.events.cases import CaseMerged, Escalated, InformationReceived
from shared.events.complaints import ComplaintAmended
from shared.kernel.clock import ManualClock
from tests.harness.databases import MakeMigratedUrl
from tests.service.workflow.conftest import START, Workflow, complaint, running
from tests.unit.workflow.rules import opened, regrading


def amendment(case_id: str, **changes: object) -> ComplaintAmended:
    fields = {"complaint_id": case_id, "number": "7K3F-9Q2M-X", "kind": "addition"}
    return ComplaintAmended.model_validate({**fields, "by": "customer", **changes})


def actions(case: dict[str, object]) -> list[tuple[object, object]]:
    history = case["history"]
    assert isinstance(history, list)
    return [(line["action"], line["why"]) for line in history]


async def test_a_repeat_is_merged_into_the_open_case(workflow: Workflow) -> None:
    root = await workflow.open()

    repeat = complaint(workflow.clock.now(), repeat_of=root)
    await workflow.hear(repeat)

    record, target = await workflow.case(repeat.complaint_id), await workflow.case(root)
    assert (record["state"], record["outcome"], record["merged_into"], record["repeat_of"]) == (
        "closed",
        "merged",
        root,
        root,
    )
    assert (record["clocks"], record["allowed_actions"]) == ([], [])
    assert await workflow.names(repeat.complaint_id) == ["CaseMerged"]
    assert (target["escalation_level"], target["escalated_because"]) == (1, "repeat")
    assert actions(target)[1:] == [("repeat", repeat.number), ("escalate", "repeat")]
    refused = await workflow.http.post(
        f"/v1/cases/{repeat.complaint_id}/reopen", json={"reason": "还没好"}
    )
    assert (refused.status_code, refused.json()["allowed_actions"]) == (409, [])


async def test_the_customers_page_is_told_where_a_merged_complaint_goes_on(
    workflow: Workflow,
) -> None:
    root = await workflow.open()
    repeat = complaint(workflow.clock.now(), repeat_of=root)
    again = complaint(workflow.clock.now(), repeat_of=repeat.complaint_id)
    await workflow.hear(repeat)
    await workflow.hear(again)

    number = (await workflow.case(root))["number"]
    for merged in (repeat, again):
        path = f"/v1/internal/workflow/telling/{merged.complaint_id}"
        told = (await workflow.internal.get(path)).json()
        assert told["merged_into"] == {"complaint_id": root, "number": number}


async def test_a_batch_of_a_complaint_and_its_repeats_is_one_case(workflow: Workflow) -> None:
    root = complaint(workflow.clock.now())
    repeats = [complaint(workflow.clock.now(), repeat_of=root.complaint_id) for _ in range(3)]

    await workflow.hear(root, *repeats)

    case = await workflow.case(root.complaint_id)
    assert case["escalation_level"] == 3
    said = await workflow.said(root.complaint_id)
    assert [sequence for sequence, _ in said] == [1, 2, 3, 4]
    assert [type(event).__name__ for _, event in said] == ["CaseOpened", *["Escalated"] * 3]
    for repeat in repeats:
        merged = await workflow.case(repeat.complaint_id)
        assert merged["merged_into"] == root.complaint_id


async def test_a_repeat_of_a_merged_complaint_finds_the_case_that_goes_on(
    workflow: Workflow,
) -> None:
    root = await workflow.open()
    first = complaint(workflow.clock.now(), repeat_of=root)
    await workflow.hear(first)

    second = complaint(workflow.clock.now(), repeat_of=first.complaint_id)
    await workflow.hear(second)

    assert (await workflow.case(second.complaint_id))["merged_into"] == root
    assert (await workflow.case(root))["escalation_level"] == 2


async def test_what_is_added_to_a_merged_complaint_reaches_the_case_and_ends_its_waiting(
    workflow: Workflow,
) -> None:
    root = await workflow.open()
    repeat = complaint(workflow.clock.now(), repeat_of=root)
    await workflow.hear(repeat)
    await workflow.act(root, "request-information", text="请提供照片")

    await workflow.hear(amendment(repeat.complaint_id), amendment(root), sequence=2)

    target, record = await workflow.case(root), await workflow.case(repeat.complaint_id)
    assert target["state"] == "assigned"
    assert actions(target)[-2:] == [
        ("amend", "addition by customer to 7K3F-9Q2M-X"),
        ("amend", "addition by customer"),
    ]
    assert actions(record)[-1] == ("amend", "addition by customer")
    told = [event for _, event in await workflow.said(root)]
    assert [type(event) for event in told].count(InformationReceived) == 1


async def test_an_emergency_found_in_a_merged_complaint_reaches_the_duty_officer_once(
    workflow: Workflow,
) -> None:
    root = await workflow.open()
    repeat = complaint(workflow.clock.now(), repeat_of=root)
    await workflow.hear(repeat)
    record = replace(opened(), id=repeat.complaint_id, number=repeat.number)
    graded = [regrading(record, "P1", severity=severity) for severity in ("moderate", "critical")]

    await workflow.hear(graded[0], sequence=2)
    before = await workflow.case(root)
    for sequence in (3, 4):
        await workflow.hear(graded[1], sequence=sequence)

    target = await workflow.case(root)
    assert (before["escalated_because"], before["priority"]) == ("repeat", "P2")
    assert (target["owner"], target["escalated_because"]) == ("tang.wei", "emergency")
    assert target["priority"] == "P2"
    paged = [e for _, e in await workflow.said(root) if isinstance(e, Escalated) and e.emergency]
    assert len(paged) == 1


async def test_a_settled_root_leaves_the_repeat_its_own_case_one_level_up(
    workflow: Workflow,
) -> None:
    root = await workflow.open()
    await workflow.act(root, "resolve", summary="已补发")

    repeat = await workflow.open(repeat_of=root)

    case = await workflow.case(repeat)
    assert (case["state"], case["escalation_level"], case["owner"]) == ("assigned", 1, "zheng.hao")
    escalated = [e for _, e in await workflow.said(repeat) if isinstance(e, Escalated)]
    assert [(e.cause, e.earlier_complaint) for e in escalated] == [("repeat", root)]
    assert (await workflow.case(root))["state"] == "resolved"


async def test_a_repeat_that_comes_before_its_root_is_merged_when_the_root_comes(
    workflow: Workflow,
) -> None:
    root = complaint(workflow.clock.now())
    early = await workflow.open(repeat_of=root.complaint_id)
    begun = await workflow.open(repeat_of=root.complaint_id)
    await workflow.act(begun, "start-investigation")
    workflow.clock.advance(timedelta(seconds=5))

    await workflow.hear(root)

    merged, apart = await workflow.case(early), await workflow.case(begun)
    assert (merged["state"], merged["merged_into"]) == ("closed", root.complaint_id)
    assert {clock["state"] for clock in merged["clocks"]} <= {"met", "cancelled"}
    assert await workflow.names(early) == ["CaseOpened", "CaseMerged"]
    assert (apart["state"], apart["merged_into"]) == ("investigating", None)
    assert (await workflow.case(root.complaint_id))["escalation_level"] == 1
    await workflow.pass_time(timedelta(days=3))
    assert await workflow.names(early) == ["CaseOpened", "CaseMerged"]


async def test_a_complaint_over_our_head_keeps_its_case_and_takes_the_open_one_along(
    workflow: Workflow,
) -> None:
    root = await workflow.open()

    regulator = await workflow.open(channel="regulator", repeat_of=root)

    case, earlier = await workflow.case(regulator), await workflow.case(root)
    assert (case["state"], case["merged_into"], case["escalation_level"]) == ("assigned", None, 3)
    assert (earlier["escalation_level"], earlier["owner"]) == (3, case["owner"])
    (escalated,) = [e for _, e in await workflow.said(regulator) if isinstance(e, Escalated)]
    assert (escalated.earlier_complaint, escalated.went_up) == (root, "unsolved")


async def test_an_imported_complaint_is_merged_into_nothing_and_goes_nowhere(
    workflow: Workflow,
) -> None:
    root = await workflow.open()

    long_ago = START - timedelta(days=100)
    received = complaint(long_ago, imported=True, repeat_of=root, channel="regulator")
    await workflow.hear(received)
    await workflow.pass_time(timedelta(minutes=30))

    imported = received.complaint_id
    case = await workflow.case(imported)
    assert (case["escalation_level"], case["merged_into"]) == (0, None)
    assert len(case["clocks"]) == len({clock["kind"] for clock in case["clocks"]})
    assert await workflow.names(imported) == ["CaseImported"]
    assert (await workflow.case(root))["escalation_level"] == 0


@pytest.mark.postgres
async def test_a_complaint_and_its_repeat_opened_at_the_same_moment_find_each_other(
    tmp_path: Path, migrated_postgres_url: MakeMigratedUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, clock = migrated_postgres_url("workflow"), ManualClock(START)
    looked = asyncio.Barrier(2)
    gate = merging.gate_openings

    async with running(tmp_path, url, clock) as one, running(tmp_path, url, clock) as two:
        # Both have looked for what is there, and found nothing, before either goes on.
        async def gate_after_both(connection: object, *, alone: bool) -> None:
            await looked.wait()
            await gate(connection, alone=alone)  # type: ignore[arg-type] # handed on as it came

        monkeypatch.setattr(
            "services.workflow_service.cases.service.merging.gate_openings", gate_after_both
        )
        root = complaint(START)
        repeat = complaint(START, repeat_of=root.complaint_id)
        async with asyncio.timeout(30):
            await asyncio.gather(one.hear(root), two.hear(repeat))

        merged = await one.case(repeat.complaint_id)
        told = [type(event) for _, event in await one.said(repeat.complaint_id)]

    assert merged["merged_into"] == root.complaint_id
    assert told.count(CaseMerged) == 1


async def test_the_next_complaint_goes_on_in_the_open_case_of_the_matter_not_beside_it(
    workflow: Workflow,
) -> None:
    first = await workflow.open()
    await workflow.act(first, "resolve", summary="已补发")
    second = await workflow.open(repeat_of=first)

    # Intake links every complaint about the matter to the first one.
    third = complaint(workflow.clock.now(), repeat_of=first)
    await workflow.hear(third)

    record, case = await workflow.case(third.complaint_id), await workflow.case(second)
    assert (record["outcome"], record["merged_into"]) == ("merged", second)
    assert (case["escalation_level"], case["escalated_because"]) == (2, "repeat")


async def test_two_complaints_after_a_settled_one_are_one_case_in_a_batch_too(
    workflow: Workflow,
) -> None:
    first = await workflow.open()
    await workflow.act(first, "resolve", summary="已补发")

    again = [complaint(workflow.clock.now(), repeat_of=first) for _ in range(2)]
    await workflow.hear(*again)

    one, other = [await workflow.case(said.complaint_id) for said in again]
    assert (one["merged_into"], other["merged_into"]) == (None, one["id"])


async def test_a_repeat_of_a_case_by_a_policy_that_another_replica_loaded_is_merged(
    tmp_path: Path, migrated_url: MakeMigratedUrl
) -> None:
    url, clock = migrated_url("workflow"), ManualClock(START)

    async with running(tmp_path, url, clock) as one, running(tmp_path, url, clock) as two:
        document = (await one.http.get("/v1/policies")).json()["document"]
        loaded = await one.http.put(
            "/v1/policies",
            content=document.replace("version: 2", "version: 3"),
            headers={"Content-Type": "application/yaml"},
        )
        assert loaded.status_code == 200, loaded.text
        root = await one.open()
        repeat = complaint(START, repeat_of=root)
        await two.hear(repeat)

        assert (await two.case(repeat.complaint_id))["merged_into"] == root
