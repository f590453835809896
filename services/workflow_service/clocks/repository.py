"""Timers, policy versions and calendars: what time is kept by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.workflow_service.calendars.domain.calendar import Window, WorkingCalendar
from services.workflow_service.clocks.domain.policy import Policy
from services.workflow_service.clocks.models import policies, timers
from shared.db.bulk import insert_rows, upsert_rows
from shared.kernel.errors import ConfigurationError
from shared.kernel.yaml_documents import InvalidDocument, read_yaml

POLICY_SETTING = "REDRESS_POLICY_FILE"


async def next_due(connection: AsyncConnection) -> datetime | None:
    """Return when the next timer is or was due: one look at the end of an index."""
    found: datetime | None = await connection.scalar(select(func.min(timers.c.due_at)))
    return found


async def due_timers(
    connection: AsyncConnection, now: datetime, *, limit: int
) -> Sequence[tuple[str, datetime]]:
    """Return complaint and due time of what is due, oldest first, without locking anything."""
    statement = (
        select(timers.c.complaint_id, timers.c.due_at)
        .where(timers.c.due_at <= now)
        .order_by(timers.c.due_at, timers.c.complaint_id)
        .limit(limit)
    )
    return [(row.complaint_id, row.due_at) for row in await connection.execute(statement)]


async def set_timers(
    connection: AsyncConnection, points: Sequence[tuple[str, datetime | None]]
) -> None:
    """Move each case's timer to its next point, or delete it where there is none.

    The caller holds the locks of the cases: nobody else writes these timers.
    """
    await upsert_rows(connection, timers, [point for point in points if point[1] is not None])
    gone = [case for case, at in points if at is None]
    if gone:
        await connection.execute(delete(timers).where(timers.c.complaint_id.in_(gone)))


async def postpone_timer(
    connection: AsyncConnection, complaint_id: str, *, seen: datetime, until: datetime
) -> None:
    """Try a timer again later, if it still is where it was seen.

    The case's clocks keep the time at which it was really due.
    """
    await connection.execute(
        update(timers)
        .where(timers.c.complaint_id == complaint_id, timers.c.due_at == seen)
        .values(due_at=until)
    )


def read_policy(path: Path | None) -> tuple[Policy, str]:
    """Read the policy file, or the default; raises ConfigurationError with line and reason."""
    document, name = _read(path, "policy.yaml", POLICY_SETTING)
    try:
        return read_yaml(document, Policy, name=name), document
    except InvalidDocument as wrong:
        raise ConfigurationError(POLICY_SETTING, wrong.detail) from None


async def keep_policy(
    connection: AsyncConnection, policy: Policy, document: str, *, now: datetime
) -> Mapping[str, Policy]:
    """Store the policy version for the cases opened under it; return all versions by label.

    Raises ConfigurationError where the same version was another policy before.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(text("LOCK TABLE policies IN SHARE ROW EXCLUSIVE MODE"))
    found = (await connection.execute(select(policies.c.label, policies.c.document))).all()
    known = {label: read_yaml(stored, Policy, name=label) for label, stored in found}
    earlier = known.get(policy.label)
    if earlier is None:
        await insert_rows(connection, policies, [(policy.label, document, now)])
    elif earlier != policy:
        raise ConfigurationError(
            POLICY_SETTING,
            f"{policy.label} was another policy before; raise `version` with every change",
        )
    return {**known, policy.label: policy}


def working_calendar(*, country: str, zone: ZoneInfo, windows: Sequence[Window]) -> WorkingCalendar:
    """Build the company's calendar: Monday to Friday less the public holidays of a country.

    Raises ConfigurationError for a country that the `holidays` package does not know.
    """
    if country != "none" and country not in holidays.list_supported_countries():
        raise ConfigurationError(
            "REDRESS_COUNTRY", f"{country!r} is no country with known holidays, such as CN, or none"
        )
    return WorkingCalendar(
        name=f"working-hours-{country.lower()}",
        zone=zone,
        windows={weekday: tuple(windows) for weekday in range(5)},
        days_off=_HolidaysOf(country),
    )


class _HolidaysOf:
    """Public holidays by year; the years are asked for one by one, as a calendar grows."""

    def __init__(self, country: str) -> None:
        self._country = country

    def __call__(self, year: int) -> frozenset[date]:
        return frozenset() if self._country == "none" else _public_holidays(self._country, year)


@cache
def _public_holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))


def _read(path: Path | None, default: str, setting: str) -> tuple[str, str]:
    if path is None:
        inside = files("services.workflow_service.clocks") / default
        return inside.read_text(encoding="utf-8"), default
    try:
        return path.read_text(encoding="utf-8"), path.name
    except (OSError, UnicodeDecodeError) as failure:
        raise ConfigurationError(setting, f"{path} cannot be read: {failure}") from None
