"""Make a complaint ready to be stored: name, classify and locate it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import h3

from services.intake_service.complaints.domain.draft import Draft
from services.intake_service.complaints.domain.new_complaint import NewComplaint, Place
from services.intake_service.complaints.domain.repeats import ReferenceKeys
from services.intake_service.customers.domain.identification import Identity
from services.intake_service.customers.service import KeyRing
from services.intake_service.triage.domain.classification import Classification
from shared.events.words import Tier
from shared.kernel.ids import new_id, new_number, new_token

H3_RESOLUTION = 7


class Classifier(Protocol):
    """Who classifies: `triage.service.Triage`."""

    def classify(
        self,
        *,
        description: str,
        category: str | None,
        channel: str,
        tier: str,
        demands: Sequence[str],
        locale: str | None,
    ) -> Classification:
        """Return category and grade with their reasons."""
        ...


def draft(
    new: NewComplaint,
    *,
    classifier: Classifier,
    identities: tuple[Identity, ...],
    now: datetime,
    traceparent: str | None,
    reference_keys: ReferenceKeys = ReferenceKeys(),  # noqa: B008 - immutable
) -> Draft:
    """Name, classify and locate a complaint."""
    tier = new.contact.tier or Tier.STANDARD.value
    return Draft(
        id=new_id(),
        number=new_number(),
        token=new_token(),
        new=new,
        received_at=new.received_at or now,
        classification=_classify(new, tier, classifier),
        graded_for=tier,
        identities=identities,
        h3=cell_of(new.place),
        reference_keys=reference_keys,
        traceparent=traceparent,
    )


def regraded_for_tier(draft: Draft, tier: str, *, classifier: Classifier) -> Draft:
    """Return the draft as graded for the tier that the customer turned out to have."""
    if tier == draft.graded_for:
        return draft
    classification = _classify(draft.new, tier, classifier)
    return dataclasses.replace(draft, classification=classification, graded_for=tier)


def _classify(new: NewComplaint, tier: str, classifier: Classifier) -> Classification:
    return classifier.classify(
        description=new.description,
        category=new.category,
        channel=new.channel,
        tier=tier,
        demands=new.demands,
        locale=new.contact.locale,
    )


def reference_keys_of(new: NewComplaint, keys: KeyRing) -> ReferenceKeys:
    """Return by what other complaints about the same order or contract are found.

    Nobody finds an anonymous one: the same order from another mouth is no repeat.
    """
    if new.contact.anonymous:
        return ReferenceKeys()
    about = new.references
    return ReferenceKeys(
        keys.reference("order", about.order), keys.reference("contract", about.contract)
    )


def cell_of(place: Place) -> str | None:
    """Return the coarse H3 cell of a place (about 5 km²), None without a point."""
    if place.latitude is None or place.longitude is None:
        return None
    cell: str = h3.latlng_to_cell(place.latitude, place.longitude, H3_RESOLUTION)
    return cell


def token_hash(token: str) -> bytes:
    """Return by what a tracking token is found. 192 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).digest()
