"""The time zone of a region, where its code (ISO 3166-2) tells one."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_location

from services.notification_service.preferences.domain.choices import is_zone

_REST = "*"


@cache
def zone_of(region: str | None) -> ZoneInfo | None:
    """Return the zone of `CN-31` or `US-NY`; None where the code tells none."""
    country, dash, part = (region or "").partition("-")
    if not dash or len(country) != 2:
        return None
    parts = _several().get(country)
    if parts is not None:
        return _zone(parts.get(part) or parts.get(_REST))
    zones = get_global("territory_zones").get(country, ())
    return _zone(zones[0]) if len(zones) == 1 else None


_OFFERED = (
    "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Tokyo", "Asia/Seoul",
    "Asia/Singapore", "Asia/Bangkok", "Asia/Kolkata", "Asia/Dubai", "Europe/Moscow",
    "Europe/Berlin", "Europe/London", "America/Sao_Paulo", "America/Toronto",
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
    "Australia/Sydney", "Pacific/Auckland",
)  # fmt: skip


def zone_names(locale: str, chosen: str) -> list[tuple[str, str]]:
    """Return zones to choose from with their names in a language, the chosen one among them.

    What is chosen and is no zone is not offered.
    """
    offered = (chosen, *_OFFERED) if chosen not in _OFFERED and is_zone(chosen) else _OFFERED
    spoken = Locale.parse(locale.replace("-", "_"))
    return [(name, _name(name, spoken)) for name in offered]


def _name(zone: str, locale: Locale) -> str:
    try:
        return get_timezone_location(zone, locale=locale, return_city=True)
    except LookupError:
        return zone


@cache
def _several() -> dict[str, dict[str, str]]:
    place = files("services.notification_service.preferences").joinpath("zones.yaml")
    found: dict[str, dict[str, str]] = yaml.safe_load(place.read_text(encoding="utf-8"))
    return found


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except ZoneInfoNotFoundError:  # the CLDR may know a zone before this machine does
        return None
