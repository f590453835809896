"""Webhooks in trouble, beside messages and beside each other, in the whole service."""

from __future__ import annotations

import pytest

from shared.bus.port import Record
from shared.events import topics
from shared.kernel.ids import new_id
from tests.service.notification.running import Running, eventually, neighbours, running
from tests.service.notification.webhooks.kit import Receiver, event, hanging

__all__ = ["neighbours", "running"]


@pytest.fixture(autouse=True)
def _loopback_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRESS_WEBHOOK_ALLOWED_NETWORKS", "127.0.0.0/8")


async def test_endpoints_that_hang_hold_up_neither_messages_nor_another_endpoint(
    running: Running,
) -> None:
    async with Receiver(hanging).listening() as stuck, Receiver().listening() as crm:
        for receiver in (stuck, stuck, stuck, crm):
            made = await running.http.post("/v1/webhooks", json={"url": receiver.url})
            assert made.status_code == 201, made.text

        complaint = await running.acknowledge(phone="+8613800138000")

        async def knows() -> bool:
            kinds = {one.event["type"] for one in crm.received if one.what[0] == complaint}
            return {"ComplaintReceived", "CaseOpened", "NotificationSent"} <= kinds

        await eventually(knows)
        assert 0 < stuck.most_under_way <= 3 * 8


async def test_an_event_that_no_message_can_be_made_of_goes_to_webhooks_all_the_same(
    running: Running,
) -> None:
    async with Receiver().listening() as crm:
        await running.http.post("/v1/webhooks", json={"url": crm.url})
        subject = new_id()
        odd = event(subject, 1, "CaseOpened", complaint_id=subject)  # parks its complaint
        producer = await running.bus.producer()

        await producer.publish([odd, Record(topics.COMPLAINTS, "x", b"{}", ())])

        async def knows() -> bool:
            return crm.whats == [(subject, 1)]

        await eventually(knows)
        letters = (await running.http.get("/v1/internal/notification/dead-letters")).json()
        assert subject in str(letters)
