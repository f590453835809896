"""`POST /v1/complaints`."""

from __future__ import annotations

import asyncio

import orjson

from tests.service.intake.conftest import EXAMPLE, Running


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
    assert answer["classification"]["reasons"]
    assert answer["tracking_url"].startswith("http://127.0.0.1:8000/track/")
    await intake.events(answer["id"], count=1)
