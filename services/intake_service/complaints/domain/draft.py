"""A complaint made ready to be stored: named, classified, located; only its customer is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.intake_service.complaints.domain.new_complaint import NewComplaint
from services.intake_service.complaints.domain.repeats import Matter, ReferenceKeys
from services.intake_service.complaints.domain.words import ReasonGiven, Words
from services.intake_service.customers.domain.identification import Identity
from services.intake_service.triage.domain.classification import Classification


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything about a new complaint that is known before its group is written."""

    id: str
    number: str
    token: str
    new: NewComplaint
    received_at: datetime
    classification: Classification
    graded_for: str
    identities: tuple[Identity, ...]
    h3: str | None
    reference_keys: ReferenceKeys
    traceparent: str | None

    @property
    def locale(self) -> str:
        """The language to write to this customer in: as stated, else that of the text."""
        if self.new.contact.locale:
            return self.new.contact.locale
        return "zh-CN" if self.classification.language == "zh" else "en"

    @property
    def matter(self) -> Matter:
        """What it is about, to be compared with the customer's other complaints."""
        product = self.new.references.product
        return Matter(self.classification.category, self.reference_keys, product)

    def words(self) -> Words:
        """Return what is kept under the customer's key."""
        reasons = self.classification.reasons
        return Words(
            description=self.new.description,
            contact=self.new.contact,
            references=self.new.references,
            place=self.new.place,
            people=self.new.people,
            reasons=tuple(ReasonGiven(r.rule, r.evidence, r.effect) for r in reasons),
            token=self.token,
        )
