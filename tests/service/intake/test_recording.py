"""`POST /v1/complaints`: what it answers, what it stores, what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from services.intake_service.complaints.domain.draft import Draft
from services.intake_service.complaints.domain.new_complaint import NewComplaint, SourceReference
from services.intake_service.complaints.service.planning import Known
from services.intake_service.complaints.service.preparing import Prepared, Preparer
from services.intake_service.customers.domain.contact import Contact
from tests.service.intake.conftest import EXAMPLE, NOW, Running

PERSONAL = ("王芳", "13800138000", "wang@example.com", "C-77", "周三收到", "A-1029", "20261118-443")


async def test_a_complaint_is_answered_with_number_classification_and_tracking_link(
    intake: Running,
) -> None:
    response = await intake.post("/v1/complaints", EXAMPLE)

    answer = response.json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"/v1/complaints/{answer['id']}"
    assert answer["status"] == "received"
    assert answer["received_at"] == "2026-11-23T12:00:00Z"
    assert answer["classification"]["category"] == "logistics.short"
    assert answer["classification"]["decided_by"] == "sender"
    assert {"rule": "outward-threat", "evidence": "12315", "effect": "urgency high"} in (
        answer["classification"]["reasons"]
    )
    assert answer["tracking_url"].startswith("http://127.0.0.1:8000/track/")


async def test_the_first_event_says_what_was_received_without_personal_data(
    intake: Running,
) -> None:
    answer = (await intake.post("/v1/complaints", EXAMPLE)).json()

    (record,) = await intake.events(answer["id"], count=1)

    said = orjson.loads(record.value)
    headers = dict(record.headers)
    assert headers["ce_type"] == b"ComplaintReceived"
    assert (headers["ce_source"], headers["ce_sequence"]) == (b"/intake", b"1")
    assert said["number"] == answer["number"]
    assert said["h3"].startswith("87")
    assert (said["region"], said["product"], said["tier"]) == ("CN-31", "SKU-88", "gold")
    assert said["demands"] == ["re_send", "apology"]
    for word in PERSONAL:
        assert word not in record.value.decode()


async def test_nothing_personal_is_stored_in_the_clear(intake: Running) -> None:
    await intake.received()

    stored = await intake.everything_stored("complaints", "customers", "customer_identities")

    for word in PERSONAL:
        assert word not in stored


async def test_the_same_source_again_answers_200_with_the_complaint_that_exists(
    intake: Running,
) -> None:
    first = await intake.post("/v1/complaints", EXAMPLE)

    again = await intake.post("/v1/complaints", EXAMPLE | {"description": "something else"})

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


async def test_many_at_once_with_one_source_are_one_complaint(intake: Running) -> None:
    answers = await asyncio.gather(*(intake.post("/v1/complaints", EXAMPLE) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_an_idempotency_key_replays_the_first_answer(intake: Running) -> None:
    body = EXAMPLE | {"source": None}
    first = await intake.post("/v1/complaints", body, **{"Idempotency-Key": "k1"})

    again = await intake.post("/v1/complaints", body, **{"Idempotency-Key": "k1"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers


async def test_an_idempotency_key_with_another_body_is_refused(intake: Running) -> None:
    body = EXAMPLE | {"source": None}
    await intake.post("/v1/complaints", body, **{"Idempotency-Key": "k1"})

    other = await intake.post(
        "/v1/complaints", body | {"channel": "chat"}, **{"Idempotency-Key": "k1"}
    )

    assert other.status_code == 422
    assert other.json()["type"] == "/problems/idempotency-key-reused"


async def test_a_second_request_while_the_first_runs_conflicts(intake: Running) -> None:
    body = EXAMPLE | {"source": None}

    answers = await asyncio.gather(
        *(intake.post("/v1/complaints", body, **{"Idempotency-Key": "k1"}) for _ in range(5))
    )

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 201
    assert set(statuses[1:]) <= {201, 409}
    created = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(created) == 1


async def test_of_a_group_only_the_request_with_the_conflict_pays(intake: Running) -> None:
    body = EXAMPLE | {"source": None}
    await intake.post("/v1/complaints", body, **{"Idempotency-Key": "k1"})
    reused = intake.post("/v1/complaints", body | {"channel": "app"}, **{"Idempotency-Key": "k1"})

    answers = await asyncio.gather(
        reused, *(intake.post("/v1/complaints", body) for _ in range(10))
    )

    assert [answer.status_code for answer in answers] == [422] + [201] * 10


async def test_an_anonymous_complaint_needs_no_contact(intake: Running) -> None:
    answer = await intake.received(customer={"anonymous": True})

    found = await intake.get(f"/v1/complaints/{answer['id']}")

    assert found["customer"]["anonymous"] is True
    assert found["customer"]["phone"] is None


async def test_the_language_of_the_text_decides_where_no_locale_is_given(intake: Running) -> None:
    answer = await intake.received(
        customer={"email": "joe@example.com"}, description="My parcel never arrived."
    )

    found = await intake.get(f"/v1/complaints/{answer['id']}")

    assert found["customer"]["locale"] == "en"
    assert found["classification"]["language"] == "en"


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"channel": "pigeon"}, "/channel", "unknown_value"),
        ({"description": " "}, "/description", "blank"),
        ({"description": "x" * 20_001}, "/description", "too_long"),
        ({"customer": {"phone": "not a phone"}}, "/customer/phone", "invalid_phone"),
        ({"customer": {"phone": "+86 138 0013 80001"}}, "/customer/phone", "invalid_phone"),
        ({"customer": {"email": "wang@"}}, "/customer/email", "invalid_email"),
        ({"customer": {"name": "王芳"}}, "/customer", "contact_required"),
        ({"customer": {"anonymous": True, "name": "王"}}, "/customer", "anonymous_with_contact"),
        ({"customer": {"phone": "13800138000", "tier": "tin"}}, "/customer/tier", "unknown_value"),
        ({"occurred_at": "2026-11-18T18:30:00"}, "/occurred_at", "no_offset"),
        ({"occurred_at": "2026-11-23T12:02:00Z"}, "/occurred_at", "in_the_future"),
        ({"place": {"latitude": 31.2}}, "/place", "half_a_point"),
        ({"place": {"latitude": 91, "longitude": 0}}, "/place/latitude", "out_of_range"),
        (
            {"references": {"product": "王芳 +86 138 0013 8000"}},
            "/references/product",
            "invalid_code",
        ),
        ({"place": {"region": "张三 13800138000"}}, "/place/region", "invalid_code"),
        ({"place": {"region": "wang@example.com"}}, "/place/region", "invalid_code"),
        ({"demands": ["a_pony"]}, "/demands/0", "unknown_value"),
        ({"category": "logistics.shrot"}, "/category", "unknown_category"),
        ({"desciption": "x"}, "/desciption", "unknown_field"),
        ({"description": "a\0b"}, "/description", "invalid_text"),
    ],
)
async def test_a_wrong_field_is_named(
    embedded: Running, change: dict[str, Any], pointer: str, code: str
) -> None:
    response = await embedded.post("/v1/complaints", EXAMPLE | change)

    problem = response.json()
    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (pointer, code) in [(error["pointer"], error["code"]) for error in problem["errors"]]


async def test_every_wrong_field_is_named_at_once_with_suggestions(embedded: Running) -> None:
    response = await embedded.post(
        "/v1/complaints",
        {"channel": "webb", "descripton": "x", "customer": {"phone": "1"}, "category": "logistic"},
    )

    errors = {error["pointer"]: error["detail"] for error in response.json()["errors"]}
    assert set(errors) == {
        "/channel", "/description", "/descripton", "/customer/phone", "/category",
    }  # fmt: skip
    assert '"web"' in errors["/channel"]
    assert '"description"' in errors["/descripton"]
    assert "logistics" in errors["/category"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[]", 422),
        (b'{"channel": "\\ud800"}', 422),
        (b'{"description": "' + b"x" * 1_100_000 + b'"}', 413),
    ],
)
async def test_a_body_that_is_none_is_refused(embedded: Running, body: bytes, status: int) -> None:
    response = await embedded.client.post(
        "/v1/complaints", content=body, headers={"Content-Type": "application/json"}
    )

    assert response.status_code == status
    assert response.json()["status"] == status


async def test_a_moment_ahead_is_forgiven(embedded: Running) -> None:
    answer = await embedded.received(occurred_at="2026-11-23T12:00:59Z")

    assert answer["number"]


def _drafts(intake: Running, *names: str) -> list[Draft]:
    """Name and classify complaints of another system, told apart by their ids there."""
    preparer = Preparer(keys=intake.parts.keys, classifier=intake.parts.triage)
    complaints = [
        NewComplaint(
            channel="web",
            description="late",
            contact=Contact(crm_id="C-1"),
            source=SourceReference("cfpb", name),
            imported=True,
        )
        for name in names
    ]
    return preparer.drafts(complaints, now=NOW, traceparent=None)


def _prepared(intake: Running, drafts: Sequence[Draft], known: Known) -> Prepared:
    preparer = Preparer(keys=intake.parts.keys, classifier=intake.parts.triage)
    return preparer.prepare(drafts, known=known, now=NOW)


async def test_a_prepared_batch_says_per_row_what_became_of_it(intake: Running) -> None:
    record = intake.parts.recorder.record_prepared
    first = _prepared(intake, _drafts(intake, "1", "2", "1"), Known())
    drafts = _drafts(intake, "2", "3")

    stood_before = await record(first)
    stands = await record(_prepared(intake, drafts, Known()))
    assert stands is not None
    second = _prepared(intake, drafts, stands)
    stood_after = await record(second)

    assert (stood_before, stood_after) == (None, None)
    assert [outcome.kind for outcome in first.outcomes] == ["accepted", "accepted", "existing"]
    assert first.outcomes[2].complaint_id == first.outcomes[0].complaint_id
    assert [outcome.kind for outcome in second.outcomes] == ["existing", "accepted"]
    assert second.outcomes[0].complaint_id == first.outcomes[1].complaint_id


async def test_a_batch_prepared_for_what_does_not_stand_is_not_written(intake: Running) -> None:
    await intake.received(customer={"crm_id": "C-1"})
    batch = _prepared(intake, _drafts(intake, "1"), Known())

    stands = await intake.parts.recorder.record_prepared(batch)

    assert stands is not None
    assert len(stands.customers) == 1
    assert "cfpb" not in await intake.everything_stored("complaints")


async def test_drafts_in_each_others_way_are_recorded_one_by_one(intake: Running) -> None:
    outcomes = await intake.parts.recorder.record_one_by_one(_drafts(intake, "1", "2", "1"))

    assert [outcome.kind for outcome in outcomes] == ["accepted", "accepted", "existing"]


async def test_the_interface_is_described_with_examples(embedded: Running) -> None:
    document = embedded.openapi()

    operation = document["paths"]["/v1/complaints"]["post"]
    assert "ComplaintIn" in str(operation["requestBody"])
    assert document["components"]["schemas"]["ComplaintIn"]["examples"]
    assert document["components"]["schemas"]["ReceivedOut"]["examples"]
