"""What a customer may choose."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from shared.events.words import MessageChannel, PersonalChannel

_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


def _time_of_day(value: object) -> object:
    if isinstance(value, time) and value.tzinfo is None:
        return value.replace(second=0, microsecond=0)
    if isinstance(value, str) and _TIME.fullmatch(value):
        return time.fromisoformat(value)
    raise ValueError("Write a time of day as 22:00.")


def is_zone(name: str) -> bool:
    """Tell whether this is an IANA time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _known_zone(value: str) -> str:
    if not is_zone(value):
        raise ValueError("This is no IANA time zone, such as Asia/Shanghai.")
    return value


TimeOfDay = Annotated[
    time,
    BeforeValidator(_time_of_day, json_schema_input_type=str),
    PlainSerializer(lambda value: value.strftime("%H:%M"), return_type=str),
    Field(json_schema_extra={"pattern": "^\\d\\d:\\d\\d$"}),
]
Zone = Annotated[str, AfterValidator(_known_zone), Field(max_length=64)]


class _Choice(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class QuietHours(_Choice):
    """When no message disturbs, by the clock on the customer's wall; over midnight as it comes.

    The hours begin at `from` and end before `to`; the same time twice means none at all.
    """

    begin: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")


class ChannelConsent(_Choice):
    """Consent for one purpose by channel: given, refused, or (null) never asked."""

    sms: bool | None = None
    email: bool | None = None

    def of(self, channel: MessageChannel) -> bool | None:
        """Return what was said of a channel."""
        said: bool | None = getattr(self, channel)
        return said


class Consent(_Choice):
    """Consent by purpose: news of one's own complaint, and being asked afterwards how it went."""

    service: ChannelConsent = ChannelConsent()
    survey: ChannelConsent = ChannelConsent()


class Preferences(_Choice):
    """All that a customer may choose; null leaves it to the company's rules."""

    channel: PersonalChannel | None = Field(
        default=None, description="the channel that is tried first; the other stays the fallback"
    )
    locale: Literal["zh-CN", "en"] | None = Field(
        default=None, description="language of messages; null: that of the complaint"
    )
    timezone: Zone | None = Field(
        default=None,
        description="IANA zone of the quiet hours; null: by region, else the company's",
    )
    quiet_hours: QuietHours | None = Field(
        default=None,
        description="not written to between these times unless it is urgent; the same time twice: "
        "no quiet hours; null: REDRESS_QUIET_HOURS",
    )
    consent: Consent = Consent()
    do_not_contact: bool = Field(
        default=False, description="only what we owe by law or contract is still sent"
    )


NOTHING_CHOSEN = Preferences()
