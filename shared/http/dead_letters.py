"""What operators do with parked and dead events over HTTP, the same in every service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Protocol

import orjson
from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import AwareDatetime, BaseModel, JsonValue

from shared.http.auth import Scope, requires
from shared.http.pagination import Page, Paging, cut, foreign_cursor, link_next
from shared.messaging.dead_letters import DeadLetter, Outcome

_IDS_END = 1 << 63
_ID_DIGITS = 19


class Letters(Protocol):
    """What the router needs; `shared.messaging.DeadLetters` is one."""

    async def list(self, *, after: int = 0, limit: int = 100) -> Sequence[DeadLetter]:
        """Return letters with an id above `after`, oldest first."""
        ...

    async def show(self, letter_id: int) -> DeadLetter:
        """Return one letter."""
        ...

    async def retry(self, letter: int | str) -> Outcome:
        """Handle a letter, or all of a complaint, again."""
        ...

    async def drop(self, letter: int | str) -> Outcome:
        """Give a letter up."""
        ...


class LetterSummary(BaseModel):
    """One event that could not be handled."""

    id: int
    state: str
    reason: str
    complaint_id: str | None
    source: str | None
    sequence: int | None
    type: str | None
    created_at: AwareDatetime

    @classmethod
    def of(cls, letter: DeadLetter) -> LetterSummary:
        """Describe a letter without its record."""
        return cls.model_validate(letter, from_attributes=True)


class LetterDetail(LetterSummary):
    """The same with the record as it came; `data` is text where it is no JSON."""

    topic: str
    partition: int
    offset: int
    key: str
    logged_at: AwareDatetime
    headers: dict[str, str]
    data: JsonValue


class RetryOutcome(BaseModel):
    """How many events were handled, how many still wait, and why."""

    handled: int
    waiting: int
    reason: str | None = None


def dead_letter_router(service: str, letters: Letters) -> APIRouter:
    """Make `/v1/internal/<service>/dead-letters` and what lies under it, for the scope admin."""
    routes = APIRouter(
        prefix=f"/v1/internal/{service}/dead-letters",
        dependencies=[Depends(requires(Scope.ADMIN))],
        include_in_schema=False,
    )

    @routes.get("")
    async def list_letters(
        page: Paging, request: Request, response: Response
    ) -> Page[LetterSummary]:
        """List what waits or is dead, oldest first."""
        after = page.after[0] if page.after else 0
        if not isinstance(after, int):
            raise foreign_cursor()
        found = await letters.list(after=after, limit=page.fetch)
        kept, cursor = cut(found, page, lambda letter: (letter.id,))
        link_next(request, response, cursor)
        return Page(items=[LetterSummary.of(letter) for letter in kept], next_cursor=cursor)

    @routes.get("/{letter}")
    async def show_letter(letter: Annotated[int, Path(lt=_IDS_END)]) -> LetterDetail:
        """Show one with its headers and data."""
        return _detail(await letters.show(letter))

    @routes.post("/{letter}/retry")
    async def retry_letter(letter: str) -> RetryOutcome:
        """Handle it again and what waits behind it; a complaint's id takes all of it."""
        return _outcome(await letters.retry(_named(letter)))

    @routes.post("/{letter}/drop")
    async def drop_letter(letter: str) -> RetryOutcome:
        """Give it up for good and handle what waits behind it."""
        return _outcome(await letters.drop(_named(letter)))

    return routes


def _named(letter: str) -> int | str:
    return int(letter) if letter.isdecimal() and len(letter) < _ID_DIGITS else letter


def _outcome(outcome: Outcome) -> RetryOutcome:
    return RetryOutcome.model_validate(outcome, from_attributes=True)


def _detail(letter: DeadLetter) -> LetterDetail:
    record = letter.record
    return LetterDetail(
        **LetterSummary.of(letter).model_dump(),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        logged_at=datetime.fromtimestamp(record.timestamp_ms / 1000, UTC),
        headers={name: value.decode("utf-8", "replace") for name, value in record.headers},
        data=_data(record.value),
    )


def _data(value: bytes) -> JsonValue:
    try:
        found: JsonValue = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value.decode("utf-8", "replace")
    return found
