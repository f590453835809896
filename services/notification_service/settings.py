"""Settings of notification: the gateways and who messages come from."""

from __future__ import annotations

import re
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from shared.kernel.settings import HttpUrl, RedressSettings

_OFF = "off"
_WINDOW = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d-(?:[01]\d|2[0-3]):[0-5]\d")
_NO_SENDER = "Redress <redress@localhost>"


def _is_only_a_host(value: str) -> str:
    parts = urlsplit(value)
    # What is signed is a request to `/` of this host.
    if parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be an address without a path, such as https://sms.example.com")
    return value


def _fits_into_a_header(value: str) -> str:
    if re.fullmatch(r"[!-~]*", value) is None:
        raise ValueError("must be ASCII without spaces: it goes into a header")
    return value


HostUrl = Annotated[HttpUrl, AfterValidator(_is_only_a_host)]
InHeader = Annotated[str, AfterValidator(_fits_into_a_header)]


class VendorSettings(RedressSettings):
    """Which SMS gateway messages leave by, and who we are to it."""

    sms_gateway: Literal["http", "aliyun", "tencent", "twilio"] | None = Field(
        default=None,
        description="`http`, `aliyun`, `tencent` or `twilio` (`docs/gateways.md`); "
        "default: `http` where its address is set, else files.",
    )
    sms_templates: Path | None = Field(
        default=None,
        description="YAML file of the wordings that Aliyun or Tencent Cloud approved.",
    )
    aliyun_access_key_id: InHeader | None = Field(
        default=None, description="Aliyun's AccessKey id."
    )
    aliyun_access_key_secret: str | None = Field(default=None, description="Its secret.")
    aliyun_sms_endpoint: HostUrl = Field(
        default="https://dysmsapi.aliyuncs.com", description="Where Aliyun takes SMS."
    )
    tencent_secret_id: InHeader | None = Field(
        default=None, description="Tencent Cloud's SecretId."
    )
    tencent_secret_key: str | None = Field(default=None, description="Its SecretKey.")
    tencent_sms_app_id: str | None = Field(default=None, description="The SMS SdkAppId.")
    tencent_region: InHeader = Field(default="ap-guangzhou", description="Tencent Cloud's region.")
    tencent_sms_endpoint: HostUrl = Field(
        default="https://sms.tencentcloudapi.com", description="Where Tencent Cloud takes SMS."
    )
    twilio_account_sid: InHeader | None = Field(default=None, description="Twilio's Account SID.")
    twilio_auth_token: str | None = Field(
        default=None, description="Its Auth Token; receipts are signed with it too."
    )
    twilio_from: str | None = Field(
        default=None, description="Number, short code or messaging service (`MG…`) to send from."
    )
    twilio_endpoint: HttpUrl = Field(
        default="https://api.twilio.com", description="Where Twilio takes SMS."
    )
    sms_receipt_minutes: int | None = Field(
        default=None,
        ge=1,
        le=43_200,
        description="An SMS without a receipt after so long goes by e-mail; default: never.",
    )
    receipt_token: str | None = Field(
        default=None,
        min_length=24,
        description="Secret end of the paths for receipts of Aliyun, Tencent Cloud and mail.",
    )
    receipt_sources: str = Field(
        default="",
        description="Networks that those come from, such as `10.0.0.0/8,203.0.113.7`; "
        "default: any.",
    )
    proof_hours: int = Field(
        default=24,
        ge=1,
        le=8_760,
        description="A mandatory notice without proof after so long alarms.",
    )
    sms_per_second: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        description="Most SMS a second that the gateway is given, per process.",
    )
    sms_burst: int = Field(
        default=1, ge=1, le=1_000_000, description="So many of them may go at once."
    )
    email_per_second: float | None = Field(
        default=None, gt=0, le=1_000_000, description="Most e-mails a second, per process."
    )
    email_burst: int = Field(
        default=1, ge=1, le=1_000_000, description="So many of them may go at once."
    )

    @property
    def receipt_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks that receipts come from; none means any."""
        parts = (one.strip() for one in self.receipt_sources.split(","))
        return tuple(ip_network(part) for part in parts if part)

    @field_validator("receipt_token")
    @classmethod
    def _fits_into_a_path(cls, value: str | None) -> str | None:
        if value is not None and re.fullmatch(r"[A-Za-z0-9._~-]{24,128}", value) is None:
            raise ValueError("must have 24 to 128 letters, digits, and - . _ ~")
        return value

    @field_validator("receipt_sources")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for part in filter(None, (one.strip() for one in value.split(","))):
            try:
                ip_network(part)
            except ValueError:
                raise ValueError(f"{part!r} is no network, such as 10.0.0.0/8") from None
        return value


class NotificationSettings(VendorSettings):
    """How messages leave; without a gateway they become files in the home."""

    smtp_url: str | None = Field(
        default=None, description="`smtp://user:password@host:587?tls=starttls`; else files."
    )
    mail_from: str = Field(
        default=_NO_SENDER, validate_default=True, description="Who e-mails come from."
    )
    sms_url: HttpUrl | None = Field(
        default=None, description="Address of the HTTP SMS gateway; else files."
    )
    sms_token: InHeader | None = Field(
        default=None, description="Bearer token for the SMS gateway."
    )
    sms_secret: str | None = Field(
        default=None,
        description="`whsec_…` that signs requests to the HTTP SMS gateway and its receipts.",
    )
    sms_deduplicates: bool = Field(
        default=False,
        description="Whether that gateway knows our reference: then an uncertain SMS goes again.",
    )
    chat_url: SecretStr | None = Field(
        default=None,
        description="Address of a team's chat that hears of breaches, escalations and alarms, such "
        "as `dingtalk://secret@token`, or any of Apprise's (`docs/gateways.md`).",
    )
    chat_file: Path | None = Field(
        default=None, description="YAML file of several rooms, each with the kinds it hears."
    )
    chat_per_second: float = Field(
        default=0.3,
        gt=0,
        le=1_000_000,
        description="Most posts a second to all rooms (DingTalk: 20 a minute).",
    )
    chat_burst: int = Field(
        default=5, ge=1, le=1_000_000, description="So many of them may go at once."
    )

    survey_days: int = Field(
        default=14, ge=1, le=365, description="For how many days a survey can be answered."
    )
    message_longest_retry_seconds: float = Field(
        default=486.0,
        ge=1,
        le=486,
        description="The longest pause between two of the seven tries of a message; they grow "
        "threefold from 2 seconds, so that 486 shortens none.",
    )
    routing_file: Path | None = Field(
        default=None, description="Changes to the routing table of the company's own (YAML)."
    )

    quiet_hours: str = Field(
        default="22:00-08:00",
        description="When customers are not written to unless it is urgent, by their own clock; "
        "`off`: never.",
    )
    customer_messages_per_hour: int = Field(
        default=4,
        ge=0,
        le=1_000_000,
        description="Most messages to one customer in an hour that are neither urgent nor "
        "mandatory; more wait. 0: no limit.",
    )
    customer_messages_per_day: int = Field(
        default=12, ge=0, le=1_000_000, description="The same in a day."
    )
    staff_digest_minutes: int = Field(
        default=0,
        ge=0,
        le=1440,
        description="Calm messages to one of the staff are gathered and sent as one e-mail so "
        "often; 0: each at once.",
    )
    survey_consent: Literal["unless_refused", "required"] = Field(
        default="unless_refused",
        description="Whether a survey needs consent given before (docs/delivery.md).",
    )

    @field_validator("quiet_hours")
    @classmethod
    def _is_a_window(cls, value: str) -> str:
        if value != _OFF and _WINDOW.fullmatch(value) is None:
            raise ValueError("must be a window such as 22:00-08:00, or off")
        return value

    @property
    def quiet_window(self) -> tuple[str, str] | None:
        """Return when the quiet hours begin and end."""
        begin, _, end = self.quiet_hours.partition("-")
        return (begin, end) if end else None

    @field_validator("mail_from")
    @classmethod
    def _is_an_address(cls, value: str, info: ValidationInfo) -> str:
        if value == _NO_SENDER and info.data.get("smtp_url") is not None:
            raise ValueError(
                "must be set where REDRESS_SMTP_URL is, as Company <service@example.com>"
            )
        address = parseaddr(value)[1]
        try:
            is_whole = bool(Address(addr_spec=address).username) and address in value
        except (ValueError, IndexError, MessageError):
            is_whole = False
        if not is_whole or not address.isascii() or "@" not in address or "\n" in value:
            raise ValueError("must look like Company <service@example.com>")
        return value


_A_YEAR = 31_536_000
"""In seconds; a span that is longer is a slip of the pen, and no date has room for a huge one."""


class WebhookSettings(RedressSettings):
    """Where webhooks may go, and how patient they are."""

    model_config = SettingsConfigDict(env_prefix="REDRESS_WEBHOOK_")

    allowed_networks: str | None = Field(
        default=None,
        description="Networks besides the public ones that webhooks may go to, also by plain "
        "http: `127.0.0.0/8,10.1.0.0/16`.",
    )
    timeout_seconds: float = Field(
        default=15.0, gt=0, le=300, description="Seconds in which an endpoint must answer."
    )
    first_retry_seconds: float = Field(
        default=5.0,
        gt=0,
        le=_A_YEAR,
        description="Pause after the first failure; doubled after each further.",
    )
    longest_retry_seconds: float = Field(
        default=900.0, gt=0, le=_A_YEAR, description="The longest such pause."
    )
    give_up_seconds: float = Field(
        default=86_400.0,
        gt=0,
        le=_A_YEAR,
        description="Seconds of retrying after which a delivery is parked.",
    )
    suspend_after_seconds: float = Field(
        default=1800.0,
        gt=0,
        le=_A_YEAR,
        description="Seconds of nothing but failures after which an endpoint is only probed.",
    )
    probe_seconds: float = Field(
        default=60.0,
        gt=0,
        le=_A_YEAR,
        description="Seconds between probes of a suspended endpoint.",
    )
    rotation_seconds: float = Field(
        default=86_400.0,
        ge=0,
        le=_A_YEAR,
        description="Seconds that an old key signs beside the new one.",
    )
    retention_days: float = Field(
        default=30.0, gt=0, le=36_500, description="Days that deliveries are kept, taken or not."
    )

    @field_validator("allowed_networks")
    @classmethod
    def _are_networks(cls, value: str | None) -> str | None:
        for part in filter(None, map(str.strip, (value or "").split(","))):
            try:
                ip_network(part)
            except ValueError:
                raise ValueError(f"{part} is no network, such as 127.0.0.0/8") from None
        return value
