"""Receipts: believed only from who they are from, had once, never lost, and followed up."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlencode

import httpx
import orjson
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from services.notification_service.gateways.domain.port import Uncertain
from services.notification_service.messages.models import complaints
from services.notification_service.messages.repository.standing import told_lately
from services.notification_service.receipts.domain.signing import twilio_signature
from shared.http.access import Role
from tests.service.notification.conftest import START, Notification
from tests.service.notification.desk import PUBLIC, SECRET, TOKEN, TWILIO_TOKEN, Desk
from tests.service.notification.test_sending import said


@pytest.fixture
async def desk(notification: Notification, tmp_path: Path) -> AsyncIterator[Desk]:
    found = Desk.set_up(notification, tmp_path)
    yield found
    await found.http.aclose()


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


async def test_tencents_receipt_is_taken_and_answered_as_it_wants(desk: Desk) -> None:
    desk.use("tencent")
    complaint = await desk.acknowledge()
    report = {
        "user_receive_time": "2026-11-23 10:00:05",
        "nationcode": "86",
        "mobile": "13800138000",
        "report_status": "SUCCESS",
        "errmsg": "DELIVRD",
        "description": "用户短信送达成功",
        "sid": "biz-1",
    }

    answer = await desk.http.post(f"/v1/receipts/tencent/{TOKEN}", json=[report])
    await desk.desk.apply()

    assert (answer.status_code, answer.json()) == (200, {"result": 0, "errmsg": "OK"})
    assert await desk.standing(complaint) == ("delivered", "sms", None)


def twilio_form(**changes: str) -> dict[str, str]:
    return {"MessageSid": "biz-1", "MessageStatus": "delivered", "To": "+8613800138000"} | changes


async def post_twilio(
    desk: Desk, form: dict[str, str], *, query: str = "", signature: str | None = None
) -> httpx.Response:
    """Post as Twilio does, its signature worked out here by its documented steps."""
    url = f"{PUBLIC}/v1/receipts/twilio{query}"
    text = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(TWILIO_TOKEN.encode(), text.encode(), hashlib.sha1).digest()
    headers = {
        "X-Twilio-Signature": signature or base64.b64encode(digest).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return await desk.http.post(
        f"/v1/receipts/twilio{query}", content=urlencode(form), headers=headers
    )


async def test_twilios_signed_callback_is_taken(desk: Desk) -> None:
    desk.use("twilio")
    complaint = await desk.acknowledge()
    message = await desk.message(complaint)

    on_the_way = await post_twilio(desk, twilio_form(MessageStatus="sent"))
    assert on_the_way.status_code == 204
    assert await desk.desk.apply() == 0
    final = await post_twilio(desk, twilio_form(), query=f"?reference={message['id']}")
    await desk.desk.apply()

    assert final.status_code == 204
    assert await desk.standing(complaint) == ("delivered", "sms", None)


def test_twilios_signature_is_that_of_its_example() -> None:
    form = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]

    found = twilio_signature("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form)

    assert found == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def http_headers(body: bytes, *, age: timedelta = timedelta()) -> dict[str, str]:
    timestamp = str(int((START - age).timestamp()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.new(key, f"evt-1.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": "evt-1",
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,AAAA v1,{base64.b64encode(digest).decode()}",
        "content-type": "application/json",
    }


async def post_http(desk: Desk, report: object, *, age: timedelta = timedelta()) -> httpx.Response:
    body = orjson.dumps(report)
    return await desk.http.post(
        "/v1/receipts/http", content=body, headers=http_headers(body, age=age)
    )


async def test_a_generic_gateways_signed_receipt_names_our_reference(desk: Desk) -> None:
    desk.use("http")
    complaint = await desk.acknowledge()
    message = await desk.message(complaint)
    report = {"reference": message["id"], "state": "undelivered", "code": "absent"}

    first = await post_http(desk, report)
    again = await post_http(desk, report)
    await desk.desk.apply()

    assert (first.json(), again.json()) == ({"new": 1}, {"new": 0})
    assert await desk.standing(complaint) == ("queued", None, "undelivered: http absent")


async def test_a_forged_receipt_is_refused_logged_and_has_no_effect(desk: Desk) -> None:
    complaint = await desk.acknowledge()
    body = orjson.dumps({"reference": "x", "state": "delivered"})

    with capture_logs() as logged:
        answers = [
            await desk.http.post("/v1/receipts/aliyun/guessed-token", json=[]),
            await desk.http.post("/v1/receipts/tencent/guessed-token", json=[]),
            await desk.http.post("/v1/receipts/mail/guessed-token", content=b""),
            await post_twilio(desk, twilio_form(), signature="RSOYDt4T1cUTdK1PDd93/VVr8B8="),
            await desk.http.post("/v1/receipts/twilio", content=urlencode(twilio_form())),
            await desk.http.post("/v1/receipts/http", content=body),
            await desk.http.post("/v1/receipts/http", content=body, headers=http_headers(b"{}")),
            await post_http(desk, {"reference": "x", "state": "delivered"}, age=timedelta(hours=1)),
        ]

    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    vendors = [line["vendor"] for line in logged if line["event"] == "receipt.forged"]
    assert vendors == ["aliyun", "tencent", "mail", "twilio", "twilio", "http", "http", "http"]
    assert "guessed-token" not in str(logged)
    assert await desk.desk.apply() == 0
    assert await desk.standing(complaint) == ("sent", "sms", None)


async def test_receipts_by_token_may_be_bound_to_networks(
    notification: Notification, tmp_path: Path
) -> None:
    # The test's client is 127.0.0.1 to the app.
    elsewhere = Desk.set_up(notification, tmp_path, [ip_network("203.0.113.0/24")])
    here = Desk.set_up(notification, tmp_path, [ip_network("127.0.0.0/8")])

    assert (await elsewhere.aliyun()).status_code == 403
    assert (await here.aliyun()).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        (f"/v1/receipts/aliyun/{TOKEN}", b"nonsense", "/"),
        (f"/v1/receipts/aliyun/{TOKEN}", b'[{"success": true}]', "/0/biz_id"),
        (f"/v1/receipts/aliyun/{TOKEN}", b'[{"biz_id": "1", "success": "perhaps"}]', "/0/success"),
        (f"/v1/receipts/tencent/{TOKEN}", b'[{"sid": "1", "report_status": "?"}]', None),
        (f"/v1/receipts/mail/{TOKEN}", b"Subject: hello\r\n\r\nnot a bounce", ""),
    ],
)
async def test_what_is_no_receipt_is_told_with_its_field(
    desk: Desk, path: str, body: bytes, pointer: str | None
) -> None:
    answer = await desk.http.post(path, content=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    if pointer is not None:
        assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_generic_report_without_a_message_is_refused(desk: Desk) -> None:
    answer = await post_http(desk, {"state": "delivered"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/reference"


def bounce(message_id: str, *, action: str = "failed", returned: str = "message/rfc822") -> bytes:
    lines: Sequence[str] = [
        "From: MAILER-DAEMON@mail.example.net",
        "To: service@example.com",
        "Subject: Undelivered Mail Returned to Sender",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"',
        "",
        "--b1",
        "Content-Type: text/plain; charset=utf-8",
        "",
        "I could not deliver your mail to <wang@example.com>.",
        "",
        "--b1",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mail.example.net",
        "",
        "Final-Recipient: rfc822; wang@example.com",
        f"Action: {action}",
        "Status: 5.1.1 (bad mailbox)",
        "Diagnostic-Code: smtp; 550 5.1.1 <wang@example.com>: user unknown",
        "",
        "--b1",
        f"Content-Type: {returned}",
        "",
        "From: Redress <service@example.com>",
        "To: wang@example.com",
        f"Message-ID: <{message_id}@example.com>",
        "Subject: =?utf-8?b?5oqV6K+J?=",
        "",
        "...",
        "--b1--",
        "",
    ]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers"])
async def test_a_mail_that_comes_back_is_tied_to_its_message(desk: Desk, returned: str) -> None:
    complaint = await desk.acknowledge(phone="")
    message = await desk.message(complaint)
    assert message["channel"] == "email"

    answer = await desk.http.post(
        f"/v1/receipts/mail/{TOKEN}", content=bounce(str(message["id"]), returned=returned)
    )
    await desk.desk.apply()
    await desk.notification.deliver()

    assert answer.json() == {"new": 1}
    assert await desk.standing(complaint) == ("undelivered", "email", "undelivered: smtp 5.1.1")


async def test_a_mail_that_is_only_late_is_no_bad_news(desk: Desk) -> None:
    complaint = await desk.acknowledge(phone="")
    message = await desk.message(complaint)

    answer = await desk.http.post(
        f"/v1/receipts/mail/{TOKEN}", content=bounce(str(message["id"]), action="delayed")
    )

    assert answer.json() == {"new": 0}
    assert await desk.desk.apply() == 0


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
