"""Whose clock a customer reads: the same for every message, its hours of quiet, and their pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
import yaml
from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_location

_REST = "*"
BEIJING = "北京时间"
"""What Chinese readers call their zone; the CLDR has 中国时间 and 上海时间, which nobody says."""
# Parsed once: Babel reads a locale's name anew at every call, which cost more than all the rest.
_CHINESE, _ENGLISH = Locale.parse("zh_CN"), Locale.parse("en_GB")


def zone_for(chosen: str | None, region: str | None) -> ZoneInfo | None:
    """Return a customer's zone: the one they chose, else their region's; None: the company's."""
    return _zone(chosen) or zone_of(region)


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


def calling_code_of(zone: ZoneInfo) -> str | None:
    """Return how phone numbers of a zone's country begin, `+86`; None where no country has it."""
    country = get_global("zone_territories").get(zone.key, "")
    code = phonenumbers.country_code_for_region(country)
    return f"+{code}" if code else None


@cache
def clock_of(zone: str, *, chinese: bool) -> str:
    """Write whose clock it is by a city that has it: `伦敦时间`, `London time`."""
    if chinese and zone == "Asia/Shanghai":
        return BEIJING
    city = city_of(zone, chinese=chinese)
    return f"{city}时间" if chinese else f"{city} time"


@cache
def city_of(zone: str, *, chinese: bool) -> str:
    """Write the city that a zone is named after: `加尔各答`, `Kolkata`."""
    locale = _CHINESE if chinese else _ENGLISH
    for name in (zone, *_old_names().get(zone, ())):
        known: str | None = locale.time_zones.get(name, {}).get("city")
        if known:
            return known
    try:
        return get_timezone_location(zone, locale=locale, return_city=True).rpartition("/")[2]
    except LookupError:
        return zone


@cache
def _old_names() -> Mapping[str, Sequence[str]]:
    """Return what zones were called before: the CLDR has the words of Asia/Calcutta under that."""
    found: dict[str, list[str]] = {}
    for old, new in get_global("zone_aliases").items():
        found.setdefault(new, []).append(old)
    return found


@cache
def _several() -> dict[str, dict[str, str]]:
    text = (Path(__file__).parent / "zones.yaml").read_text("utf-8")
    found: dict[str, dict[str, str]] = yaml.safe_load(text)
    return found


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # The CLDR, or another machine, may know a zone before this one does.
        return None
