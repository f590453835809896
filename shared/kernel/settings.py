"""Settings: environment variables `REDRESS_…`, checked at the start, named when they are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.kernel.errors import ConfigurationError

PREFIX = "REDRESS_"
_EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, not bound


def _is_an_address_of_http(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or not value.isprintable() or " " in value:
        raise ValueError("must be an address such as https://complaints.example.com")
    return value


HttpUrl = Annotated[str, AfterValidator(_is_an_address_of_http)]
"""An address of HTTP, kept as it was written."""


class RedressSettings(BaseSettings):
    """Base of all settings classes: read from the environment with the prefix `REDRESS_`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)


S = TypeVar("S", bound=RedressSettings)


class CommonSettings(RedressSettings):
    """What every service needs to know."""

    home: Path = Field(default=Path("var"), description="Folder of all data of this machine.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port to listen on.")
    public_url: HttpUrl | None = Field(
        default=None,
        description="What customers' links begin with, where one address answers all of them; "
        "default: host and port of the service that answers.",
    )
    staff_url: HttpUrl | None = Field(
        default=None,
        description="What links to cases begin with, in messages to staff; default: as customers', "
        "else where workflow is reached.",
    )
    company: str = Field(
        default="Redress",
        description="The name that messages are signed with and customers' pages bear.",
    )
    timezone: str = Field(
        default="Asia/Shanghai", description="IANA zone of the company: clocks, pages, messages."
    )
    default_locale: Literal["zh-CN", "en"] = Field(
        default="zh-CN", description="Language where nothing tells another."
    )
    keys_file: Path | None = Field(
        default=None, description="API keys and service credential; default: keys.json in the home."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="JSON lines, or for the eye; auto: for the eye in a terminal."
    )
    replica: int = Field(
        default=1, ge=1, le=999, description="Number of this process among those of its service."
    )

    kafka_bootstrap: str | None = Field(
        default=None, description="host:port of Kafka; distributed profile."
    )
    intake_database_url: str | None = Field(
        default=None, description="postgresql://… of intake; default: SQLite in the home."
    )
    workflow_database_url: str | None = Field(default=None, description="The same of workflow.")
    notification_database_url: str | None = Field(
        default=None, description="The same of notification."
    )
    analytics_file: Path | None = Field(
        default=None, description="DuckDB file; default: analytics.duckdb in the home."
    )

    intake_url: HttpUrl | None = Field(
        default=None, description="Where the other services reach intake; default: this process."
    )
    workflow_url: HttpUrl | None = Field(default=None, description="The same for workflow.")
    notification_url: HttpUrl | None = Field(default=None, description="The same for notification.")
    analytics_url: HttpUrl | None = Field(default=None, description="The same for analytics.")

    intake_master_key: str | None = Field(
        default=None,
        description="Base64 of 32 bytes (`keys master`); embedded: made at the first start.",
    )
    workflow_master_key: str | None = Field(default=None, description="The same for workflow.")
    notification_master_key: str | None = Field(
        default=None, description="The same for notification."
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{value!r} is no IANA time zone, such as Asia/Shanghai") from None
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def base_url(self) -> str:
        """The address that customers' links begin with, without a slash at its end."""
        return (self.public_url or self.own_url).rstrip("/")

    @property
    def staff_base_url(self) -> str:
        """The address that links to cases begin with, without a slash at its end."""
        return (self.staff_url or self.public_url or self.service_url("workflow")).rstrip("/")

    @property
    def own_url(self) -> str:
        """The address under which this machine reaches this process."""
        return f"http://{self.loopback_host}:{self.port}"

    @property
    def loopback_host(self) -> str:
        """The address under which this machine reaches the service itself."""
        return "127.0.0.1" if self.host in _EVERYWHERE else self.host

    @property
    def keys_path(self) -> Path:
        """The file of hashed API keys and service credentials."""
        return self.keys_file or self.home / "keys.json"

    def database_url(self, service: str) -> str:
        """Return the database of a service: its setting, else a SQLite file in the home."""
        given: str | None = getattr(self, f"{service}_database_url")
        return given or f"sqlite:///{(self.home / f'{service}.db').absolute()}"

    def service_url(self, service: str) -> str:
        """Return the address of a service: its setting, else this process."""
        given: str | None = getattr(self, f"{service}_url")
        return (given or self.own_url).rstrip("/")

    def master_key(self, service: str) -> str | None:
        """Return the base64 master key set for a service, if any."""
        given: str | None = getattr(self, f"{service}_master_key")
        return given


def load(settings_class: type[S]) -> S:
    """Read settings from the environment; raises ConfigurationError naming the first wrong one."""
    try:
        return settings_class()
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        prefix = settings_class.model_config["env_prefix"]
        name = prefix + "_".join(str(part) for part in first["loc"]).upper()
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(name, message) from None
