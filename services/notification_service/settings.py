"""Settings of notification: the gateways and who messages come from."""

from __future__ import annotations

from email.utils import parseaddr
from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator

from shared.kernel.settings import RedressSettings

_NO_SENDER = "Redress <redress@localhost>"


class NotificationSettings(RedressSettings):
    """How messages leave; without a gateway they become files in the home."""

    smtp_url: str | None = Field(
        default=None, description="`smtp://user:password@host:587?tls=starttls`; else files."
    )
    mail_from: str = Field(
        default=_NO_SENDER, validate_default=True, description="Who e-mails come from."
    )
    sms_url: str | None = Field(
        default=None, description="Address of the HTTP SMS gateway; else files."
    )
    sms_token: str | None = Field(default=None, description="Bearer token for the SMS gateway.")
    sms_deduplicates: bool = Field(
        default=False,
        description="Whether that gateway knows our reference: then an uncertain SMS goes again.",
    )
    company: str = Field(default="Redress", description="The name that messages are signed with.")

    routing_file: Path | None = Field(
        default=None, description="Changes to the routing table of the company's own (YAML)."
    )

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
