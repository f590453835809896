"""`POST /v1/receipts/…`: where gateways say what became of messages.

Callers are told from forgers by what each vendor documents; a forged call is answered 403, logged,
and has no effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, NoReturn, TypeVar
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, TypeAdapter, ValidationError

from services.notification_service.gateways.domain.standard_webhook import is_signed
from services.notification_service.receipts.domain import vendors
from services.notification_service.receipts.domain.bounces import read_bounces
from services.notification_service.receipts.domain.receipt import Receipt
from services.notification_service.receipts.domain.signing import (
    Network,
    comes_from,
    is_same,
    twilio_addresses,
    twilio_signature,
)
from services.notification_service.receipts.jobs import ReceiptClerk
from services.notification_service.receipts.schemas import (
    ALIYUN_BODY,
    HTTP_BODY,
    MAIL_BODY,
    TENCENT_BODY,
    TWILIO_BODY,
    AliyunAnswer,
    Taken,
    TencentAnswer,
)
from services.notification_service.receipts.service import ReceiptDesk
from shared.kernel import logging
from shared.kernel.clock import Clock
from shared.kernel.errors import FieldError, Forbidden, InvalidInput, NotFound

log = logging.get(__name__)

Token = Annotated[str, Path(max_length=128, description="REDRESS_RECEIPT_TOKEN")]
Reference = Annotated[str | None, Query(max_length=vendors.MOST_LETTERS, description="ours")]


@dataclass(frozen=True, slots=True)
class Trust:
    """By what callers are told from forgers; a vendor whose secret is not set has no path."""

    clock: Clock
    token: str | None = None
    networks: Sequence[Network] = ()
    twilio_token: str | None = None
    http_secret: bytes | None = None
    public_url: str | None = None


@dataclass(frozen=True, slots=True)
class Counter:
    """Where receipts are handed in."""

    desk: ReceiptDesk
    clerk: ReceiptClerk
    trust: Trust = field(repr=False)

    async def take(self, receipts: Sequence[Receipt]) -> int:
        """Keep receipts, and have them looked at at once."""
        new = await self.desk.take(receipts)
        self.clerk.wake()
        return new

    def check_token(self, request: Request, token: str) -> None:
        """Raise Forbidden for a wrong token or a caller from elsewhere."""
        expected = self.trust.token
        if expected is None:
            raise NotFound("Receipts by token are not set up: REDRESS_RECEIPT_TOKEN.")
        address = request.client.host if request.client else None
        if not is_same(expected, token):
            _forged(request, "the token is wrong")
        if not comes_from(self.trust.networks, address):
            _forged(request, "it comes from an address that is not expected")


def router(counter: Counter) -> APIRouter:
    """Make the paths; they are open to the world, and each knows its caller in its own way."""
    routes = APIRouter(tags=["receipts"])

    @routes.post("/v1/receipts/aliyun/{token}", openapi_extra=ALIYUN_BODY)
    async def aliyun(request: Request, token: Token) -> AliyunAnswer:
        """Take Aliyun's SmsReport, which signs nothing: the token in the path is its secret."""
        counter.check_token(request, token)
        reports = _read_many(vendors.AliyunReports, await request.body())
        await counter.take([one.receipt() for one in reports])
        return AliyunAnswer()

    @routes.post("/v1/receipts/tencent/{token}", openapi_extra=TENCENT_BODY)
    async def tencent(request: Request, token: Token) -> TencentAnswer:
        """Take Tencent Cloud's status notification, which signs nothing either."""
        counter.check_token(request, token)
        reports = _read_many(vendors.TencentReports, await request.body())
        await counter.take([one.receipt() for one in reports])
        return TencentAnswer()

    @routes.post("/v1/receipts/twilio", status_code=204, openapi_extra=TWILIO_BODY)
    async def twilio(request: Request, reference: Reference = None) -> Response:
        """Take Twilio's status callback, signed in `X-Twilio-Signature`."""
        receipt = _twilio_receipt(await _twilio_form(counter.trust, request), reference)
        if receipt is not None:
            await counter.take([receipt])
        return Response(status_code=204)

    @routes.post("/v1/receipts/http", openapi_extra=HTTP_BODY)
    async def http(request: Request) -> Taken:
        """Take a generic gateway's receipt, signed as Standard Webhooks says."""
        body = await _signed_body(counter.trust, request)
        try:
            report = vendors.HttpReport.model_validate_json(body)
        except ValidationError as wrong:
            raise _invalid(wrong) from None
        if report.reference is None and report.id is None:
            detail = "say which message: reference (ours) or id (yours)"
            raise InvalidInput(detail, (FieldError("/reference", "missing", detail),))
        return Taken(new=await counter.take([report.receipt()]))

    @routes.post("/v1/receipts/mail/{token}", openapi_extra=MAIL_BODY)
    async def mail(request: Request, token: Token) -> Taken:
        """Take a mail that came back, as it is (RFC 3464), from the mail server of the sender."""
        counter.check_token(request, token)
        try:
            bounces = read_bounces(await request.body())
        except ValueError as wrong:
            detail = f"the mail {wrong}"
            raise InvalidInput(detail, (FieldError("", "no_bounce", detail),)) from None
        return Taken(new=await counter.take(bounces))

    return routes


async def _twilio_form(trust: Trust, request: Request) -> list[tuple[str, str]]:
    if trust.twilio_token is None:
        raise NotFound("Receipts of Twilio are not set up: REDRESS_TWILIO_AUTH_TOKEN.")
    try:
        body = (await request.body()).decode()
        form = parse_qsl(body, keep_blank_values=True, strict_parsing=bool(body))
    except ValueError:
        raise InvalidInput("the body is no form in UTF-8") from None
    # Twilio signs the address that it was given, which a gateway before us may have rewritten.
    url = request.url
    base = trust.public_url or f"{url.scheme}://{url.netloc}"
    address = f"{base}{url.path}" + (f"?{url.query}" if url.query else "")
    given = request.headers.get("x-twilio-signature", "")
    token, addresses = trust.twilio_token, twilio_addresses(address)
    if not any(is_same(twilio_signature(token, one, form), given) for one in addresses):
        _forged(request, "X-Twilio-Signature does not fit")
    return form


def _twilio_receipt(form: list[tuple[str, str]], reference: str | None) -> Receipt | None:
    try:
        return vendors.read_twilio(dict(form), reference)
    except ValueError as wrong:
        raise InvalidInput(f"the form {wrong}") from None


async def _signed_body(trust: Trust, request: Request) -> bytes:
    if trust.http_secret is None:
        raise NotFound("Receipts of the HTTP gateway are not set up: REDRESS_SMS_SECRET.")
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    message_id, timestamp, signature = (request.headers.get(name, "") for name in names)
    body = await request.body()
    headers = (message_id, timestamp, signature)
    if not is_signed(trust.http_secret, headers, body, now=trust.clock.now()):
        _forged(request, "webhook-signature does not fit, or is older than five minutes")
    return body


def _forged(request: Request, why: str) -> NoReturn:
    # The path may hold the token of an honest caller from a wrong network: only its vendor is said.
    vendor = request.url.path.split("/")[3]
    address = request.client.host if request.client else None
    log.warning("receipt.forged", vendor=vendor, address=address, why=why)
    raise Forbidden(f"This receipt is not believed: {why}.")


M = TypeVar("M", bound=BaseModel)


def _read_many(adapter: TypeAdapter[list[M]], body: bytes) -> list[M]:
    try:
        return adapter.validate_json(body)
    except ValidationError as wrong:
        raise _invalid(wrong) from None


def _invalid(wrong: ValidationError) -> InvalidInput:
    errors = [
        FieldError("/" + "/".join(str(part) for part in one["loc"]), one["type"], one["msg"])
        for one in wrong.errors(include_url=False, include_input=False, include_context=False)
    ]
    return InvalidInput(f"{len(errors)} fields are not valid", errors[:20])
