"""Receipts over HTTP: each vendor's form and signature, and no forged one."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlencode

import httpx
import orjson
import pytest
from structlog.testing import capture_logs

from services.notification_service.receipts.domain.signing import (
    twilio_addresses,
    twilio_signature,
)
from tests.service.notification.conftest import START, Notification
from tests.service.notification.receipts.desk import PUBLIC, SECRET, TOKEN, TWILIO_TOKEN, Desk


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
    desk: Desk,
    form: dict[str, str],
    *,
    query: str = "",
    signature: str | None = None,
    site: str = PUBLIC,
) -> httpx.Response:
    """Post as Twilio does, its signature worked out here by its documented steps."""
    url = f"{site}/v1/receipts/twilio{query}"
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


@pytest.mark.parametrize(
    ("vendor", "report"),
    [
        ("aliyun", {"biz_id": "biz-1", "success": True, "out_id": None, "err_code": None}),
        ("aliyun", {"biz_id": "biz-1", "success": True, "report_time": "0001-01-01 00:00:00"}),
        ("tencent", {"sid": "biz-1", "report_status": "SUCCESS", "errmsg": None}),
        ("tencent", {"sid": "biz-1", "report_status": "SUCCESS", "user_receive_time": None}),
    ],
)
async def test_what_a_vendor_leaves_empty_or_dates_oddly_loses_no_receipt(
    desk: Desk, vendor: str, report: dict[str, object]
) -> None:
    desk.use(vendor)
    complaint = await desk.acknowledge()

    answer = await desk.http.post(f"/v1/receipts/{vendor}/{TOKEN}", json=[report])
    await desk.desk.apply()

    assert answer.status_code == 200
    assert await desk.standing(complaint) == ("delivered", "sms", None)


@pytest.mark.parametrize("at", [None, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
async def test_a_generic_report_at_a_time_that_cannot_be_kept_is_taken(
    desk: Desk, at: str | None
) -> None:
    answer = await post_http(desk, {"reference": "r", "state": "delivered", "code": None, "at": at})

    assert (answer.status_code, answer.json()) == (200, {"new": 1})


def test_an_address_with_a_port_that_is_none_is_signed_as_it_is() -> None:
    assert twilio_addresses("https://x:99999/a?b=c") == ("https://x:99999/a?b=c",)
    assert set(twilio_addresses("http://x/a?b=c")) == {"http://x/a?b=c", "http://x:80/a?b=c"}


async def test_twilio_may_sign_the_address_with_its_port(desk: Desk) -> None:
    scheme, _, host = PUBLIC.partition("://")
    port = 443 if scheme == "https" else 80

    taken = await post_twilio(desk, twilio_form(), site=f"{scheme}://{host}:{port}")
    other = await post_twilio(desk, twilio_form(), site=f"{scheme}://{host}:8443")

    assert (taken.status_code, other.status_code) == (204, 403)


@pytest.mark.parametrize(
    ("sid", "query"),
    [("S" * 300, ""), ("S\0", ""), ("S", f"?reference={'r' * 300}")],
    ids=["long", "nul", "reference"],
)
async def test_a_callback_with_names_that_twilio_never_gives_is_refused(
    desk: Desk, sid: str, query: str
) -> None:
    answer = await post_twilio(desk, twilio_form(MessageSid=sid), query=query)

    assert answer.status_code == 422
