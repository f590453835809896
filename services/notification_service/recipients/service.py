"""Ask who is told and in which words, many at once; people are remembered for a minute."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from services.notification_service.recipients.schemas import (
    Contact,
    Contacts,
    People,
    Person,
    Tracked,
    Words,
    WordsFound,
)
from shared.http.client import JsonObject, ServiceClient, ServiceRefused
from shared.kernel.clock import Clock
from shared.kernel.errors import NotFound, Unavailable

_PEOPLE_KEPT = timedelta(minutes=1)

M = TypeVar("M", bound=BaseModel)


class Directory:
    """Contacts and words from their owners, by HTTP in both profiles."""

    def __init__(self, *, intake: ServiceClient, workflow: ServiceClient, clock: Clock) -> None:
        self._intake = intake
        self._workflow = workflow
        self._clock = clock
        self._people: Mapping[str, Person] = {}
        self._people_until: datetime | None = None

    async def contacts(self, complaint_ids: Sequence[str]) -> Mapping[str, Contact]:
        """Return the customers' contacts by complaint; raises Unavailable."""
        if not complaint_ids:
            return {}
        asking = self._intake.post(
            "/v1/internal/intake/contacts", {"complaint_ids": list(complaint_ids)}
        )
        found = await _read(asking, Contacts)
        return {contact.complaint_id: contact for contact in found.items}

    async def words(self, ids: Sequence[str]) -> Mapping[str, Words]:
        """Return words by id; raises Unavailable."""
        if not ids:
            return {}
        asking = self._workflow.post("/v1/internal/workflow/words", {"ids": list(ids)})
        found = await _read(asking, WordsFound)
        return {words.id: words for words in found.items}

    async def people(self) -> Mapping[str, Person]:
        """Return the staff by id, at most a minute old; raises Unavailable."""
        now = self._clock.now()
        if self._people_until is None or not now < self._people_until:
            found = await _read(self._workflow.get("/v1/internal/workflow/people"), People)
            self._people = {person.id: person for person in found.items}
            self._people_until = now + _PEOPLE_KEPT
        return self._people

    async def customer_of(self, token: str) -> str | None:
        """Return whose complaint a tracking link leads to, None for nobody's.

        Raises Unavailable.
        """
        asking = self._intake.post("/v1/internal/intake/tracked", {"token": token})
        found = await _read(asking, Tracked)
        return found.customer_id

    async def close(self) -> None:
        """Close the connections."""
        await self._intake.close()
        await self._workflow.close()


async def _read(asking: Awaitable[JsonObject], model: type[M]) -> M:
    """Read an answer; one that makes no sense is Unavailable too: messages wait, and it is logged.

    Two services of different versions disagree for a moment during an upgrade; giving messages up
    for it would be wrong.
    """
    try:
        return model.model_validate(await asking)
    except (NotFound, ServiceRefused) as failure:
        raise Unavailable(failure.detail) from failure
    except ValidationError as wrong:
        raise Unavailable(f"an answer is not understood: {wrong.error_count()} fields") from wrong
