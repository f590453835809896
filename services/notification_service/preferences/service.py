"""Read and change a customer's preferences."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.preferences.domain.choices import NOTHING_CHOSEN, Preferences
from services.notification_service.preferences.repository import stored as repository
from services.notification_service.preferences.repository.stored import Stored
from services.notification_service.recipients.service import Directory
from shared.kernel.errors import NotFound, PreconditionFailed
from shared.messaging import Messaging, UnitOfWork

SHOWN_CHANGES = 20
CUSTOMER = "customer"
"""Who changed it, where it was the customer themself."""

Knows = Callable[[AsyncConnection, str], Awaitable[bool]]
"""Tells whether a complaint of this customer was heard of."""

Changed = Callable[[UnitOfWork, str], Awaitable[None]]
"""Has what waits for this customer go by their new choices, in the same transaction."""


class UnknownCustomer(NotFound):
    """No complaint of a customer with this id is known."""

    code = "unknown-customer"
    title = "There is no such customer"


@dataclass(frozen=True, slots=True)
class Seen:
    """Preferences with the changes that led to them, newest first; one more than is shown."""

    stored: Stored
    changes: list[Stored]


class PreferenceBook:
    """Every customer's preferences."""

    def __init__(self, messaging: Messaging, *, knows: Knows, changed: Changed) -> None:
        self._messaging = messaging
        self._knows = knows
        self._changed = changed

    async def read(self, customer_id: str) -> Seen:
        """Return a customer's preferences; raises UnknownCustomer."""
        async with self._messaging.database.read() as connection:
            await self._check(connection, customer_id)
            found = await repository.read(connection, customer_id)
            return await self._seen(connection, found or _nothing(customer_id))

    async def zone(self, customer_id: str) -> str | None:
        """Return the time zone that a customer chose, None where they chose none."""
        async with self._messaging.database.read() as connection:
            found = await repository.read(connection, customer_id)
        return found.chosen.timezone if found else None

    async def put(
        self, customer_id: str, chosen: Preferences, *, by: str, if_version: int | None
    ) -> Seen:
        """Write all of a customer's preferences; the same again is no change.

        Raises UnknownCustomer, and PreconditionFailed where another version stands.
        """
        async with self._messaging.unit_of_work() as work:
            await self._check(work.connection, customer_id)
            present = await repository.lock(work.connection, customer_id, NOTHING_CHOSEN)
            if if_version is not None and if_version != present.version:
                raise PreconditionFailed(
                    f"the preferences are at version {present.version}, "
                    f"If-Match names {if_version}: read them again"
                )
            if chosen != present.chosen:
                version = present.version + 1
                present = Stored(customer_id, version, chosen, by, work.now)
                await repository.change(work.connection, present)
                await self._changed(work, customer_id)
            return await self._seen(work.connection, present)

    async def _check(self, connection: AsyncConnection, customer_id: str) -> None:
        if not await self._knows(connection, customer_id):
            raise UnknownCustomer("No complaint of a customer with this id was heard of.")

    async def _seen(self, connection: AsyncConnection, stored: Stored) -> Seen:
        limit = SHOWN_CHANGES + 1
        return Seen(stored, await repository.changes(connection, stored.customer_id, limit=limit))


def _nothing(customer_id: str) -> Stored:
    return Stored(customer_id, 0, NOTHING_CHOSEN, None, None)


class OwnPreferences:
    """A customer's own preferences, by the unguessable token of their tracking link."""

    def __init__(self, book: PreferenceBook, directory: Directory) -> None:
        self._book = book
        self._directory = directory

    async def look(self, token: str) -> Seen:
        """Return what the link's customer chose; raises UnknownCustomer."""
        return await self._book.read(await self._customer(token))

    async def change(self, token: str, to: Callable[[Preferences], Preferences]) -> None:
        """Change what they chose; raises UnknownCustomer and what `to` raises."""
        customer_id = await self._customer(token)
        seen = await self._book.read(customer_id)
        await self._book.put(customer_id, to(seen.stored.chosen), by=CUSTOMER, if_version=None)

    async def unsubscribe(self, token: str) -> None:
        """Have nothing sent any more but what we owe; once more changes nothing."""
        await self.change(token, lambda chosen: chosen.model_copy(update={"do_not_contact": True}))

    async def _customer(self, token: str) -> str:
        found = await self._directory.customer_of(token)
        if found is None:
            raise UnknownCustomer("Please check the link: open it exactly as it was sent.")
        return found
