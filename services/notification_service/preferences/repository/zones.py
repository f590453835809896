"""The time zones that a customer may choose from, by name."""

from __future__ import annotations

from services.notification_service.preferences.domain.choices import is_zone
from shared.web.zones import city_of

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
    return [(name, city_of(name, chinese=locale == "zh-CN")) for name in offered]
