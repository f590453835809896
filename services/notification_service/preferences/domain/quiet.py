"""Quiet hours by the clock on somebody's wall, through changes of that clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from services.notification_service.preferences.domain.choices import QuietHours


def quiet_until(now: datetime, zone: ZoneInfo, hours: QuietHours) -> datetime | None:
    """Return when the quiet hours that `now` lies in end (UTC), None outside of them.

    Where the clock is put back, what comes twice is quiet both times; an end that is skipped
    where it is put forward comes as much later as is skipped.
    """
    wall = now.astimezone(zone)
    over_midnight = hours.begin > hours.end
    if over_midnight:
        inside = wall.time() >= hours.begin or wall.time() < hours.end
    else:
        inside = hours.begin <= wall.time() < hours.end
    if not inside:
        return None
    tomorrow = over_midnight and wall.time() >= hours.begin
    day = wall.date() + timedelta(days=1) if tomorrow else wall.date()
    end = datetime.combine(day, hours.end, zone)
    ends = (end.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    # The first of the two that lies ahead: a wall clock that was put back shows the end twice.
    return min(one for one in ends if one > now) if wall.fold else end.astimezone(UTC)
