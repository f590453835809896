"""A new case is acknowledged once, in the customer's words and language."""

from __future__ import annotations

from tests.service.notification.conftest import Notification, opened, received


async def test_a_new_case_puts_a_readable_acknowledgement_into_the_outbox(
    notification: Notification,
) -> None:
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")

    await notification.hear(complaint, opened(complaint))
    await notification.deliver()

    (file,) = notification.files()
    text = file.read_text(encoding="utf-8")
    assert complaint.number in file.name
    assert "acknowledgement-1_sms" in file.name
    assert text.startswith("To: +8613800138000\n\n")
    assert "周三收到的订单少了两件" in text
    assert "11月24日（周二）10:00" in text
    assert "http://127.0.0.1:8000/track/abc" in text
