"""Aliyun, Tencent Cloud and Twilio: the requests that they document, and what their answers mean.

Signatures are recomputed here from the raw request by each vendor's documented steps, with no
code of the adapters, and the adapters' own signing is held against the vendors' examples.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import orjson
import pytest

from services.notification_service.gateways import aliyun, tencent
from services.notification_service.gateways.aliyun import AliyunAccount, AliyunSms
from services.notification_service.gateways.domain.approved import Approved
from services.notification_service.gateways.domain.port import (
    Gateway,
    GatewayError,
    NotAccepted,
    Refused,
    Uncertain,
)
from services.notification_service.gateways.tencent import TencentAccount, TencentSms
from services.notification_service.gateways.twilio import TwilioAccount, TwilioSms
from shared.kernel.clock import ManualClock
from tests.service.notification.gateways.badly_behaved import (
    MESSAGE,
    NOW,
    HttpServer,
    Request,
    sent,
)

APPROVED = Approved.model_validate(
    {
        "sign_name": "红杉商城",
        "templates": {
            "acknowledgement": {
                "zh-CN": {
                    "code": "SMS_1001",
                    "parameters": {
                        "1": "number",
                        "2": {"value": "due_at", "most": 8},
                        "3": "tracking_token",
                        "4": {"value": "name", "otherwise": "客户"},
                    },
                }
            }
        },
    }
)
FILLED = {"1": "7K3F-9Q2M-X", "2": "11月24日（…", "3": "a b~/é", "4": "客户"}


def aliyun_at(url: str) -> Gateway:
    account = AliyunAccount("LTAI-test", "ali-secret", url)
    return AliyunSms(account, APPROVED, clock=ManualClock(NOW))


def tencent_at(url: str) -> Gateway:
    account = TencentAccount("AKID-test", "qq-secret", "1400006666", "ap-guangzhou", url)
    return TencentSms(account, APPROVED, clock=ManualClock(NOW))


def twilio_at(url: str) -> Gateway:
    callback = "https://redress.example.com/v1/receipts/twilio"
    return TwilioSms(TwilioAccount("AC01", "token", "+15005550006", url, callback))


VENDORS = pytest.mark.parametrize(
    "vendor",
    [
        pytest.param(aliyun_at, id="aliyun"),
        pytest.param(tencent_at, id="tencent"),
        pytest.param(twilio_at, id="twilio"),
    ],
)
At = Callable[[str], Gateway]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def hmac256(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def check_acs3(request: Request, secret: str) -> None:
    """Verify by https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature."""
    scheme, _, rest = request.headers["authorization"].partition(" ")
    parts = dict(part.split("=", 1) for part in rest.split(","))
    signed = parts["SignedHeaders"].split(";")
    pairs = sorted((quote(k, safe="~"), quote(v, safe="~")) for k, v in request.query.items())
    canonical = "\n".join(
        [
            request.method,
            request.path,
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{request.headers[name]}" for name in signed),
            "",
            parts["SignedHeaders"],
            sha256(request.body),
        ]
    )
    expected = hmac256(secret.encode(), f"ACS3-HMAC-SHA256\n{sha256(canonical.encode())}").hex()
    assert scheme == "ACS3-HMAC-SHA256"
    assert {"host", "x-acs-action", "x-acs-date", "x-acs-version"} <= set(signed)
    assert signed == sorted(signed)
    assert request.headers["x-acs-content-sha256"] == sha256(request.body)
    assert parts["Credential"] == "LTAI-test"
    assert parts["Signature"] == expected


def check_tc3(request: Request, secret: str) -> None:
    """Verify by https://cloud.tencent.com/document/api/382/52072."""
    scheme, _, rest = request.headers["authorization"].partition(" ")
    parts = dict(part.split("=", 1) for part in rest.split(", "))
    timestamp = request.headers["x-tc-timestamp"]
    day = datetime.fromtimestamp(int(timestamp), UTC).strftime("%Y-%m-%d")
    names = parts["SignedHeaders"].split(";")
    headers = "".join(f"{name}:{request.headers[name].lower()}\n" for name in names)
    canonical = f"POST\n/\n\n{headers}\n{parts['SignedHeaders']}\n{sha256(request.body)}"
    scope = f"{day}/sms/tc3_request"
    key = hmac256(hmac256(hmac256(f"TC3{secret}".encode(), day), "sms"), "tc3_request")
    to_sign = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{sha256(canonical.encode())}"
    assert scheme == "TC3-HMAC-SHA256"
    assert {"content-type", "host"} <= set(names)
    assert parts["Credential"] == f"AKID-test/{scope}"
    assert parts["Signature"] == hmac256(key, to_sign).hex()


async def test_aliyun_gets_a_signed_send_sms(server: HttpServer) -> None:
    server.says(200, {"Code": "OK", "Message": "OK", "BizId": "9006^0", "RequestId": "r"})

    assert await sent(aliyun_at(server.url)) == "9006^0"

    (request,) = server.requests
    check_acs3(request, "ali-secret")
    assert request.headers["x-acs-action"] == "SendSms"
    assert request.headers["x-acs-version"] == "2017-05-25"
    assert request.headers["x-acs-date"] == "2026-11-23T08:00:00Z"
    assert request.query | {"TemplateParam": ""} == {
        "PhoneNumbers": "13800138000",
        "SignName": "红杉商城",
        "TemplateCode": "SMS_1001",
        "TemplateParam": "",
        "OutId": "ref-1",
    }
    assert orjson.loads(request.query["TemplateParam"]) == FILLED


async def test_a_number_abroad_goes_to_aliyun_with_its_country(server: HttpServer) -> None:
    server.says(200, {"Code": "OK", "BizId": "1^0"})

    await sent(aliyun_at(server.url), replace(MESSAGE, address="+85261234567"))

    assert server.requests[0].query["PhoneNumbers"] == "85261234567"


async def test_tencent_gets_a_signed_send_sms(server: HttpServer) -> None:
    status = {"Code": "Ok", "SerialNo": "5000:1045", "SessionContext": "ref-1"}
    server.says(200, {"Response": {"SendStatusSet": [status], "RequestId": "r"}})

    assert await sent(tencent_at(server.url)) == "5000:1045"

    (request,) = server.requests
    check_tc3(request, "qq-secret")
    assert request.headers["x-tc-action"] == "SendSms"
    assert request.headers["x-tc-version"] == "2021-01-11"
    assert request.headers["x-tc-region"] == "ap-guangzhou"
    assert orjson.loads(request.body) == {
        "PhoneNumberSet": ["+8613800138000"],
        "SmsSdkAppId": "1400006666",
        "SignName": "红杉商城",
        "TemplateId": "SMS_1001",
        "TemplateParamSet": list(FILLED.values()),
        "SessionContext": "ref-1",
    }


async def test_twilio_gets_the_text_and_where_to_send_receipts(server: HttpServer) -> None:
    server.says(201, {"sid": "SM77", "status": "queued"})

    assert await sent(twilio_at(server.url)) == "SM77"

    (request,) = server.requests
    assert request.path == "/2010-04-01/Accounts/AC01/Messages.json"
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"AC01:token").decode()
    assert request.form == {
        "To": "+8613800138000",
        "From": "+15005550006",
        "Body": "您的投诉我们收到了。",
        "StatusCallback": "https://redress.example.com/v1/receipts/twilio?reference=ref-1",
    }


async def test_a_messaging_service_of_twilio_is_named_as_such(server: HttpServer) -> None:
    server.says(201, {"sid": "SM77"})

    await sent(TwilioSms(TwilioAccount("AC01", "token", "MG05", server.url)))

    assert "From" not in server.requests[0].form
    assert server.requests[0].form["MessagingServiceSid"] == "MG05"
    assert "StatusCallback" not in server.requests[0].form


def test_aliyuns_signature_is_that_of_its_example() -> None:
    query = {
        "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
        "RegionId": "cn-shanghai",
    }
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": sha256(b""),
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }

    found = aliyun.sign("YourAccessKeySecret", query, headers)

    assert found == "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"


def test_tencents_signature_is_that_of_its_example() -> None:
    headers = {
        "content-type": "application/json; charset=utf-8",
        "host": "cvm.tencentcloudapi.com",
    }
    body = (
        rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    )
    now = datetime.fromtimestamp(1551113065, UTC)

    found = tencent.sign("Gu5t9xGARNpq86cd98joQYCN3*******", "cvm", headers, body, now)

    assert found == "2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c"


def ali(code: str) -> object:
    return {"Code": code, "Message": "13800138000", "RequestId": "r"}


def qq(code: str) -> object:
    status = {"Code": code, "SerialNo": "", "Message": "13800138000"}
    return {"Response": {"SendStatusSet": [status], "RequestId": "r"}}


def qq_error(code: str) -> object:
    error = {"Code": code, "Message": "13800138000"}
    return {"Response": {"Error": error, "RequestId": "r"}}


def tw(code: int) -> object:
    return {"code": code, "message": "'To' number 13800138000", "status": 400}


@pytest.mark.parametrize(
    ("vendor", "status", "answer", "expected"),
    [
        (aliyun_at, 200, ali("isv.MOBILE_NUMBER_ILLEGAL"), Refused),
        (aliyun_at, 200, ali("isv.BLACK_KEY_CONTROL_LIMIT"), Refused),
        (aliyun_at, 200, ali("isv.PARAM_NOT_SUPPORT_URL"), Refused),
        (aliyun_at, 200, ali("isv.BUSINESS_LIMIT_CONTROL"), NotAccepted),
        (aliyun_at, 200, ali("isv.AMOUNT_NOT_ENOUGH"), NotAccepted),
        (aliyun_at, 200, ali("isv.SMS_TEMPLATE_ILLEGAL"), NotAccepted),
        (aliyun_at, 200, ali("isp.SYSTEM_ERROR"), NotAccepted),
        (aliyun_at, 400, ali("SignatureDoesNotMatch"), NotAccepted),
        (aliyun_at, 400, ali("Throttling.User"), NotAccepted),
        (aliyun_at, 503, ali("ServiceUnavailable"), NotAccepted),
        (aliyun_at, 500, ali("InternalError"), Uncertain),
        (aliyun_at, 500, ali("Never.Heard.Of"), Uncertain),
        (aliyun_at, 200, {"Code": "OK"}, Uncertain),
        (tencent_at, 200, qq("InvalidParameterValue.IncorrectPhoneNumber"), Refused),
        (tencent_at, 200, qq("FailedOperation.PhoneNumberInBlacklist"), Refused),
        (tencent_at, 200, qq("LimitExceeded.PhoneNumberDailyLimit"), NotAccepted),
        (tencent_at, 200, qq("FailedOperation.InsufficientBalanceInSmsPackage"), NotAccepted),
        (tencent_at, 200, qq("InternalError.SendAndRecvFail"), Uncertain),
        (tencent_at, 200, qq_error("AuthFailure.SignatureFailure"), NotAccepted),
        (tencent_at, 200, qq_error("RequestLimitExceeded"), NotAccepted),
        (tencent_at, 200, qq_error("InternalError"), Uncertain),
        (tencent_at, 200, {"Response": {"SendStatusSet": []}}, Uncertain),
        (twilio_at, 400, tw(21211), Refused),
        (twilio_at, 400, tw(21610), Refused),
        (twilio_at, 400, tw(21606), NotAccepted),
        (twilio_at, 401, tw(20003), NotAccepted),
        (twilio_at, 429, tw(20429), NotAccepted),
        (twilio_at, 503, tw(20503), NotAccepted),
        (twilio_at, 500, tw(20500), Uncertain),
        (twilio_at, 201, {"status": "queued"}, Uncertain),
    ],
)
async def test_a_vendors_code_tells_whether_it_took_the_message(
    server: HttpServer, vendor: At, status: int, answer: object, expected: type[GatewayError]
) -> None:
    server.says(status, answer)

    failure = await sent(vendor(server.url))

    assert type(failure) is expected
    # Vendors repeat the number in their words, and reasons stand in events.
    assert "13800138000" not in str(failure)


@VENDORS
@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (200, b"<html>", Uncertain),
        (200, b"", Uncertain),
        (200, b"[1]", Uncertain),
        (500, b"oops", Uncertain),
        (502, b"", Uncertain),
        (503, b"", NotAccepted),
        (403, b"<html>blocked</html>", NotAccepted),
    ],
)
async def test_an_answer_that_cannot_be_read_is_never_an_acceptance(
    server: HttpServer, vendor: At, status: int, answer: bytes, expected: type[GatewayError]
) -> None:
    server.status, server.answer = status, answer

    assert type(await sent(vendor(server.url))) is expected


@VENDORS
@pytest.mark.usefixtures("impatient")
async def test_a_timeout_after_the_request_is_uncertain(server: HttpServer, vendor: At) -> None:
    server.hangs = True

    assert type(await sent(vendor(server.url))) is Uncertain
    assert len(server.requests) == 1


@VENDORS
async def test_a_vendor_that_hangs_up_after_the_request_is_uncertain(
    server: HttpServer, vendor: At
) -> None:
    server.drops = True

    assert type(await sent(vendor(server.url))) is Uncertain


@VENDORS
async def test_a_vendor_that_is_away_took_nothing(vendor: At) -> None:
    assert type(await sent(vendor("http://127.0.0.1:1"))) is NotAccepted


@VENDORS
async def test_no_vendor_deduplicates_by_our_reference(vendor: At) -> None:
    assert vendor("http://127.0.0.1:1").repeatable is False


@pytest.mark.parametrize("vendor", [aliyun_at, tencent_at])
async def test_a_kind_without_an_approved_wording_is_refused_by_name(
    server: HttpServer, vendor: At
) -> None:
    failure = await sent(vendor(server.url), replace(MESSAGE, kind="proposal"))

    assert isinstance(failure, Refused)
    assert failure.reason == "no approved SMS template for proposal in zh-CN"
    assert server.requests == []


@pytest.mark.parametrize("vendor", [aliyun_at, tencent_at])
async def test_a_wording_that_the_message_cannot_fill_is_refused_by_name(
    server: HttpServer, vendor: At
) -> None:
    failure = await sent(vendor(server.url), replace(MESSAGE, values={"number": "7K3F"}))

    assert isinstance(failure, Refused)
    assert "SMS_1001 for acknowledgement needs due_at, tracking_token" in failure.reason
