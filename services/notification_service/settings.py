"""Settings of notification: the gateways and who messages come from."""

from __future__ import annotations

from email.utils import parseaddr

from pydantic import Field, ValidationInfo, field_validator

from shared.kernel.settings import RedressSettings

_NO_SENDER = "Redress <redress@localhost>"


class NotificationSettings(RedressSettings):
    """`REDRESS_SMTP_URL`, `REDRESS_MAIL_FROM`, `REDRESS_SMS_URL`, …; without URLs files.

    `company` signs messages; `sms_deduplicates` says that the SMS gateway knows our reference, so
    that an uncertain SMS may be handed over again.
    """

    smtp_url: str | None = None
    mail_from: str = Field(default=_NO_SENDER, validate_default=True)
    sms_url: str | None = None
    sms_token: str | None = None
    sms_deduplicates: bool = False
    company: str = "Redress"

    @field_validator("mail_from")
    @classmethod
    def _is_an_address(cls, value: str, info: ValidationInfo) -> str:
        if value == _NO_SENDER and info.data.get("smtp_url") is not None:
            raise ValueError(
                "must be set where REDRESS_SMTP_URL is, as Company <service@example.com>"
            )
        local, _, domain = parseaddr(value)[1].rpartition("@")
        if not local or not domain or "\n" in value:
            raise ValueError("must look like Company <service@example.com>")
        return value

    @field_validator("sms_url")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value
