"""SMS by Tencent Cloud: SendSms of 2021-01-11, signed by TC3-HMAC-SHA256."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import orjson

from services.notification_service.gateways.domain.approved import Approved
from services.notification_service.gateways.domain.judging import Codes, judge_unreadable
from services.notification_service.gateways.domain.port import Outgoing
from services.notification_service.gateways.wire import Answer, Wire
from shared.kernel.clock import Clock

_ALGORITHM = "TC3-HMAC-SHA256"
_CONTENT_TYPE = "application/json; charset=utf-8"
# https://cloud.tencent.com/document/product/382/49316
_CODES = Codes(
    refused=frozenset(
        {
            "InvalidParameterValue.IncorrectPhoneNumber",
            "InvalidParameterValue.ContentLengthLimit",
            "InvalidParameterValue.TemplateParameterFormatError",
            "InvalidParameterValue.TemplateParameterLengthLimit",
            "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter",
            "FailedOperation.PhoneNumberInBlacklist",
            "FailedOperation.ContainSensitiveWord",
            "FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
            "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone",
            "UnsupportedOperation.GlobalTemplateToChineseMainlandPhone",
        }
    ),
    # "Timed out while sending and receiving" and errors that Tencent itself cannot name.
    uncertain=frozenset(
        {
            "InternalError",
            "InternalError.Timeout",
            "InternalError.SendAndRecvFail",
            "InternalError.OtherError",
            "InternalError.UnknownError",
        }
    ),
)


@dataclass(frozen=True, slots=True)
class TencentAccount:
    """Who we are to Tencent Cloud; `endpoint` is `https://sms.tencentcloudapi.com`."""

    secret_id: str
    secret_key: str
    app_id: str
    region: str
    endpoint: str


class TencentSms:
    """Sends by approved wording, our reference as `SessionContext`.

    Not repeatable: `SessionContext` is only handed back, it does not deduplicate.
    """

    repeatable = False

    def __init__(self, account: TencentAccount, approved: Approved, *, clock: Clock) -> None:
        self._account = account
        self._approved = approved
        self._clock = clock
        self._wire = Wire("Tencent SMS")

    async def send(self, message: Outgoing) -> str | None:
        """Hand over one SMS and return Tencent's SerialNo; raises a GatewayError."""
        filled = self._approved.fill(message)
        body = orjson.dumps(
            {
                "PhoneNumberSet": [message.address],
                "SmsSdkAppId": self._account.app_id,
                "SignName": filled.sign_name,
                "TemplateId": filled.code,
                "TemplateParamSet": list(filled.parameters.values()),
                "SessionContext": message.reference,
            }
        )
        headers = self._headers(body)
        answer = await self._wire.post(self._account.endpoint, body=body, headers=headers)
        return _judged(answer)

    async def close(self) -> None:
        """Close the connections that are not in use."""
        await self._wire.close()

    def _headers(self, body: bytes) -> dict[str, str]:
        signed = {
            "content-type": _CONTENT_TYPE,
            "host": urlsplit(self._account.endpoint).netloc,
            "x-tc-action": "SendSms",
        }
        now = self._clock.now()
        signature = sign(self._account.secret_key, "sms", signed, body, now)
        scope = f"{now.astimezone(UTC):%Y-%m-%d}/sms/tc3_request"
        credential = f"Credential={self._account.secret_id}/{scope}"
        names = ";".join(sorted(signed))
        return signed | {
            "Authorization": (
                f"{_ALGORITHM} {credential}, SignedHeaders={names}, Signature={signature}"
            ),
            "X-TC-Timestamp": str(int(now.timestamp())),
            "X-TC-Version": "2021-01-11",
            "X-TC-Region": self._account.region,
        }


def sign(
    secret_key: str, service: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> str:
    """Return the signature of a POST to `/`, all `headers` being signed with lower-case values."""
    names = sorted(headers)
    lines = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in names)
    digest = hashlib.sha256(body).hexdigest()
    request = "\n".join(("POST", "/", "", lines, ";".join(names), digest))
    day = now.astimezone(UTC).strftime("%Y-%m-%d")
    scope = f"{day}/{service}/tc3_request"
    hashed = hashlib.sha256(request.encode()).hexdigest()
    to_sign = "\n".join((_ALGORITHM, str(int(now.timestamp())), scope, hashed))
    key = f"TC3{secret_key}".encode()
    for part in (day, service, "tc3_request"):
        key = _hmac(key, part)
    return _hmac(key, to_sign).hex()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _judged(answer: Answer) -> str:
    """Return the SerialNo, or raise what the answer means: for the request or for the number."""
    response = answer.said.get("Response")
    inner = response if isinstance(response, dict) else {}
    statuses = inner.get("SendStatusSet")
    one = statuses[0] if isinstance(statuses, list) and statuses else inner.get("Error")
    found = Answer(answer.status, one if isinstance(one, dict) else {})
    code, serial = found.text("Code"), found.text("SerialNo")
    if code == "Ok" and serial is not None:
        return serial
    if code is None or code == "Ok":
        said = f"Tencent SMS answered {answer.status} without a code and a SerialNo"
        raise judge_unreadable(answer.status, said)
    raise _CODES.judge(code, f"Tencent SMS answered {code}", status=answer.status)
