"""Versions of calendars: stored, and loaded as a book."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.workflow_service.calendars.domain.book import CalendarBook, CalendarVersion
from services.workflow_service.calendars.domain.calendar import DayKind, SpecialDay
from services.workflow_service.calendars.domain.document import CalendarDocument
from services.workflow_service.calendars.models import calendar_sweeps, calendars
from services.workflow_service.calendars.repository.public_days import public_days
from shared.db.bulk import insert_rows, upsert_rows
from shared.kernel.yaml_documents import read_yaml

Years = Mapping[int, Mapping[date, SpecialDay]]


async def stamp_of(connection: AsyncConnection) -> int:
    """Return a number that changes with every version stored: cheap to ask for."""
    found: int = await connection.scalar(select(func.count()).select_from(calendars)) or 0
    return found


async def load_book(connection: AsyncConnection) -> CalendarBook:
    """Load every version of every calendar."""
    statement = select(calendars).order_by(calendars.c.name, calendars.c.version)
    versions: dict[str, list[CalendarVersion]] = {}
    for row in (await connection.execute(statement)).mappings():
        versions.setdefault(row["name"], []).append(
            CalendarVersion(
                name=row["name"],
                version=row["version"],
                document=read_calendar(row["document"], name=row["name"]),
                text=row["document"],
                special=_years(row["special"]),
                official_until=row["official_until"],
                valid_from=row["valid_from"],
                by=row["by"],
            )
        )
    return CalendarBook(versions, public_days)


async def seed_of(connection: AsyncConnection, name: str) -> str | None:
    """Return what the settings made the last version of; None where a person made it."""
    statement = (
        select(calendars.c.seed)
        .where(calendars.c.name == name)
        .order_by(calendars.c.version.desc())
        .limit(1)
    )
    found: str | None = await connection.scalar(statement)
    return found


async def add_version(
    connection: AsyncConnection, version: CalendarVersion, *, seed: str | None = None
) -> None:
    """Store a version; raises IntegrityError where another replica was first."""
    special = {
        str(year): {day.isoformat(): [found.kind.value, found.name] for day, found in days.items()}
        for year, days in version.special.items()
    }
    row = (
        version.name,
        version.version,
        version.text,
        special,
        version.official_until,
        seed,
        version.valid_from,
        version.by,
    )
    await insert_rows(connection, calendars, [row])
    if version.version > 1:
        await _begin_sweep(connection, version)


async def _begin_sweep(connection: AsyncConnection, version: CalendarVersion) -> None:
    """Have the clocks of open cases follow, from the first case on."""
    sweep = (version.name, version.version, "")
    await upsert_rows(connection, calendar_sweeps, [sweep])


def read_calendar(text: str, *, name: str) -> CalendarDocument:
    """Read a calendar; raises InvalidDocument with line and reason."""
    return read_yaml(text, CalendarDocument, name=name)


def _years(stored: Mapping[str, Mapping[str, Any]]) -> Years:
    return {
        int(year): {
            date.fromisoformat(day): SpecialDay(DayKind(kind), name)
            for day, (kind, name) in days.items()
        }
        for year, days in stored.items()
    }
