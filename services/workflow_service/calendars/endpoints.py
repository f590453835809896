"""`/v1/calendars` and `/v1/business-time`: when time counts, edited by versions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.workflow_service.calendars.domain.book import CalendarBook
from services.workflow_service.calendars.domain.calendar import WorkingCalendar
from services.workflow_service.calendars.domain.document import FIRST_YEAR, LAST_YEAR
from services.workflow_service.calendars.domain.edit import Edit
from services.workflow_service.calendars.schemas import (
    EXAMPLE,
    BusinessTimeAnswer,
    BusinessTimeBody,
    CalendarList,
    CalendarView,
    DayList,
    EditView,
    TimeSegment,
    WhatIfView,
)
from services.workflow_service.calendars.service import Calendars
from shared.http.auth import Principal, Scope, requires
from shared.http.documents import YAML, checked_name, read_document, version_named
from shared.http.query import KNOWN_QUERY
from shared.kernel.errors import FieldError, InvalidInput

MOST_DAYS = 3 * 366
LONGEST = timedelta(days=3660)
"""The longest stretch whose working time is asked for."""

Reader = Annotated[Principal, Depends(requires(Scope.CASES_READ))]
Writer = Annotated[Principal, Depends(requires(Scope.POLICIES_WRITE))]
IfMatch = Annotated[str | None, Header(description="ETag of the version read")]
DryRun = Annotated[bool, Query(description="Only tell what would change")]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What depends on calendars: `changed` is called when one has; `what_if` asks before."""

    changed: Callable[[], Awaitable[None]]
    what_if: Callable[[CalendarBook], Awaitable[WhatIfView]]


_YAML_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/yaml": {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}
_ICAL_EXAMPLE = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//hr//holidays//\r\nBEGIN:VEVENT\r\nUID:1\r\n"
    "DTSTART;VALUE=DATE:20270206\r\nDTEND;VALUE=DATE:20270213\r\nSUMMARY:春节\r\nEND:VEVENT\r\n"
    "BEGIN:VEVENT\r\nUID:2\r\nDTSTART;VALUE=DATE:20270220\r\nSUMMARY:春节补班\r\nEND:VEVENT\r\n"
    "END:VCALENDAR\r\n"
)
_ICAL_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"text/calendar": {"schema": {"type": "string"}, "example": _ICAL_EXAMPLE}},
    }
}


def router(calendars: Calendars, around: Surroundings) -> APIRouter:
    """Make the paths."""
    routes = APIRouter(prefix="/v1", tags=["calendars"], dependencies=[KNOWN_QUERY])
    _add_reading(routes, calendars)
    _add_days(routes, calendars)
    _add_editing(routes, calendars, around)
    _add_business_time(routes, calendars)
    return routes


def _add_reading(routes: APIRouter, calendars: Calendars) -> None:
    @routes.get("/calendars")
    async def list_calendars(_: Reader) -> CalendarList:
        """List the calendars as they are now."""
        book = calendars.book
        return CalendarList(items=[CalendarView.of(book.latest(name)) for name in book.versions])

    @routes.get("/calendars/{name}")
    async def get_calendar(name: str, response: Response, _: Reader) -> CalendarView:
        """Give a calendar as it is now."""
        version = calendars.book.latest(name)
        response.headers["ETag"] = f'"{version.version}"'
        return CalendarView.of(version)

    @routes.get("/calendars/{name}/versions")
    async def list_versions(name: str, _: Reader) -> CalendarList:
        """List every version of a calendar, the newest first."""
        calendars.book.latest(name)
        versions = reversed(calendars.book.versions[name])
        return CalendarList(items=[CalendarView.of(version) for version in versions])


def _add_days(routes: APIRouter, calendars: Calendars) -> None:
    @routes.get("/calendars/{name}/days")
    async def list_days(
        name: str,
        _: Reader,
        first: Annotated[date, Query(alias="from")],
        after: Annotated[date, Query(alias="to", description="Not included")],
    ) -> DayList:
        """Tell of each day whether it is worked on, and whether that is announced."""
        span = (after - first).days
        if first.year < FIRST_YEAR or after.year > LAST_YEAR:
            detail = f"days are known from {FIRST_YEAR} to {LAST_YEAR}"
            raise InvalidInput(detail, (FieldError("/query/from", "out_of_range", detail),))
        if not 0 < span <= MOST_DAYS:
            detail = f"`to` must lie after `from`, by {MOST_DAYS} days at most"
            raise InvalidInput(detail, (FieldError("/query/to", "invalid_span", detail),))
        version = calendars.book.latest(name)
        days = [first + timedelta(days=n) for n in range(span)]
        return DayList.of(calendars.book.current(name), version, days)


def _add_editing(routes: APIRouter, calendars: Calendars, around: Surroundings) -> None:
    @routes.put("/calendars/{name}", openapi_extra=_YAML_BODY)
    async def put_calendar(  # noqa: PLR0917 - FastAPI reads the request from them
        name: str,
        request: Request,
        response: Response,
        principal: Writer,
        dry_run: DryRun = False,
        if_match: IfMatch = None,
    ) -> EditView:
        """Load a calendar's next version; clocks that run go by it from then on."""
        text = await read_document(request, types=YAML, wanted="application/yaml")
        edit = await calendars.put(
            checked_name(name),
            text,
            by=principal.id,
            if_version=version_named(if_match),
            dry_run=dry_run,
        )
        if name in calendars.book.versions:
            response.headers["ETag"] = f'"{calendars.book.latest(name).version}"'
        return await _edited(edit, calendars, around, dry_run=dry_run)

    @routes.post("/calendars/{name}/days", openapi_extra=_ICAL_BODY)
    async def import_days(  # noqa: PLR0917 - FastAPI reads the request from them
        name: str,
        request: Request,
        response: Response,
        principal: Writer,
        dry_run: DryRun = False,
        if_match: IfMatch = None,
    ) -> EditView:
        """Add the all-day events of an iCalendar file to a calendar's own days.

        Holidays, or made-up working days where an event calls itself so: `班` or `working`.
        """
        # The parser is large, and such files are rare: it is loaded with the first of them.
        from services.workflow_service.calendars.repository.ical import read_days

        text = await read_document(request, types={"text/calendar"}, wanted="text/calendar")
        edit = await calendars.add_days(
            name,
            read_days(text, this_year=calendars.clock.now().year),
            by=principal.id,
            if_version=version_named(if_match),
            dry_run=dry_run,
        )
        if name in calendars.book.versions:
            response.headers["ETag"] = f'"{calendars.book.latest(name).version}"'
        return await _edited(edit, calendars, around, dry_run=dry_run)


async def _edited(
    edit: Edit, calendars: Calendars, around: Surroundings, *, dry_run: bool
) -> EditView:
    if not edit.is_new:
        return EditView.of(edit, dry_run=dry_run)
    if dry_run:
        would_be = await around.what_if(calendars.book.with_version(edit.version))
        return EditView.of(edit, dry_run=True, open_cases=would_be)
    await around.changed()
    return EditView.of(edit, dry_run=False)


def _end_of(body: BusinessTimeBody, calendar: WorkingCalendar, start: datetime) -> datetime:
    if body.end is not None:
        return body.end.astimezone(UTC)
    try:
        return calendar.add(start, body.add_seconds or 0)
    except OverflowError:
        raise _too_long(body) from None


def _too_long(body: BusinessTimeBody) -> InvalidInput:
    pointer = "/end" if body.end is not None else "/add_seconds"
    detail = "the stretch is longer than ten years"
    return InvalidInput(detail, (FieldError(pointer, "too_long", detail),))


def _add_business_time(routes: APIRouter, calendars: Calendars) -> None:
    @routes.post("/business-time")
    async def business_time(body: BusinessTimeBody, _: Reader) -> BusinessTimeAnswer:
        """Add working time to a start, or measure it up to an end, with every span on the way."""
        calendar = calendars.book.current(body.calendar)
        start = body.start.astimezone(UTC)
        end = _end_of(body, calendar, start)
        if end - start > LONGEST:
            raise _too_long(body)
        return BusinessTimeAnswer(
            calendar=calendar.name,
            start=start,
            end=end,
            counted_seconds=calendar.between(start, end),
            segments=[TimeSegment.of(part) for part in calendar.segments(start, end)],
        )
