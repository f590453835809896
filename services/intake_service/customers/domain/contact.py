"""Contact details as a complaint gives them, and the identities in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class IdentityKind(StrEnum):
    """By what a customer is known again, strongest first."""

    CRM = "crm"
    PHONE = "phone"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Contact:
    """Who complains and how to reach them. `phone` is E.164; `tier` None leaves it as it was."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    crm_id: str | None = None
    tier: str | None = None
    locale: str | None = None

    @property
    def anonymous(self) -> bool:
        """Nothing is known by which this customer could be found again."""
        return not (self.phone or self.email or self.crm_id)

    def identities(self) -> Iterator[tuple[IdentityKind, str]]:
        """Yield what the customer is known by, strongest first, each in the form it is compared in.

        E-mail addresses are compared without regard to case: no provider in use tells them apart.
        """
        if self.crm_id:
            yield IdentityKind.CRM, self.crm_id
        if self.phone:
            yield IdentityKind.PHONE, self.phone
        if self.email:
            yield IdentityKind.EMAIL, self.email.casefold()
