"""Additions, and overruling the classification."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from tests.service.intake.conftest import Running


async def test_an_addition_is_shown_with_the_complaint_and_said_without_its_words(
    intake: Running,
) -> None:
    answer = await intake.received()
    path = f"/v1/complaints/{answer['number']}"

    added = await intake.post(f"{path}/additions", {"text": "蓝色的杯子", "by": "customer"})

    assert added.status_code == 201
    (shown,) = (await intake.get(path))["additions"]
    assert (shown["text"], shown["by"], shown["kind"]) == ("蓝色的杯子", "customer", "addition")
    _received, amended = await intake.events(answer["id"], count=2)
    assert dict(amended.headers)["ce_sequence"] == b"2"
    assert "蓝色" not in amended.value.decode()
    assert "蓝色" not in await intake.everything_stored("complaint_additions")


async def test_words_that_point_outside_are_told_as_a_signal_without_the_words(
    intake: Running,
) -> None:
    threatened = await intake.received(description="少了两件，再不处理我就打12315")
    calm = await intake.received(description="少了两件")
    added = {"text": "再没人管我就曝光，找记者", "by": "customer"}

    await intake.post(f"/v1/complaints/{calm['id']}/additions", added)

    (received,) = await intake.events(threatened["id"], count=1)
    first, amended = await intake.events(calm["id"], count=2)
    told = [orjson.loads(record.value)["signals"] for record in (received, first, amended)]
    assert told == [["outward-threat"], [], ["outward-threat"]]


async def test_additions_at_once_are_said_in_a_dense_order(intake: Running) -> None:
    answer = await intake.received()
    path = f"/v1/complaints/{answer['id']}/additions"

    await asyncio.gather(*(intake.post(path, {"text": f"{n}", "by": "staff"}) for n in range(10)))

    records = await intake.events(answer["id"], count=11)
    sequences = [int(dict(record.headers)["ce_sequence"]) for record in records]
    assert sequences == list(range(1, 12))


async def test_the_same_key_adds_once(intake: Running) -> None:
    answer = await intake.received()
    path = f"/v1/complaints/{answer['id']}/additions"
    body = {"text": "once", "by": "customer"}

    await intake.post(path, body, **{"Idempotency-Key": "a"})
    again = await intake.post(path, body, **{"Idempotency-Key": "a"})

    assert again.headers["Idempotency-Replayed"] == "true"
    assert len((await intake.get(f"/v1/complaints/{answer['id']}"))["additions"]) == 1


async def test_an_addition_to_nothing_is_not_found(embedded: Running) -> None:
    response = await embedded.post(
        "/v1/complaints/01936a3e-7c00-7d32-9f3a-5a0d6c1b2e4f/additions",
        {"text": "x", "by": "staff"},
    )

    assert response.status_code == 404


async def test_overruling_changes_the_grade_and_keeps_who_and_why(intake: Running) -> None:
    answer = await intake.received()

    response = await intake.post(
        f"/v1/complaints/{answer['id']}/classification",
        {"severity": "critical", "urgency": "immediate", "why": "孩子过敏送医", "by": "li.na"},
    )

    assert response.status_code == 200
    graded = response.json()["classification"]
    assert (graded["severity"], graded["priority"]) == ("critical", "P1")
    assert graded["decided_by"] == "staff"
    assert graded["category"] == "logistics.short"
    _received, regraded = await intake.events(answer["id"], count=2)
    said = orjson.loads(regraded.value)
    assert (said["old_severity"], said["severity"]) == ("moderate", "critical")
    assert (said["old_priority"], said["priority"]) == ("P2", "P1")
    assert "过敏" not in regraded.value.decode()
    kept = await intake.everything_stored("complaint_regradings")
    assert "li.na" in kept
    assert "过敏" not in kept


async def test_overruling_sent_twice_with_one_key_is_done_once(intake: Running) -> None:
    answer = await intake.received()
    path = f"/v1/complaints/{answer['id']}/classification"
    decided = {"severity": "critical", "why": "孩子过敏送医"}
    key = {"Idempotency-Key": "grade-1"}

    first = await intake.client.post(path, json=decided, headers=key)
    again = await intake.client.post(path, json=decided, headers=key)
    other = await intake.client.post(path, json=decided | {"severity": "minor"}, headers=key)

    assert first.json()["classification"]["severity"] == "critical"
    assert (again.status_code, again.content) == (200, first.content)
    assert other.status_code == 422
    assert len(await intake.events(answer["id"], count=2)) == 2


async def test_overruling_needs_a_reason_a_change_and_a_known_category(embedded: Running) -> None:
    path = f"/v1/complaints/{(await embedded.received())['id']}/classification"

    unreasoned = await embedded.post(path, {"severity": "major"})
    unchanged = await embedded.post(path, {"why": "x"})
    unknown = await embedded.post(path, {"category": "nonsense", "why": "x"})

    assert [r.status_code for r in (unreasoned, unchanged, unknown)] == [422] * 3
    assert unreasoned.json()["errors"][0]["pointer"] == "/why"
    assert unchanged.json()["errors"][0]["code"] == "nothing_to_change"
    assert unknown.json()["errors"][0]["code"] == "unknown_category"


@pytest.mark.parametrize("by", [{}, {"by": "staff"}])
async def test_an_objection_is_the_customers_alone(intake: Running, by: dict[str, str]) -> None:
    answer = await intake.received()
    path = f"/v1/complaints/{answer['id']}/additions"

    refused = await intake.post(path, {"text": "没有解决", "kind": "objection"} | by)
    taken = await intake.post(path, {"text": "没有解决", "kind": "objection", "by": "customer"})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/kind"
    assert taken.status_code == 201
