"""Choose the gateways: those of the settings, files in the home where there is none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from services.notification_service.gateways.aliyun import AliyunAccount, AliyunSms
from services.notification_service.gateways.approved_file import SETTING, read_approved
from services.notification_service.gateways.chat import Chat
from services.notification_service.gateways.chat_file import open_rooms
from services.notification_service.gateways.domain.approved import Approved
from services.notification_service.gateways.domain.port import Gateway
from services.notification_service.gateways.domain.rate import RateLimit
from services.notification_service.gateways.domain.rooms import Room
from services.notification_service.gateways.domain.standard_webhook import read_secret
from services.notification_service.gateways.file_outbox import FileOutbox
from services.notification_service.gateways.http_sms import HttpSms
from services.notification_service.gateways.smtp import Smtp, read_smtp_url
from services.notification_service.gateways.tencent import TencentAccount, TencentSms
from services.notification_service.gateways.twilio import TwilioAccount, TwilioSms
from services.notification_service.settings import NotificationSettings
from shared.events.words import MessageChannel
from shared.kernel.clock import Clock, SystemClock
from shared.kernel.errors import ConfigurationError

TWILIO_RECEIPTS = "/v1/receipts/twilio"


@dataclass(frozen=True, slots=True)
class Gateways:
    """One gateway per channel; `configured` once a real one is among them.

    `limits` are the channels that may be given only so many messages a second, `names` what proof
    of notice calls the gateways, `receipts_after` by when a receipt must have come, `rooms` the
    team's chats.
    """

    by_channel: Mapping[MessageChannel, Gateway]
    configured: bool
    limits: Mapping[MessageChannel, RateLimit] = field(default_factory=dict)
    names: Mapping[MessageChannel, str] = field(default_factory=dict)
    receipts_after: Mapping[MessageChannel, timedelta] = field(default_factory=dict)
    rooms: Mapping[str, Room] = field(default_factory=dict)

    async def close(self) -> None:
        """Let go of every connection."""
        for gateway in self.by_channel.values():
            await gateway.close()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What gateways need to know beside their settings.

    `kinds` are the kinds of messages that there are, `public_url` where vendors reach us.
    """

    clock: Clock = field(default_factory=SystemClock)
    kinds: Collection[str] = ()
    public_url: str | None = None


def open_gateways(
    settings: NotificationSettings, home: Path, around: Surroundings | None = None
) -> Gateways:
    """Open the gateways; raises ConfigurationError naming a wrong setting.

    With only one of the two configured the other channel still goes to files, so that a trial
    with real e-mail needs no SMS contract.
    """
    files = FileOutbox(home / "outbox", sender=settings.mail_from)
    email: Gateway = files
    if settings.smtp_url is not None:
        email = Smtp(read_smtp_url(settings.smtp_url), sender=settings.mail_from)
    sms = _open_sms(settings, around or Surroundings()) or files
    rooms = open_rooms(settings, around.kinds if around else ())
    by_channel: dict[MessageChannel, Gateway] = {
        MessageChannel.EMAIL: email,
        MessageChannel.SMS: sms,
        # Always there: a message to a room that is gone must still say so.
        MessageChannel.CHAT: Chat(
            {name: room.url.get_secret_value() for name, room in rooms.items()},
            clock=(around or Surroundings()).clock,
        ),
    }
    return Gateways(
        by_channel,
        configured=email is not files or sms is not files,
        rooms=rooms,
        limits=_limits(settings),
        names={
            MessageChannel.CHAT: "chat",
            MessageChannel.EMAIL: "file" if email is files else "smtp",
            MessageChannel.SMS: "file" if sms is files else settings.sms_gateway or "http",
        },
        receipts_after=_receipts_after(settings, real=sms is not files),
    )


def _receipts_after(
    settings: NotificationSettings, *, real: bool
) -> dict[MessageChannel, timedelta]:
    if settings.sms_receipt_minutes is None or not real:
        return {}
    return {MessageChannel.SMS: timedelta(minutes=settings.sms_receipt_minutes)}


def _limits(settings: NotificationSettings) -> dict[MessageChannel, RateLimit]:
    given = {
        MessageChannel.SMS: (settings.sms_per_second, settings.sms_burst),
        MessageChannel.EMAIL: (settings.email_per_second, settings.email_burst),
        MessageChannel.CHAT: (settings.chat_per_second, settings.chat_burst),
    }
    return {
        channel: RateLimit(per_second, burst=burst)
        for channel, (per_second, burst) in given.items()
        if per_second is not None
    }


def _open_sms(settings: NotificationSettings, around: Surroundings) -> Gateway | None:
    chosen = settings.sms_gateway or ("http" if settings.sms_url is not None else None)
    if chosen == "http":
        return _http(settings, around)
    if chosen == "aliyun":
        aliyun = AliyunAccount(
            key_id=_needed(settings, "aliyun_access_key_id"),
            key_secret=_needed(settings, "aliyun_access_key_secret"),
            endpoint=settings.aliyun_sms_endpoint,
        )
        return AliyunSms(aliyun, _approved(settings, around), clock=around.clock)
    if chosen == "tencent":
        tencent = TencentAccount(
            secret_id=_needed(settings, "tencent_secret_id"),
            secret_key=_needed(settings, "tencent_secret_key"),
            app_id=_needed(settings, "tencent_sms_app_id"),
            region=settings.tencent_region,
            endpoint=settings.tencent_sms_endpoint,
        )
        return TencentSms(tencent, _approved(settings, around), clock=around.clock)
    return _twilio(settings, around) if chosen == "twilio" else None


def _http(settings: NotificationSettings, around: Surroundings) -> Gateway:
    return HttpSms(
        _needed(settings, "sms_url"),
        clock=around.clock,
        token=settings.sms_token,
        deduplicates=settings.sms_deduplicates,
        secret=sms_secret(settings),
    )


def sms_secret(settings: NotificationSettings) -> bytes | None:
    """Read the secret shared with the HTTP gateway; raises ConfigurationError."""
    if settings.sms_secret is None:
        return None
    try:
        return read_secret(settings.sms_secret)
    except ValueError as wrong:
        raise ConfigurationError("REDRESS_SMS_SECRET", str(wrong)) from None


def _twilio(settings: NotificationSettings, around: Surroundings) -> Gateway:
    public = around.public_url
    return TwilioSms(
        TwilioAccount(
            account_sid=_needed(settings, "twilio_account_sid"),
            auth_token=_needed(settings, "twilio_auth_token"),
            sender=_needed(settings, "twilio_from"),
            endpoint=settings.twilio_endpoint,
            # Without an address of our own that others reach, Twilio is asked for no receipts.
            callback_url=f"{public}{TWILIO_RECEIPTS}" if public else None,
        )
    )


def _approved(settings: NotificationSettings, around: Surroundings) -> Approved:
    if settings.sms_templates is None:
        raise _missing(SETTING, settings)
    numbered = settings.sms_gateway == "tencent"
    return read_approved(settings.sms_templates, kinds=around.kinds, numbered=numbered)


def _needed(settings: NotificationSettings, name: str) -> str:
    value = getattr(settings, name)
    if not value:
        raise _missing(f"REDRESS_{name.upper()}", settings)
    return str(value)


def _missing(setting: str, settings: NotificationSettings) -> ConfigurationError:
    return ConfigurationError(
        setting, f"must be set where REDRESS_SMS_GATEWAY is {settings.sms_gateway}"
    )
