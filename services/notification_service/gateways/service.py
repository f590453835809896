"""Choose the gateways: those of the settings, files in the home where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.notification_service.gateways.domain.port import Gateway
from services.notification_service.gateways.file_outbox import FileOutbox
from services.notification_service.gateways.http_sms import HttpSms
from services.notification_service.gateways.smtp import Smtp, read_smtp_url
from services.notification_service.settings import NotificationSettings
from shared.events.words import MessageChannel


@dataclass(frozen=True, slots=True)
class Gateways:
    """One gateway per channel; `configured` once a real one is among them."""

    by_channel: Mapping[MessageChannel, Gateway]
    configured: bool

    async def close(self) -> None:
        """Let go of every connection."""
        for gateway in self.by_channel.values():
            await gateway.close()


def open_gateways(settings: NotificationSettings, home: Path) -> Gateways:
    """Open the gateways; raises ConfigurationError naming a wrong setting.

    With only one of the two configured the other channel still goes to files, so that a trial
    with real e-mail needs no SMS contract.
    """
    files = FileOutbox(home / "outbox", sender=settings.mail_from)
    email: Gateway = files
    sms: Gateway = files
    if settings.smtp_url is not None:
        email = Smtp(read_smtp_url(settings.smtp_url), sender=settings.mail_from)
    if settings.sms_url is not None:
        sms = HttpSms(
            settings.sms_url,
            token=settings.sms_token,
            deduplicates=settings.sms_deduplicates,
        )
    return Gateways(
        {MessageChannel.EMAIL: email, MessageChannel.SMS: sms},
        configured=email is not files or sms is not files,
    )
