"""SMS by Aliyun: SendSms of 2017-05-25, signed by V3 (ACS3-HMAC-SHA256)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import orjson

from services.notification_service.gateways.domain.approved import Approved
from services.notification_service.gateways.domain.judging import Codes, judge_unreadable
from services.notification_service.gateways.domain.port import Outgoing
from services.notification_service.gateways.wire import Wire
from shared.kernel.clock import Clock

_ALGORITHM = "ACS3-HMAC-SHA256"
# https://help.aliyun.com/zh/sms/developer-reference/api-error-codes
_CODES = Codes(
    refused=frozenset(
        {
            "isv.MOBILE_NUMBER_ILLEGAL",
            "isv.PHONE_NUMBER_ILLEGAL",
            "isv.MOBILE_COUNT_OVER_LIMIT",
            "isv.BLACK_KEY_CONTROL_LIMIT",
            "isv.PARAM_NOT_SUPPORT_URL",
            "isv.PARAM_LENGTH_LIMIT",
            "isv.TEMPLATE_PARAMS_ILLEGAL",
            "isv.TEMPLATE_MISSING_PARAMETERS",
            "isv.INVALID_JSON_PARAM",
            "isv.SMS_CONTENT_ILLEGAL",
            "isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE",
            "isv.DOMESTIC_NUMBER_NOT_SUPPORTED",
            "isv.NOT_SUPPORTED_COUNTRY",
            "isv.COUNTRY_RESTRICTED",
            "isv.PHONENUMBER_IN_BLACKLIST",
        }
    ),
    uncertain=frozenset({"InternalError", "isp.GATEWAY_ERROR"}),
)


@dataclass(frozen=True, slots=True)
class AliyunAccount:
    """Who we are to Aliyun; `endpoint` is `https://dysmsapi.aliyuncs.com` or a region's."""

    key_id: str
    key_secret: str
    endpoint: str


class AliyunSms:
    """Sends by approved wording, our reference as `OutId`.

    Not repeatable: `OutId` comes back in receipts but does not deduplicate, so that a message
    sent twice is delivered twice.
    """

    repeatable = False

    def __init__(self, account: AliyunAccount, approved: Approved, *, clock: Clock) -> None:
        self._account = account
        self._approved = approved
        self._clock = clock
        self._wire = Wire("Aliyun SMS")

    async def send(self, message: Outgoing) -> str | None:
        """Hand over one SMS and return Aliyun's BizId; raises a GatewayError."""
        filled = self._approved.fill(message)
        query = {
            "PhoneNumbers": message.address.removeprefix("+86").removeprefix("+"),
            "SignName": filled.sign_name,
            "TemplateCode": filled.code,
            "TemplateParam": orjson.dumps(filled.parameters).decode(),
            "OutId": message.reference,
        }
        headers = self._headers(query)
        url = f"{self._account.endpoint.rstrip('/')}/?{canonical_query(query)}"
        answer = await self._wire.post(url, body=b"", headers=headers)
        code, biz_id = answer.text("Code"), answer.text("BizId")
        if code == "OK" and biz_id is not None:
            return biz_id
        if code is None or code == "OK":
            said = f"Aliyun SMS answered {answer.status} without a code and a BizId"
            raise judge_unreadable(answer.status, said)
        raise _CODES.judge(code, f"Aliyun SMS answered {code}", status=answer.status)

    async def close(self) -> None:
        """Close the connections that are not in use."""
        await self._wire.close()

    def _headers(self, query: Mapping[str, str]) -> dict[str, str]:
        signed = {
            "host": urlsplit(self._account.endpoint).netloc,
            "x-acs-action": "SendSms",
            "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
            "x-acs-date": self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": secrets.token_hex(16),
            "x-acs-version": "2017-05-25",
        }
        signature = sign(self._account.key_secret, query, signed)
        names = ";".join(sorted(signed))
        credential = f"Credential={self._account.key_id}"
        authorization = f"{_ALGORITHM} {credential},SignedHeaders={names},Signature={signature}"
        return signed | {"Authorization": authorization}


def canonical_query(query: Mapping[str, str]) -> str:
    """Write parameters sorted and percent-encoded as RFC 3986 says (a space is `%20`)."""
    return "&".join(f"{_escape(name)}={_escape(query[name])}" for name in sorted(query))


def sign(key_secret: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Return the signature of a POST to `/` without a body, all `headers` being signed."""
    names = sorted(headers)
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    parts = ("POST", "/", canonical_query(query), lines, ";".join(names))
    request = "\n".join((*parts, headers["x-acs-content-sha256"]))
    to_sign = f"{_ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"
    return hmac.new(key_secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


def _escape(text: str) -> str:
    return quote(text, safe="-_.~")
