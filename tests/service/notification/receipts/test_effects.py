"""Receipts: believed only from who they are from, had once, never lost, and followed up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from services.notification_service.gateways.domain.port import Uncertain
from services.notification_service.messages.models import complaints
from services.notification_service.messages.repository.standing import told_lately
from shared.http.access import Role
from tests.service.notification.receipts.desk import TOKEN, Desk
from tests.service.notification.test_sending import said


async def told(desk: Desk) -> list[tuple[str, int]]:
    return [(kind, sequence) for kind, sequence, _ in await said(desk.notification)]


async def test_a_receipt_makes_a_sent_message_delivered_and_says_so(desk: Desk) -> None:
    complaint = await desk.acknowledge()

    answer = await desk.aliyun()
    assert await desk.desk.apply() == 1

    assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "OK"})
    assert await desk.standing(complaint) == ("delivered", "sms", None)
    assert await told(desk) == [("NotificationSent", 1), ("NotificationDelivered", 2)]


async def test_what_was_delivered_counts_as_told(desk: Desk) -> None:
    await desk.acknowledge()
    await desk.aliyun()
    await desk.desk.apply()

    now = desk.notification.clock.now()
    async with desk.notification.database.read() as connection:
        customers = list(await connection.scalars(select(complaints.c.customer_id)))
        told = await told_lately(connection, customers, since=now - timedelta(hours=1), now=now)

    assert [len(times) for times in told.values()] == [1]


async def test_a_duplicate_receipt_is_ignored(desk: Desk) -> None:
    complaint = await desk.acknowledge()

    for _ in range(2):
        assert (await desk.aliyun()).status_code == 200
        await desk.desk.apply()
    assert (await desk.aliyun(success=False, err_code="LATE")).status_code == 200
    await desk.desk.apply()

    assert await desk.standing(complaint) == ("delivered", "sms", None)
    assert [kind for kind, _ in await told(desk)] == ["NotificationSent", "NotificationDelivered"]
    assert not desk.email.taken


async def test_an_undelivered_sms_goes_by_mail(desk: Desk) -> None:
    complaint = await desk.acknowledge()

    await desk.aliyun(success=False, err_code="MOBILE_OFF")
    await desk.desk.apply()
    assert await desk.standing(complaint) == ("queued", None, "undelivered: aliyun MOBILE_OFF")
    await desk.notification.deliver()

    assert await desk.standing(complaint) == ("sent", "email", None)
    assert len(desk.sms.taken) == len(desk.email.taken) == 1


async def test_without_another_channel_it_stays_undelivered_with_the_reason(desk: Desk) -> None:
    complaint = await desk.acknowledge(email="")

    await desk.aliyun(success=False, err_code="MOBILE_OFF")
    await desk.desk.apply()
    await desk.notification.deliver()

    assert await desk.standing(complaint) == (
        "undelivered",
        "sms",
        "undelivered: aliyun MOBILE_OFF",
    )
    assert (await told(desk))[-1] == ("NotificationFailed", 2)


async def test_a_receipt_that_comes_before_the_answer_is_written_waits_for_it(
    desk: Desk,
) -> None:
    assert (await desk.aliyun()).status_code == 200
    assert await desk.desk.apply() == 0

    complaint = await desk.acknowledge()
    assert await desk.desk.apply() == 1

    assert await desk.standing(complaint) == ("delivered", "sms", None)


async def test_a_receipt_while_its_message_is_in_a_senders_hands_waits(desk: Desk) -> None:
    complaint = await desk.acknowledge()
    await desk.aliyun(success=False)
    await desk.desk.apply()
    await desk.notification.sender.send_batch()  # being sent by mail, not settled yet

    late = await desk.http.post(
        f"/v1/receipts/aliyun/{TOKEN}", json=[{"biz_id": "biz-1", "success": True}]
    )
    assert late.status_code == 200
    assert await desk.desk.apply() == 0
    await desk.notification.sender.drain()
    await desk.notification.sender.settle_gathered()
    assert await desk.desk.apply() == 1

    assert (await desk.standing(complaint))[:2] == ("delivered", "sms")


async def test_our_reference_in_a_receipt_settles_a_message_whose_answer_was_lost(
    desk: Desk,
) -> None:
    desk.sms.answers.append(Uncertain("no answer"))
    complaint = await desk.acknowledge()
    message = await desk.message(complaint)
    assert message["state"] == "unknown"

    await desk.aliyun(out_id=message["id"])
    await desk.desk.apply()

    assert await desk.standing(complaint) == ("delivered", "sms", None)
    assert await told(desk) == [("NotificationSent", 1), ("NotificationDelivered", 2)]
    assert not desk.email.taken
    assert (await desk.message(complaint))["sent_at"] == "2026-11-23T02:00:05Z"


async def test_a_receipt_that_does_not_come_in_time_is_bad_news(desk: Desk) -> None:
    desk.use("aliyun", receipts_after=timedelta(minutes=10))
    complaint = await desk.acknowledge()
    desk.notification.clock.advance(timedelta(minutes=9))
    assert await desk.desk.give_up_waiting() == 0

    desk.notification.clock.advance(timedelta(minutes=1))
    assert await desk.desk.give_up_waiting() == 1
    assert await desk.desk.give_up_waiting() == 0
    await desk.notification.deliver()

    assert await desk.standing(complaint) == ("sent", "email", None)


async def test_a_receipt_in_time_lets_nothing_go_by_mail(desk: Desk) -> None:
    desk.use("aliyun", receipts_after=timedelta(minutes=10))
    complaint = await desk.acknowledge()

    await desk.aliyun()
    await desk.desk.apply()
    desk.notification.clock.advance(timedelta(hours=1))
    assert await desk.desk.give_up_waiting() == 0
    await desk.notification.deliver()

    assert await desk.standing(complaint) == ("delivered", "sms", None)


async def test_a_receipt_that_comes_after_all_stops_what_is_queued(desk: Desk) -> None:
    desk.use("aliyun", receipts_after=timedelta(minutes=10))
    complaint = await desk.acknowledge()
    desk.notification.clock.advance(timedelta(minutes=10))
    await desk.desk.give_up_waiting()

    await desk.aliyun()
    await desk.desk.apply()
    await desk.notification.deliver()

    assert await desk.standing(complaint) == ("delivered", "sms", None)
    assert not desk.email.taken


async def test_an_operator_decides_about_an_unknown_message(desk: Desk) -> None:
    desk.sms.answers += [Uncertain("no answer"), Uncertain("no answer")]
    first, second = await desk.acknowledge(), await desk.acknowledge()
    unknown = await desk.http.get("/v1/notifications", params={"state": "unknown"})
    assert {item["complaint_id"] for item in unknown.json()["items"]} == {first, second}
    one, other = await desk.message(first), await desk.message(second)

    resent = await desk.http.post(f"/v1/notifications/{one['id']}/resend")
    marked = await desk.http.post(f"/v1/notifications/{other['id']}/mark-sent")
    await desk.notification.deliver()

    assert (resent.status_code, resent.json()["state"]) == (200, "queued")
    assert (marked.status_code, marked.json()["state"]) == (200, "sent")
    assert await desk.standing(first) == ("sent", "sms", None)
    assert await desk.standing(second) == ("sent", "sms", None)
    assert [message.reference for message in desk.sms.taken] == [one["id"]]
    assert {kind for kind, _ in await told(desk)} == {"NotificationSent"}


async def test_deciding_is_for_operators_alone(desk: Desk) -> None:
    desk.sms.answers.append(Uncertain("no answer"))
    message = await desk.message(await desk.acknowledge())
    agent = desk.keys.create(role=Role.AGENT, name="agent")
    quality = desk.keys.create(role=Role.QUALITY, name="quality")
    path = f"/v1/notifications/{message['id']}/resend"

    refused = await desk.http.post(path, headers={"Authorization": f"Bearer {agent}"})
    allowed = await desk.http.post(path, headers={"Authorization": f"Bearer {quality}"})

    assert (refused.status_code, allowed.status_code) == (403, 200)


@pytest.mark.parametrize("action", ["resend", "mark-sent"])
async def test_a_message_that_was_sent_is_no_operators_to_decide(desk: Desk, action: str) -> None:
    complaint = await desk.acknowledge()
    message = await desk.message(complaint)

    answer = await desk.http.post(f"/v1/notifications/{message['id']}/{action}")
    nobody = await desk.http.post(f"/v1/notifications/none/{action}")

    assert (answer.status_code, nobody.status_code) == (409, 404)
    assert "unknown" in answer.json()["detail"]
    assert len(desk.sms.taken) == 1


async def test_a_receipt_of_a_stranger_is_looked_for_three_days(desk: Desk) -> None:
    await desk.aliyun(biz_id="of-another-shop")
    assert await desk.desk.work() == 0

    desk.notification.clock.advance(timedelta(days=3, seconds=1))
    with capture_logs() as logged:
        assert await desk.desk.work() == 1
        assert await desk.desk.work() == 0

    assert [line["event"] for line in logged] == ["receipt.stranger"]


async def test_the_loop_does_all_of_it(desk: Desk) -> None:
    desk.use("aliyun", receipts_after=timedelta(minutes=10))
    first, second = await desk.acknowledge(), await desk.acknowledge()
    await desk.aliyun()
    assert await desk.desk.work() == 1

    desk.notification.clock.advance(timedelta(minutes=10))
    assert await desk.desk.work() == 1
    assert await desk.desk.work() == 0

    assert (await desk.standing(first))[0] == "delivered"
    assert (await desk.standing(second))[0] == "queued"


async def test_the_outbox_shows_what_became_of_messages_in_both_languages(desk: Desk) -> None:
    desk.use("aliyun", receipts_after=timedelta(minutes=10))
    for complaint, contact in ((1, {}), (2, {"email": ""}), (3, {"email": ""})):
        await desk.acknowledge(**contact)
        if complaint != 3:
            await desk.aliyun(biz_id=f"biz-{complaint}", success=complaint == 1)
    await desk.desk.work()
    desk.notification.clock.advance(timedelta(minutes=10))
    await desk.desk.work()
    await desk.notification.deliver()

    chinese = await desk.http.get("/outbox", headers={"Accept-Language": "zh-CN"})
    english = await desk.http.get("/outbox", headers={"Accept-Language": "en"})

    assert (chinese.status_code, english.status_code) == (200, 200)
    assert "未送达" in chinese.text
    assert "没有按时收到回执" in chinese.text
    assert "not delivered" in english.text
    assert "no receipt came in time" in english.text
    listed = (await desk.http.get("/v1/notifications")).json()["items"]
    assert {item["state"] for item in listed} == {"delivered", "undelivered"}
    for item in listed:
        shown = await desk.http.get("/outbox", params={"message": item["id"]})
        assert shown.status_code == 200
