"""Read receipts as each vendor writes them; what is no last word on a message is left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from services.notification_service.receipts.domain.receipt import Arrival, Receipt

# Both Chinese vendors write local times without a zone.
_CHINA = timezone(timedelta(hours=8))
_MOST = 1000


def _china_time(given: object) -> object:
    if not isinstance(given, str):
        return given
    try:
        return datetime.strptime(given, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_CHINA)
    except ValueError:
        # A time that cannot be read is no reason to lose the receipt: it has our own as well.
        return None


def _text(given: object) -> object:
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


ChinaTime = Annotated[AwareDatetime | None, BeforeValidator(_china_time)]
Word = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=128)]


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AliyunReport(_Said):
    """One entry of Aliyun's SmsReport."""

    biz_id: Word
    success: bool
    out_id: Annotated[str | None, BeforeValidator(_text), Field(max_length=128)] = None
    err_code: Annotated[str | None, BeforeValidator(_text), Field(max_length=64)] = None
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
    errmsg: Annotated[str | None, BeforeValidator(_text), Field(max_length=64)] = None
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

    reference: Annotated[str | None, Field(max_length=128)] = None
    id: Annotated[str | None, Field(max_length=128)] = None
    state: Arrival
    code: Annotated[str | None, BeforeValidator(_text), Field(max_length=64)] = None
    at: AwareDatetime | None = None

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

    `reference` is ours, from the address that Twilio was told to call.
    """
    sid = form.get("MessageSid") or form.get("SmsSid")
    arrival = _TWILIO.get(form.get("MessageStatus") or form.get("SmsStatus") or "")
    if arrival is None or not (sid or reference):
        return None
    code = (form.get("ErrorCode") or "")[:64] or None
    return Receipt("twilio", arrival, reference=sid or None, message_id=reference, code=code)
