"""Customers of a group of complaints: recognised, made where new, their keys at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from services.intake_service.customers.domain.contact import Contact
from services.intake_service.customers.domain.identification import Identity, identify
from services.intake_service.customers.repository import KnownCustomer
from shared.events.words import Tier
from shared.kernel.ids import new_id
from shared.kernel.vault import DataKey, Vault


class KeyRing:
    """Customers' data keys and blind indexes, made with the service's vault.

    Opened keys are not kept: opening one takes two microseconds, keeping it four kilobytes, and
    what is not kept cannot outlast an erasure.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def make(self) -> DataKey:
        """Make a key for a new customer."""
        return self._vault.new_data_key()

    def open(self, wrapped: bytes) -> DataKey:
        """Open a stored key; raises Undecryptable under another master key."""
        return self._vault.open_data_key(wrapped)

    def identities(self, contact: Contact) -> tuple[Identity, ...]:
        """Return by what a customer is known, as blind indexes, strongest first."""
        return tuple(
            Identity(kind, self._vault.blind_index(kind, value))
            for kind, value in contact.identities()
        )

    def reference(self, kind: str, value: str | None) -> bytes | None:
        """Return the blind index of an order or contract; people type them in either case."""
        return self._vault.blind_index(kind, value.casefold()) if value else None


@dataclass(slots=True)
class Person:
    """A customer while a group is written; `changed` and `is_new` say what must be stored."""

    id: str
    key: DataKey
    details: dict[str, str]
    tier: str
    locale: str | None
    is_new: bool
    changed: bool = False

    def learn(self, contact: Contact) -> None:
        """Take over what was not known yet; a tier that a sender states is the newest."""
        for field in ("name", "phone", "email", "crm_id"):
            value = getattr(contact, field)
            if value and field not in self.details:
                self.details[field] = value
                self.changed = True
        if contact.tier and contact.tier != self.tier:
            self.tier = contact.tier
            self.changed = True
        if contact.locale and not self.locale:
            self.locale = contact.locale
            self.changed = True


@dataclass(frozen=True, slots=True)
class NewIdentity:
    """An identity that now belongs to a customer."""

    identity: Identity
    customer_id: str


@dataclass(frozen=True, slots=True)
class MergeCandidate:
    """Two customers that one complaint spoke of as one."""

    customer_id: str
    other_id: str
    complaint_id: str


class People:
    """The customers of one group. Several complaints of one new person find the same customer."""

    def __init__(self, keys: KeyRing, known: Mapping[bytes, KnownCustomer]) -> None:
        self._keys = keys
        self._owners = {index: customer.id for index, customer in known.items()}
        self._stored = {customer.id: customer for customer in known.values()}
        self.persons: dict[str, Person] = {}
        self.identities: list[NewIdentity] = []
        self.candidates: list[MergeCandidate] = []

    def identify(
        self, contact: Contact, identities: Sequence[Identity], *, complaint_id: str
    ) -> Person:
        """Return the customer of one complaint, made anew where nobody is known by its contact."""
        match = identify(identities, self._owners)
        person = self._person(match.customer_id)
        person.learn(contact)
        for identity in match.unclaimed:
            self._owners[identity.blind_index] = person.id
            self.identities.append(NewIdentity(identity, person.id))
        for other in match.others:
            self.candidates.append(MergeCandidate(person.id, other, complaint_id))
        return person

    def _person(self, customer_id: str | None) -> Person:
        if customer_id is None:
            fresh = Person(new_id(), self._keys.make(), {}, Tier.STANDARD, None, is_new=True)
            self.persons[fresh.id] = fresh
            return fresh
        if customer_id not in self.persons:
            self.persons[customer_id] = self._recall(self._stored[customer_id])
        return self.persons[customer_id]

    def _recall(self, stored: KnownCustomer) -> Person:
        key = self._keys.open(stored.data_key)
        details = open_details(stored.id, stored.details, key)
        return Person(stored.id, key, details, stored.tier, stored.locale, is_new=False)


def seal_details(person: Person) -> bytes:
    """Encrypt what is known of a customer under their key."""
    text = orjson.dumps(person.details).decode()
    return person.key.encrypt(text, context=f"customer:{person.id}")


def open_details(customer_id: str, details: bytes | None, key: DataKey) -> dict[str, str]:
    """Decrypt what is known of a customer; raises Undecryptable where it was altered."""
    if details is None:
        return {}
    found: dict[str, str] = orjson.loads(key.decrypt(details, context=f"customer:{customer_id}"))
    return found
