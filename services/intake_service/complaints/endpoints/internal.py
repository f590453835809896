"""What the other services ask intake for: contact details and words, never put into events."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from services.intake_service.complaints.schemas.answer import Links, ReferencesOut
from services.intake_service.complaints.service.drafting import token_hash
from services.intake_service.complaints.service.reading import (
    OpenComplaint,
    Reader,
    UnknownComplaint,
)
from services.intake_service.customers.domain.masking import mask_name
from shared.http.auth import Principal, Scope, requires

Service = Annotated[Principal, Depends(requires(Scope.SERVICE))]


class ContactsIn(BaseModel):
    """Which complaints' contacts are asked for."""

    model_config = ConfigDict(extra="forbid")

    complaint_ids: Annotated[list[str], Field(max_length=500)]


class ContactOut(BaseModel):
    """How to reach the customer of one complaint, and what a message to them quotes."""

    complaint_id: str
    number: str
    name: str | None
    phone: str | None
    email: str | None
    locale: str
    description: str
    occurred_at: datetime | None
    received_at: datetime
    category: str
    demands: tuple[str, ...]
    references: ReferencesOut
    tracking_url: str
    consent: bool | None = None


class ContactsOut(BaseModel):
    """The contacts that are known; an erased or unknown complaint is absent."""

    items: list[ContactOut]


class SaidOut(BaseModel):
    """One thing that was added to a complaint, in words."""

    kind: str
    by: str
    text: str
    created_at: datetime


class TellerOut(BaseModel):
    """Who told it: masked, no contact; in full only by the way on which every look is recorded."""

    name: str | None
    tier: str
    anonymous: bool


class ToldOut(BaseModel):
    """What a customer told us, for the page of staff who handle it."""

    customer: TellerOut
    channel: str
    occurred_at: datetime | None
    region: str | None
    people: tuple[str, ...]
    demands: tuple[str, ...]
    description: str
    order: str | None
    contract: str | None
    product: str | None
    additions: tuple[SaidOut, ...]


class TrackingOut(BaseModel):
    """Where the customer follows a complaint."""

    url: str


class TrackedIn(BaseModel):
    """The token of a tracking link."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(max_length=64)]


class TrackedOut(BaseModel):
    """Whose complaint it leads to; null for an unknown link, or an erased customer's."""

    customer_id: str | None


def router(reader: Reader, *, links: Links) -> APIRouter:
    """Make the routes of the services among themselves."""
    made = APIRouter(prefix="/v1/internal/intake", tags=["internal"])

    @made.post("/contacts")
    async def contacts(body: ContactsIn, who: Service) -> ContactsOut:
        """Return how to reach the customers of these complaints; every look is recorded."""
        found = await reader.many(body.complaint_ids)
        await reader.record_looks(found, principal=who.id, purpose="contact")
        return ContactsOut(items=[out for out in (_contact(one, links) for one in found) if out])

    @made.get("/complaints/{complaint_id}/words")
    async def words(complaint_id: str, _: Service) -> ToldOut:
        """Return what the customer told us; 404 where they were erased."""
        return _told(await reader.read(complaint_id))

    @made.get("/complaints/{complaint_id}/tracking")
    async def tracking(complaint_id: str, _: Service) -> TrackingOut:
        """Return the tracking page of a complaint, for pages of its customer; 404 once erased."""
        words = (await reader.read(complaint_id)).words
        if words is None:
            raise UnknownComplaint("The customer of this complaint was erased.")
        return TrackingOut(url=links.tracking(words.token))

    @made.post("/tracked")
    async def tracked(body: TrackedIn, _: Service) -> TrackedOut:
        """Return whose complaint a tracking link leads to; nothing else of it is told."""
        found = await reader.by_token(token_hash(body.token))
        is_known = found is not None and found.words is not None
        return TrackedOut(customer_id=found.stored.customer_id if found and is_known else None)

    return made


def _told(complaint: OpenComplaint) -> ToldOut:
    stored, words = complaint.stored, complaint.words
    if words is None:
        raise UnknownComplaint("The customer of this complaint was erased.")
    return ToldOut(
        customer=TellerOut(
            name=mask_name(complaint.contact.name),
            tier=stored.tier,
            anonymous=complaint.contact.anonymous,
        ),
        channel=stored.channel,
        occurred_at=stored.occurred_at,
        region=stored.region,
        people=words.people,
        demands=tuple(stored.demands),
        description=words.description,
        order=words.references.order,
        contract=words.references.contract,
        product=words.references.product,
        additions=tuple(
            SaidOut(
                kind=one.stored.kind,
                by=one.stored.by,
                text=one.text,
                created_at=one.stored.created_at,
            )
            for one in complaint.additions
            if one.text
        ),
    )


def _contact(complaint: OpenComplaint, links: Links) -> ContactOut | None:
    stored, words, contact = complaint.stored, complaint.words, complaint.contact
    if words is None:
        return None
    return ContactOut(
        complaint_id=stored.id,
        number=stored.number,
        name=contact.name,
        phone=contact.phone,
        email=contact.email,
        locale=stored.locale,
        description=words.description,
        occurred_at=stored.occurred_at,
        received_at=stored.received_at,
        category=stored.category,
        demands=tuple(stored.demands),
        references=ReferencesOut(
            order=words.references.order,
            contract=words.references.contract,
            product=words.references.product,
        ),
        tracking_url=links.tracking(words.token),
    )
