"""What people do with cases, over HTTP, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from services.workflow_service.cases.models import words
from shared.events.cases import (
    CustomerContacted,
    InformationRequested,
    SolutionProposed,
    StepCarriedOut,
)
from shared.http import idempotency
from tests.service.workflow.conftest import START, Workflow, complaint, complaints

OFFER = {
    "options": [
        {"kind": "re_send", "text": "今天补发缺少的两件"},
        {"kind": "refund", "text": "退款", "amount": {"amount": "58", "currency": "CNY"}},
    ]
}

REASON = {"reason": "已谈妥"}


class _KnowsNothing(idempotency.Running):
    """What a process knows of the requests that another one is answering."""

    @asynccontextmanager
    async def claim(self, key: idempotency.IdempotencyKey) -> AsyncIterator[None]:
        yield


async def test_a_complaint_becomes_a_case_with_an_owner_and_running_clocks(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()

    case = await workflow.case(case_id)

    assert case["state"] == "assigned"
    assert (case["owner"], case["department"]) == ("li.na", "logistics")
    assert {clock["kind"]: clock["state"] for clock in case["clocks"]} == {
        "acknowledge": "running",
        "assign": "met",
        "first_reply": "running",
        "propose": "running",
        "resolve": "running",
        "next_update": "running",
    }
    assert case["next_step"] == "first_reply"
    assert case["next_due_at"] == "2026-11-23T08:00:00Z"
    assert case["history"][0]["action"] == "open"


async def test_a_case_is_given_to_nobody_who_does_not_exist(workflow: Workflow) -> None:
    case_id = await workflow.open()

    unknown = await workflow.http.post(
        f"/v1/cases/{case_id}/assign", json={"owner": "ema.jones", "department": "logistic"}
    )
    strange = await workflow.http.post(f"/v1/cases/{case_id}/assign", json={"owner": "zzz"})

    assert unknown.status_code == strange.status_code == 422
    assert unknown.headers["content-type"] == "application/problem+json"
    assert unknown.json()["errors"] == [
        {
            "pointer": "/owner",
            "code": "unknown_person",
            "detail": 'There is nobody called "ema.jones" in the organisation; '
            'did you mean "emma.jones"?',
        },
        {
            "pointer": "/department",
            "code": "unknown_department",
            "detail": 'There is no department "logistic" in the organisation; '
            'did you mean "logistics"?',
        },
    ]
    assert strange.json()["errors"][0]["detail"] == (
        'There is nobody called "zzz" in the organisation.'
    )
    assert (await workflow.case(case_id))["owner"] == "li.na"


async def test_nobody_who_does_not_exist_takes_a_case_down_or_keeps_a_promise(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    await workflow.act(case_id, "escalate", reason="客户要求")

    down = await workflow.http.post(
        f"/v1/cases/{case_id}/de-escalate", json={"reason": "已谈妥", "owner": "li.nan"}
    )
    promise = await workflow.http.post(
        f"/v1/cases/{case_id}/promises",
        json={"text": "明天补发", "due_at": "2026-11-24T12:00:00+08:00", "owner": "zheng.hao2"},
    )

    assert (down.status_code, promise.status_code) == (422, 422)
    assert 'did you mean "li.na"?' in down.json()["detail"]
    assert 'did you mean "zheng.hao"?' in promise.json()["detail"]
    assert [answer.json()["errors"][0]["pointer"] for answer in (down, promise)] == ["/owner"] * 2


async def test_a_case_whose_owner_has_left_the_organisation_goes_on(workflow: Workflow) -> None:
    case_id = await workflow.open()
    organisation = workflow.desk.rules.organisation
    others = tuple(
        one.model_copy(update={"deputy": None}) for one in organisation.people if one.id != "li.na"
    )
    left = type(organisation).model_validate(
        {**{name: getattr(organisation, name) for name in type(organisation).model_fields}}
        | {"people": others}
    )
    workflow.desk.rules = replace(workflow.desk.rules, organisation=left)

    await workflow.act(case_id, "record-contact", text="已与客户通话")
    await workflow.act(case_id, "resolve", summary="已补发")
    again = await workflow.act(case_id, "reopen", reason="又少了一件")
    given = await workflow.act(case_id, "assign", owner="zheng.hao")

    assert (again["owner"], given["owner"]) == ("li.na", "zheng.hao")


@pytest.mark.parametrize("changes", [{"people": ()}, {"others_may_own": True}])
async def test_an_organisation_that_leaves_people_open_lets_others_have_cases(
    workflow: Workflow, changes: dict[str, object]
) -> None:
    case_id = await workflow.open()
    open_house = workflow.desk.rules.organisation.model_copy(update=changes)
    workflow.desk.rules = replace(workflow.desk.rules, organisation=open_house)

    given = await workflow.act(case_id, "assign", owner="agent-7@partner", department="billing")
    nowhere = await workflow.http.post(
        f"/v1/cases/{case_id}/assign", json={"owner": "agent-7@partner", "department": "biling"}
    )

    assert (given["owner"], given["department"]) == ("agent-7@partner", "billing")
    assert [error["pointer"] for error in nowhere.json()["errors"]] == ["/department"]


async def test_a_refusal_names_the_actions_that_the_case_itself_names(workflow: Workflow) -> None:
    case_id = await workflow.open()

    for action, body in (("accept", {"option": "A"}), ("approve", {}), ("de-escalate", REASON)):
        refused = await workflow.http.post(f"/v1/cases/{case_id}/{action}", json=body)
        problem, case = refused.json(), await workflow.case(case_id)

        assert refused.status_code == 409
        assert problem["allowed_actions"] == case["allowed_actions"]
        assert not {"approve", "refuse", "de-escalate"} & set(problem["allowed_actions"])
        assert "approve," not in problem["detail"]


async def test_the_whole_way_is_told_in_a_dense_sequence(workflow: Workflow) -> None:
    case_id = await workflow.open()
    await workflow.acknowledge(case_id)

    await workflow.act(case_id, "assign", owner="wang.min", department="service")
    await workflow.act(case_id, "start-investigation")
    await workflow.act(case_id, "record-contact", text="已与客户通话")
    await workflow.act(case_id, "request-information", text="请提供照片")
    await workflow.act(case_id, "receive-information", text="照片已收到")
    await workflow.act(case_id, "propose", **OFFER)
    await workflow.act(case_id, "decline", text="太少")
    await workflow.act(case_id, "propose", **OFFER)
    await workflow.act(case_id, "accept", option="A")
    await workflow.act(case_id, "carry-out", text="已寄出")
    await workflow.act(case_id, "resolve", summary="已补发并道歉")
    await workflow.act(case_id, "record-contact", text="客户满意")
    closed = await workflow.act(case_id, "close")
    await workflow.act(case_id, "reopen", reason="又少了一件")

    said = await workflow.said(case_id)
    assert [type(event).__name__ for _, event in said] == [
        "CaseOpened",
        "CaseTransferred",
        "InvestigationStarted",
        "CustomerContacted",
        "InformationRequested",
        "InformationReceived",
        "SolutionProposed",
        "SolutionDeclined",
        "SolutionProposed",
        "SolutionAccepted",
        "StepCarriedOut",
        "Resolved",
        "CustomerContacted",
        "Closed",
        "Reopened",
    ]
    assert [sequence for sequence, _ in said] == list(range(1, len(said) + 1))
    assert closed["state"] == "closed"
    assert "running" not in {clock["state"] for clock in closed["clocks"]}


async def test_a_contact_says_who_began_it_and_how(workflow: Workflow) -> None:
    case_id = await workflow.open()

    await workflow.act(case_id, "record-contact", text="客户来电", channel="phone", direction="in")
    await workflow.act(case_id, "record-contact", text="已回电")

    said = [event for _, event in await workflow.said(case_id)][-2:]
    assert [(e.direction, e.channel) for e in said if isinstance(e, CustomerContacted)] == [
        ("in", "phone"),
        ("out", None),
    ]


async def test_words_are_encrypted_and_given_only_to_services(workflow: Workflow) -> None:
    case_id = await workflow.open()
    await workflow.act(case_id, "request-information", text="请提供照片")
    await workflow.act(case_id, "propose", **OFFER, note="经理同意")
    asked, proposed = [
        event.words_id
        for _, event in await workflow.said(case_id)
        if isinstance(event, InformationRequested | SolutionProposed)
    ]

    answer = await workflow.internal.post(
        "/v1/internal/workflow/words", json={"ids": [asked, proposed, "unknown"]}
    )
    refused = await workflow.http.post("/v1/internal/workflow/words", json={"ids": [asked]})

    items = {item["id"]: item for item in answer.json()["items"]}
    assert items[asked]["text"] == "请提供照片"
    assert items[asked]["kind"] == "information_request"
    assert [option["key"] for option in items[proposed]["options"]] == ["A", "B"]
    assert items[proposed]["options"][1]["amount"] == {"amount": "58.00", "currency": "CNY"}
    assert refused.status_code == 403
    async with workflow.desk.database.read() as connection:
        stored = (await connection.execute(select(words.c.ciphertext))).scalars().all()
    assert len(stored) == 3
    assert not any(
        "照片".encode() in bytes(text) or "退款".encode() in bytes(text) for text in stored
    )
    history = (await workflow.case(case_id))["history"]
    assert history[1]["why"] == "请提供照片"
    assert history[2]["note"] == "经理同意"


async def test_a_forbidden_action_names_the_allowed_ones(workflow: Workflow) -> None:
    case_id = await workflow.open()

    answer = await workflow.http.post(f"/v1/cases/{case_id}/close")

    problem = answer.json()
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert "propose" in problem["allowed_actions"]
    assert "close" not in problem["allowed_actions"]


async def test_a_stale_etag_is_refused_and_the_fresh_one_taken(workflow: Workflow) -> None:
    case_id = await workflow.open()
    etag = (await workflow.http.get(f"/v1/cases/{case_id}")).headers["ETag"]
    path = f"/v1/cases/{case_id}/record-contact"

    first = await workflow.http.post(path, json={"text": "a"}, headers={"If-Match": etag})
    second = await workflow.http.post(path, json={"text": "b"}, headers={"If-Match": etag})

    assert first.status_code == 200
    assert first.headers["ETag"] != etag
    assert second.status_code == 412
    assert (await workflow.names(case_id)).count("CustomerContacted") == 1


async def test_an_action_sent_twice_with_one_key_happens_once(workflow: Workflow) -> None:
    case_id = await workflow.open()
    path, headers = f"/v1/cases/{case_id}/record-contact", {"Idempotency-Key": "k-1"}

    first = await workflow.http.post(path, json={"text": "a"}, headers=headers)
    again = await workflow.http.post(path, json={"text": "a"}, headers=headers)
    other = await workflow.http.post(path, json={"text": "b"}, headers=headers)

    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.status_code == 422
    assert (await workflow.names(case_id)).count("CustomerContacted") == 1


async def test_one_key_at_two_processes_at_once_gets_one_answer_twice(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = await workflow.open()
    await workflow.act(case_id, "propose", **OFFER)
    monkeypatch.setattr(idempotency, "_RUNNING", _KnowsNothing())  # as another process's
    path, headers = f"/v1/cases/{case_id}/accept", {"Idempotency-Key": "k-2"}

    answers = await asyncio.gather(
        *(workflow.http.post(path, json={"option": "A"}, headers=headers) for _ in range(4))
    )

    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 3


async def test_wrong_fields_are_all_named_at_once(workflow: Workflow) -> None:
    case_id = await workflow.open()

    answer = await workflow.http.post(
        f"/v1/cases/{case_id}/assign", json={"ownr": "li.na", "occurred_at": "2026-11-23T12:00:00"}
    )

    codes = {error["pointer"]: error["code"] for error in answer.json()["errors"]}
    assert answer.status_code == 422
    assert codes == {"/owner": "missing", "/ownr": "unknown_field", "/occurred_at": "no_offset"}
    assert "did you mean" in answer.text


async def test_a_case_is_not_resolved_by_rejecting_it(workflow: Workflow) -> None:
    case_id = await workflow.open()
    path = f"/v1/cases/{case_id}/resolve"

    refused = await workflow.http.post(path, json={"summary": "无", "outcome": "rejected"})
    taken = await workflow.http.post(path, json={"summary": "已说明", "outcome": "answered"})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/outcome"
    assert taken.json()["outcome"] == "answered"


async def test_of_two_actions_at_once_the_second_sees_what_the_first_did(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    await workflow.act(case_id, "propose", **OFFER)

    answers = await asyncio.gather(
        *(
            workflow.http.post(f"/v1/cases/{case_id}/accept", json={"option": option})
            for option in "ABABAB"
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    said = await workflow.said(case_id)
    assert [sequence for sequence, _ in said] == [1, 2, 3]
    assert (await workflow.names(case_id)).count("SolutionAccepted") == 1


async def test_a_milestone_counts_from_when_it_was_reached_not_from_when_it_was_told(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    workflow.clock.advance(timedelta(hours=6))  # the timer has not come round yet

    given_at = (START + timedelta(hours=1)).isoformat()
    case = await workflow.act(case_id, "record-contact", text="已回电", occurred_at=given_at)
    await workflow.pass_time(timedelta(0))

    first_reply = next(clock for clock in case["clocks"] if clock["kind"] == "first_reply")
    assert (first_reply["state"], first_reply["met_at"]) == ("met", "2026-11-23T05:00:00Z")
    assert (await workflow.case(case_id))["escalation_level"] == 0


async def test_an_action_cannot_lie_before_the_case_or_in_the_future(workflow: Workflow) -> None:
    case_id = await workflow.open()
    path = f"/v1/cases/{case_id}/record-contact"

    for at in (START - timedelta(seconds=1), START + timedelta(hours=1)):
        body = {"text": "a", "occurred_at": at.isoformat()}
        answer = await workflow.http.post(path, json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/occurred_at"


async def test_a_case_is_found_by_its_number_and_others_are_not(workflow: Workflow) -> None:
    received = complaint(START)
    await workflow.hear(received)

    by_number = await workflow.http.get(f"/v1/cases/{received.number.lower()}")
    unknown = await workflow.http.get("/v1/cases/01938f5e-7c2a-7d5e-9d8b-3f6f0c1a2b3c")
    nonsense = await workflow.http.get("/v1/cases/nonsense")
    acted = await workflow.http.post(f"/v1/cases/{received.number}/start-investigation")

    assert by_number.json()["id"] == received.complaint_id
    assert (unknown.status_code, nonsense.status_code) == (404, 404)
    assert acted.json()["state"] == "investigating"


async def test_a_list_is_filtered_and_paged_without_repeating(workflow: Workflow) -> None:
    await workflow.hear(*complaints(5, START))
    await workflow.hear(*complaints(3, START, category="product.quality", priority="P1"))

    first = (await workflow.http.get("/v1/cases?department=logistics&limit=3&state=")).json()
    cursor = first["next_cursor"]
    answer = await workflow.http.get(f"/v1/cases?department=logistics&limit=3&cursor={cursor}")
    rest = answer.json()

    ids = [case["id"] for case in first["items"] + rest["items"]]
    assert len(set(ids)) == len(ids) == 5
    assert ids == sorted(ids, reverse=True)
    assert rest["next_cursor"] is None
    assert "history" not in first["items"][0]


async def test_a_misspelt_filter_is_refused_rather_than_forgotten(workflow: Workflow) -> None:
    answer = await workflow.http.get("/v1/cases?ownr=li.na&statee=assigned")

    found = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert 'did you mean "owner"?' in found["/query/ownr"]
    assert 'did you mean "state"?' in found["/query/statee"]


async def test_overdue_cases_are_listed(workflow: Workflow) -> None:
    late, fine = await workflow.open(priority="P1"), await workflow.open(priority="P4")
    for case_id in (late, fine):
        await workflow.acknowledge(case_id)
    await workflow.pass_time(timedelta(hours=2))

    overdue = (await workflow.http.get("/v1/cases?overdue=true")).json()["items"]
    others = (await workflow.http.get("/v1/cases?overdue=false")).json()["items"]

    assert [case["id"] for case in overdue] == [late]
    assert [case["id"] for case in others] == [fine]


async def test_people_are_told_to_services_only(workflow: Workflow) -> None:
    inside = await workflow.internal.get("/v1/internal/workflow/people")
    outside = await workflow.http.get("/v1/internal/workflow/people")

    people = {person["id"]: person for person in inside.json()["items"]}
    assert people["li.na"]["department"] == "logistics"
    assert people["emma.jones"]["locale"] == "en"
    assert outside.status_code == 403


async def test_a_step_is_told_with_the_number_by_which_it_can_be_followed(
    workflow: Workflow,
) -> None:
    case_id = await workflow.open()
    await workflow.act(case_id, "propose", **OFFER)
    await workflow.act(case_id, "accept", option="A")

    await workflow.act(
        case_id, "carry-out", text="已寄出", kind="re_send", reference="SF1234567890"
    )

    (step,) = [e for _, e in await workflow.said(case_id) if isinstance(e, StepCarriedOut)]
    assert (step.kind, step.reference) == ("re_send", "SF1234567890")


async def test_a_reference_is_no_place_for_words(workflow: Workflow) -> None:
    case_id = await workflow.open()
    body = {"text": "已寄出", "reference": "寄给王芳"}

    refused = await workflow.http.post(f"/v1/cases/{case_id}/carry-out", json=body)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/reference"


async def test_money_and_options_are_refused_in_words(workflow: Workflow) -> None:
    case_id = await workflow.open()
    money = {"amount": "12,50", "currency": "yuan"}
    options = [{"kind": "refund", "text": "退款", "amount": money}]

    proposed = await workflow.http.post(f"/v1/cases/{case_id}/propose", json={"options": options})
    accepted = await workflow.http.post(f"/v1/cases/{case_id}/accept", json={"option": "first"})

    details = [one["detail"] for got in (proposed, accepted) for one in got.json()["errors"]]
    assert len(details) == 3
    assert 'such as "12.50"' in details[0]
    assert "such as CNY" in details[1]
    assert "one capital letter" in details[2]
    assert not [detail for detail in details if "^" in detail]
