"""A complaint that is to be recorded, whichever door it came through."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from services.intake_service.customers.domain.contact import Contact
from shared.events.complaints import Recorded


class SourceReference(NamedTuple):
    """Where a complaint stood before: the pair is unique for ever."""

    system: str
    id: str


@dataclass(frozen=True, slots=True)
class References:
    """What the complaint is about in the company's own systems."""

    order: str | None = None
    contract: str | None = None
    product: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where it happened. `region` is ISO 3166-2 or of the company's own list; degrees WGS 84."""

    region: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class NewComplaint:
    """What a sender said, checked: phone in E.164, instants aware, words from the closed lists.

    `received_at` is None for a complaint that arrives now; an import gives the original instant.
    `category` None leaves the choice to the rules. `recorded` is what an import's source had
    written down about the handling.
    """

    channel: str
    description: str
    contact: Contact = field(default_factory=Contact)
    source: SourceReference | None = None
    occurred_at: datetime | None = None
    received_at: datetime | None = None
    references: References = field(default_factory=References)
    place: Place = field(default_factory=Place)
    people: tuple[str, ...] = ()
    demands: tuple[str, ...] = ()
    category: str | None = None
    imported: bool = False
    recorded: Recorded | None = None


class RecordOutcome(NamedTuple):
    """What became of one row: recorded under a new id, or known before under `complaint_id`."""

    kind: Literal["accepted", "existing"]
    complaint_id: str
