"""Read receipts as each vendor writes them; what is no last word on a message is left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
)

from services.notification_service.receipts.domain.receipt import Arrival, Receipt

# Both Chinese vendors write local times without a zone.
_CHINA = timezone(timedelta(hours=8))
_MOST = 1000
MOST_LETTERS = 128
"""Of what a gateway calls a message, and of our reference."""


def _china_time(given: object) -> object:
    if not isinstance(given, str):
        return given
    try:
        return datetime.strptime(given, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_CHINA)
    except ValueError:
        return None


def _likely(given: datetime | None) -> datetime | None:
    # A time that cannot be read or kept is no reason to lose the receipt: it has our own as well.
    return given if given is not None and 2000 <= given.year < 2200 else None


def _text(given: object) -> object:
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


Time = Annotated[AwareDatetime | None, AfterValidator(_likely)]
ChinaTime = Annotated[Time, BeforeValidator(_china_time)]
Word = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=MOST_LETTERS)]
Name = Annotated[str, BeforeValidator(_text), Field(max_length=MOST_LETTERS)]
Code = Annotated[str, BeforeValidator(_text), Field(max_length=64)]


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AliyunReport(_Said):
    """One entry of Aliyun's SmsReport."""

    biz_id: Word
    success: bool
    out_id: Name | None = None
    err_code: Code | None = None
    report_time: ChinaTime = None

    def receipt(self) -> Receipt:
        """Return what it says."""
        return Receipt(
            "aliyun",
            Arrival.DELIVERED if self.success else Arrival.UNDELIVERED,
            reference=self.biz_id,
            message_id=self.out_id or None,
            code=self.err_code,
            happened_at=self.report_time,
        )


class TencentReport(_Said):
    """One entry of Tencent Cloud's status notification."""

    sid: Word
    report_status: Literal["SUCCESS", "FAIL"]
    errmsg: Code | None = None
    user_receive_time: ChinaTime = None

    def receipt(self) -> Receipt:
        """Return what it says."""
        arrived = self.report_status == "SUCCESS"
        return Receipt(
            "tencent",
            Arrival.DELIVERED if arrived else Arrival.UNDELIVERED,
            reference=self.sid,
            code=self.errmsg,
            happened_at=self.user_receive_time,
        )


class HttpReport(_Said):
    """What a generic HTTP gateway posts; `reference` is ours, `id` its own name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: Name | None = None
    id: Name | None = None
    state: Arrival
    code: Code | None = None
    at: Time = None

    def receipt(self) -> Receipt:
        """Return what it says."""
        return Receipt(
            "http",
            self.state,
            reference=self.id or self.reference,
            message_id=self.reference,
            code=self.code,
            happened_at=self.at,
        )


AliyunReports = TypeAdapter(Annotated[list[AliyunReport], Field(max_length=_MOST)])
TencentReports = TypeAdapter(Annotated[list[TencentReport], Field(max_length=_MOST)])

_TWILIO = {
    "delivered": Arrival.DELIVERED,
    "read": Arrival.DELIVERED,
    "undelivered": Arrival.UNDELIVERED,
    "failed": Arrival.UNDELIVERED,
}


def read_twilio(form: Mapping[str, str], reference: str | None) -> Receipt | None:
    """Read Twilio's callback; None for a step on the way, such as `sent` or `queued`.

    `reference` is ours, from the address that Twilio was told to call. Raises ValueError for a
    sid that Twilio never gives.
    """
    sid = form.get("MessageSid") or form.get("SmsSid")
    if sid and (len(sid) > MOST_LETTERS or not sid.isprintable()):
        raise ValueError("has no sid of a message")
    arrival = _TWILIO.get(form.get("MessageStatus") or form.get("SmsStatus") or "")
    if arrival is None or not (sid or reference):
        return None
    code = "".join(filter(str.isprintable, form.get("ErrorCode") or ""))[:64] or None
    return Receipt("twilio", arrival, reference=sid or None, message_id=reference, code=code)
