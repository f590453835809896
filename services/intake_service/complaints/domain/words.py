"""What a customer said and gave: everything that is kept under their key and never in an event."""

from __future__ import annotations

from dataclasses import dataclass

from services.intake_service.complaints.domain.new_complaint import Place, References
from services.intake_service.customers.domain.contact import Contact


@dataclass(frozen=True, slots=True)
class ReasonGiven:
    """Why the classification is as it is; `evidence` may be the customer's own words."""

    rule: str
    evidence: str
    effect: str


@dataclass(frozen=True, slots=True)
class Words:
    """The confidential part of a complaint, as received."""

    description: str
    contact: Contact
    references: References
    place: Place
    people: tuple[str, ...]
    reasons: tuple[ReasonGiven, ...]
    token: str
