"""Read complaints: open their words where the key still exists, mask them unless revealed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake_service.complaints.domain.words import Words
from services.intake_service.complaints.repository import reading
from services.intake_service.complaints.repository.reading import (
    ListFilter,
    Milestone,
    StoredAddition,
    StoredComplaint,
)
from services.intake_service.complaints.service.sealing import open_words
from services.intake_service.customers.domain.contact import Contact
from services.intake_service.customers.repository import record_looks
from services.intake_service.customers.service import KeyRing, open_details
from shared.kernel.errors import NotFound
from shared.kernel.ids import parse_number
from shared.messaging import Messaging


class UnknownComplaint(NotFound):
    """No complaint has this id or number."""

    code = "unknown-complaint"
    title = "There is no such complaint"


class MistypedNumber(NotFound):
    """The number's check character does not fit: a character was misheard or mistyped."""

    code = "mistyped-number"
    title = "This complaint number is mistyped"


@dataclass(frozen=True, slots=True)
class OpenAddition:
    """An addition with its words; None where the customer was erased."""

    stored: StoredAddition
    text: str | None


@dataclass(frozen=True, slots=True)
class OpenComplaint:
    """A complaint with its words; None where the customer was erased."""

    stored: StoredComplaint
    words: Words | None
    contact: Contact
    additions: tuple[OpenAddition, ...] = ()
    milestones: tuple[Milestone, ...] = ()


class Reader:
    """Reads complaints for those who may see them."""

    def __init__(self, messaging: Messaging, keys: KeyRing) -> None:
        self._database = messaging.database
        self._clock = messaging.clock
        self._keys = keys

    async def read(self, reference: str) -> OpenComplaint:
        """Return a complaint by id or number; raises UnknownComplaint or MistypedNumber."""
        async with self._database.read() as connection:
            return await self.read_within(connection, reference)

    async def read_within(self, connection: AsyncConnection, reference: str) -> OpenComplaint:
        """Do the same as `read` within a transaction: what it has changed is seen."""
        id_, number = resolve(reference)
        stored = await reading.find(connection, id_=id_, number=number)
        if stored is None:
            raise UnknownComplaint(f"No complaint is known as {reference}.")
        added = await reading.additions_of(connection, stored.id)
        return self.open(stored, additions=added)

    async def find_id(self, reference: str) -> str:
        """Return the id of a complaint; raises UnknownComplaint or MistypedNumber."""
        id_, number = resolve(reference)
        if id_ is not None:
            return id_
        async with self._database.read() as connection:
            stored = await reading.find(connection, number=number)
        if stored is None:
            raise UnknownComplaint(f"No complaint is known as {reference}.")
        return stored.id

    async def by_token(self, token_hash: bytes) -> OpenComplaint | None:
        """Return the complaint of a tracking token with its milestones, None for an unknown one."""
        async with self._database.read() as connection:
            stored = await reading.find_by_token(connection, token_hash)
            if stored is None:
                return None
            added = await reading.additions_of(connection, stored.id)
            passed = await reading.milestones_of(connection, stored.id)
        return self.open(stored, additions=added, milestones=passed)

    async def page(
        self, wanted: ListFilter, *, before: str | None, fetch: int
    ) -> list[OpenComplaint]:
        """Return complaints, the newest first."""
        async with self._database.read() as connection:
            rows = await reading.list_page(connection, wanted, before=before, fetch=fetch)
        return [self.open(row) for row in rows]

    async def many(self, complaint_ids: Collection[str]) -> list[OpenComplaint]:
        """Return these complaints; unknown and erased ones are absent."""
        async with self._database.read() as connection:
            rows = await reading.find_many(connection, complaint_ids)
        return [self.open(row) for row in rows if row.data_key is not None]

    async def record_looks(
        self, seen: Sequence[OpenComplaint], *, principal: str, purpose: str
    ) -> None:
        """Write down who saw these complaints' personal data, before it is shown."""
        async with self._database.write() as connection:
            await record_looks(
                connection,
                [(one.stored.id, one.stored.customer_id) for one in seen],
                principal=principal,
                purpose=purpose,
                at=self._clock.now(),
            )

    def open(
        self,
        stored: StoredComplaint,
        *,
        additions: Sequence[StoredAddition] = (),
        milestones: Sequence[Milestone] = (),
    ) -> OpenComplaint:
        """Open what is sealed; the contact is as given with the complaint, else as known."""
        if stored.data_key is None:
            sealed = tuple(OpenAddition(addition, None) for addition in additions)
            return OpenComplaint(stored, None, Contact(), sealed, tuple(milestones))
        key = self._keys.open(stored.data_key)
        words = open_words(stored.words, key, complaint_id=stored.id)
        known = open_details(stored.customer_id, stored.details, key)
        return OpenComplaint(
            stored,
            words,
            _contact(words.contact, known),
            tuple(
                OpenAddition(
                    addition, key.decrypt(addition.text, context=f"addition:{addition.id}")
                )
                for addition in additions
            ),
            tuple(milestones),
        )


def resolve(reference: str) -> tuple[str | None, str | None]:
    """Tell an id from a number: (id, None) or (None, number); raises MistypedNumber."""
    if len(reference) > 16:
        return reference, None
    number = parse_number(reference)
    if number is None:
        raise MistypedNumber(
            f"{reference} is no complaint number: its check character does not fit."
            " Numbers look like 7K3F-9Q2M-X; please read it again."
        )
    return None, number


def _contact(given: Contact, known: dict[str, str]) -> Contact:
    return Contact(
        name=given.name or known.get("name"),
        phone=given.phone or known.get("phone"),
        email=given.email or known.get("email"),
        crm_id=given.crm_id or known.get("crm_id"),
        tier=given.tier,
        locale=given.locale,
    )
