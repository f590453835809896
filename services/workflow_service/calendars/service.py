"""Calendars at work: loaded as a book, edited by versions, kept in step with the country's."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.workflow_service.calendars.domain.book import (
    CalendarBook,
    CalendarVersion,
    UnknownCalendar,
)
from services.workflow_service.calendars.domain.document import CalendarDocument
from services.workflow_service.calendars.domain.edit import Edit, differences, has_learned
from services.workflow_service.calendars.repository import storage
from services.workflow_service.calendars.repository.public_days import (
    is_known,
    official_until,
    public_days,
)
from shared.db.database import Database
from shared.kernel import logging
from shared.kernel.clock import Clock
from shared.kernel.errors import FieldError, InvalidInput, PreconditionFailed

log = logging.get(__name__)

COMPANY = "company"
"""The calendar that the settings make, and that policies use where they name no other."""

SYSTEM = "system"
ALARM_BEFORE = timedelta(days=45)
"""So long before a year that is not announced begins, its provisional days are an alarm."""

_PROVISIONAL = Gauge(
    "calendar_days_until_provisional",
    "Days until a calendar's days are no longer announced by its country",
    ["calendar"],
)


@dataclass(slots=True)
class Calendars:
    """The service's calendars. `book` is replaced, never changed: who decides keeps the old one."""

    database: Database
    clock: Clock
    seeds: Mapping[str, CalendarDocument]
    book: CalendarBook = field(default_factory=lambda: CalendarBook({}, public_days))
    _stamp: int = 0

    async def open(self) -> None:
        """Make the calendars of the settings, and take in what countries have announced."""
        async with self.database.write() as connection:
            await _lock(connection)
            book = await storage.load_book(connection)
            for version, seed in await self._due_versions(connection, book):
                await storage.add_version(connection, version, seed=seed)
                log.info("calendar.version", calendar=version.label, by=version.by)
            await self.load(connection)

    async def _due_versions(
        self, connection: AsyncConnection, book: CalendarBook
    ) -> Sequence[tuple[CalendarVersion, str | None]]:
        """Return what has to be stored, and with each what it is made of by settings.

        Calendars that are new, or made of other settings than before, and those whose country has
        announced more since.
        """
        found: dict[str, tuple[CalendarVersion, str | None]] = {}
        for name, document in self.seeds.items():
            seed = _text(document)
            made_of = await storage.seed_of(connection, name)
            if name not in book.versions or (made_of is not None and made_of != seed):
                found[name] = (self._next(book, name, seed, document, SYSTEM), seed)
        for name in book.versions.keys() - found.keys():
            latest = book.latest(name)
            known = self._next(book, name, latest.text, latest.document, SYSTEM)
            if has_learned(latest, known):
                found[name] = (known, await storage.seed_of(connection, name))
        return list(found.values())

    def names(self) -> Collection[str]:
        """Return the names of all calendars."""
        return self.book.versions.keys()

    async def load(self, connection: AsyncConnection) -> None:
        """Load the book anew and say how long its days are announced."""
        self._stamp = await storage.stamp_of(connection)
        self.book = await storage.load_book(connection)
        self.watch()

    async def refresh(self, connection: AsyncConnection) -> bool:
        """Load the book where another replica stored a version; tell whether it did."""
        if await storage.stamp_of(connection) == self._stamp:
            return False
        await self.load(connection)
        return True

    def watch(self) -> None:
        """Measure and log how near the first year is whose days are not announced."""
        for name in self.book.versions:
            left = self.provisional_in(name)
            if left is None:
                continue
            _PROVISIONAL.labels(name).set(left.days)
            if left <= ALARM_BEFORE:
                log.warning("calendar.provisional", calendar=name, days_left=left.days)

    def provisional_in(self, name: str) -> timedelta | None:
        """Return how long a calendar's days are announced; None where they follow from rules."""
        version = self.book.latest(name)
        if version.official_until is None:
            return None
        today = self.clock.now().astimezone(version.document.zone).date()
        year = next(y for y in range(today.year, today.year + 200) if version.is_provisional(y))
        return max(timedelta(0), date(year, 1, 1) - today)

    async def put(
        self, name: str, document: str, *, by: str, if_version: int | None, dry_run: bool = False
    ) -> Edit:
        """Store a calendar's next version, or with `dry_run` only tell what it would change.

        Raises InvalidDocument with line and reason, and PreconditionFailed where the calendar is
        no longer at `if_version`. The same document again makes no version.
        """
        # In a thread: a large document must not hold up whoever else is answered here.
        read = await asyncio.to_thread(storage.read_calendar, document, name=f"{name}.yaml")
        _check_country(read.holidays)
        async with self.database.write() as connection:
            await _lock(connection)
            await self.refresh(connection)
            before = self._found(name)
            _check_version(name, before, if_version)
            edit = self._edit(name, document, read, before, by)
            if edit.is_new and not dry_run:
                await storage.add_version(connection, edit.version)
        if edit.is_new and not dry_run:
            async with self.database.read() as connection:
                await self.load(connection)
        return edit

    async def add_days(
        self,
        name: str,
        days: Mapping[date, str],
        *,
        by: str,
        if_version: int | None,
        dry_run: bool = False,
    ) -> Edit:
        """Add days to those a calendar has of its own, as `put` does; raises UnknownCalendar."""
        version = self.book.latest(name)
        own = {**version.document.days, **days}
        document = _with_days(version.document, {day: own[day] for day in sorted(own)})
        present = version.version if if_version is None else if_version
        return await self.put(name, document, by=by, if_version=present, dry_run=dry_run)

    def _edit(
        self,
        name: str,
        document: str,
        read: CalendarDocument,
        before: CalendarVersion | None,
        by: str,
    ) -> Edit:
        after = self._next(self.book, name, document, read, by)
        if before is not None and before.document == read and not has_learned(before, after):
            return Edit(before, is_new=False, changes=(), windows_changed=False)
        windows = before is None or (
            before.document.by_weekday != read.by_weekday
            or before.document.timezone != read.timezone
        )
        return Edit(after, True, differences(before, after, self._years(), public_days), windows)

    def _found(self, name: str) -> CalendarVersion | None:
        try:
            return self.book.latest(name)
        except UnknownCalendar:
            return None

    def _next(
        self, book: CalendarBook, name: str, document: str, read: CalendarDocument, by: str
    ) -> CalendarVersion:
        now = self.clock.now()
        return CalendarVersion(
            name=name,
            version=len(book.versions.get(name, ())) + 1,
            document=read,
            text=document,
            special={year: public_days(read.holidays, year) for year in self._years()},
            official_until=official_until(read.holidays, now.year),
            valid_from=now,
            by=by,
        )

    def _years(self) -> range:
        year = self.clock.now().year
        return range(year - 2, year + 3)


def _check_country(country: str) -> None:
    if not is_known(country):
        detail = f"{country!r} is no country with known holidays, such as CN or DE-BY, or none"
        raise InvalidInput(detail, (FieldError("/holidays", "unknown_country", detail),))


def _check_version(name: str, before: CalendarVersion | None, if_version: int | None) -> None:
    present = before.version if before else 0
    if if_version is not None and if_version != present:
        raise PreconditionFailed(
            f"{name} is at version {present}, If-Match names {if_version}: read it again"
        )


async def _lock(connection: AsyncConnection) -> None:
    # SQLite has one writer anyway.
    if connection.dialect.name == "postgresql":
        await connection.execute(text("LOCK TABLE calendars IN SHARE ROW EXCLUSIVE MODE"))


def _text(document: CalendarDocument) -> str:
    lines = [f"timezone: {document.timezone}", f"holidays: {document.holidays}", "windows:"]
    for words, windows in document.windows.items():
        told = ", ".join(f'"{_clock(w.opens)}-{_clock(w.closes)}"' for w in windows)
        lines.append(f'  "{words}": [{told}]')
    return "\n".join(lines) + "\n"


def _with_days(document: CalendarDocument, days: Mapping[date, str]) -> str:
    """Return a calendar as YAML, with other days of its own; comments are lost."""
    lines = [_text(document).rstrip()]
    if document.official:
        lines.append(f"official: {list(document.official)}")
    lines.append("days:")
    lines += [f"  {day.isoformat()}: {kind}" for day, kind in days.items()]
    return "\n".join(lines) + "\n"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
